import { Option } from 'commander';
import { ExitCode, failureOf, type StellarError, worstExitCode } from '../../lib/core/errors.ts';
import { by } from '../../lib/core/text/words.ts';
import type { LogLine, LogSource } from '../../lib/workloads/logs.ts';
import type { Definition } from '../common/define.ts';
import { durationMs, wdsOptions, wholeNumber } from '../common/options.ts';
import type { Session } from '../common/session.ts';
import { parseWecArguments } from '../common/wec-argument.ts';
import { namespaceOption, objectArguments, wecsOption } from './get.ts';

interface Options {
  namespace?: string;
  wec?: string[];
  follow?: boolean;
  previous?: boolean;
  container?: string;
  since?: number;
  tail?: number;
  prefix?: boolean;
}

export const definition: Definition<Options> = {
  description:
    'Shows the logs of the pods of a workload object on all WECs that it is sent to: each WEC as it answers, its lines in the order of their times. A WEC is read by the context of its name, one such as kind-NAME, or that of --wec, once it is proven to lead to it. A WEC that cannot be read does not stop the others.',
  formats: ['table', 'json', 'yaml'],
  examples: [
    [
      'stellarctl workload logs deployment/web -n shop',
      'the last ten lines of each container, on all WECs',
    ],
    [
      'stellarctl workload logs deploy/web -n shop -f --since 1h',
      'those of the last hour, and all further ones',
    ],
    [
      'stellarctl workload logs deploy/web -n shop -p --wec cluster1=kind-cluster1',
      'before the last crash, on one WEC, by another context',
    ],
  ],
  rare: ['--prefix', '--its', '--hosting-context'],
  arguments: objectArguments,
  options: [
    namespaceOption,
    wecsOption(),
    ['-f, --follow', 'print new lines and pods too, until --timeout'],
    new Option('-p, --previous', 'the log before the last restart').conflicts('follow'),
    ['-c, --container <name>', 'only the containers of this name'],
    new Option('--since <duration>', 'only lines that are not older').argParser(durationMs),
    new Option(
      '--tail <lines>',
      'only the last lines of each container (default: 10, or all with --since)',
    ).argParser(wholeNumber(0)),
    ['--prefix', 'begin each line with its WEC, pod and container'],
    ...wdsOptions(),
  ],
  async run(session, options, words) {
    const { readLogs } = await import('../../lib/workloads/logs.ts');
    const request = requestOf(options);
    const { follow } = request;
    const { sources, errors } = await openSources(session, options, words);
    session.incomplete(errors);
    const print = printer(session, sources, options.prefix === true);
    let isQuiet = true;
    const failures: StellarError[] = [];
    const readOne = async (source: LogSource, index: number) => {
      const kept: { line: LogLine; instant: string }[] = [];
      const emit = (line: LogLine, instant: string) => {
        if (!follow) kept.push({ line, instant });
        else if (session.io.isOutputLost()) session.run.deadline.restart(1);
        else void print(line);
      };
      await readLogs(source, request, emit, session.run).catch((error) => {
        failures[index] = failureOf(error);
        if (follow) session.incomplete([failures[index]]);
      });
      isQuiet &&= kept.length === 0;
      for (const { line } of kept.sort(by(({ instant }) => instant))) await print(line);
    };
    const read = () => Promise.all(sources.map(readOne));
    await (follow
      ? (await import('../common/watching.ts')).untilInterrupted(session, read)
      : read());
    if (!follow && isQuiet && failures.length === 0 && sources.length > 0)
      session.progress.note(
        `Its containers have written ${options.since === undefined ? 'nothing' : 'no such lines'}.`,
      );
    // In the order of the WECs, not in that of their answers.
    if (!follow) session.incomplete(failures.flat());
    if (session.exitCode !== ExitCode.interrupted)
      session.exitCode = worstExitCode([...errors, ...failures.flat()]);
  },
};

async function openSources(session: Session, options: Options, words: readonly string[]) {
  const { parseObject } = await import('../../lib/workloads/delivery/workload.ts');
  const { findSources } = await import('../../lib/workloads/logs.ts');
  const named = parseObject(words, options.namespace);
  const given = await session.wecs(parseWecArguments(options.wec ?? []));
  return findSources(named, await session.wds(), given);
}

const requestOf = ({
  follow = false,
  container,
  previous,
  since,
  tail = since === undefined ? 10 : undefined,
}: Options) => ({
  container,
  follow,
  previous,
  tailLines: tail,
  sinceSeconds: since && Math.ceil(since / 1000),
});

/** Prints a line, with where it comes from in the colour of its WEC. */
function printer(
  session: Session,
  sources: readonly LogSource[],
  isWhole: boolean,
): (line: LogLine) => Promise<void> {
  const { style, output } = session;
  const wecs = sources.map(({ wec }) => wec);
  return async (line) => {
    const { wec, pod, container } = line;
    if (output !== 'table') return session.printDocument({ ...line }, { isOneOfMany: true });
    const where = isWhole ? `${wec}/${pod}/${container}` : wec;
    const mark =
      wecs.length > 1 || isWhole ? `${style.mark(wecs.indexOf(wec), `[${where}]`)} ` : '';
    session.printLines([`${mark}${line.line}`], Infinity);
  };
}

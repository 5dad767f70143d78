import { Option } from 'commander';
import { command, noted, textOf } from '../../lib/core/next-step.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, durationMs, itsOption } from '../common/options.ts';

interface Options {
  duration: number;
  file?: string;
  clusteradm?: boolean;
  force?: boolean;
}

export const definition: Definition<Options> = {
  description:
    'Requests a bootstrap token and writes a join file, which has everything that the administrator of a WEC needs to join it. The token is printed only with -o json, -o yaml or --clusteradm.',
  examples: [
    ['stellarctl its token --file cluster1.join', 'write a join file that only you can read'],
    [
      'stellarctl its token --duration 10m -o json',
      'print a token that is valid for ten minutes, as JSON',
    ],
    ['stellarctl its token --clusteradm', 'print the command that joins with clusteradm'],
  ],
  options: [
    itsOption(),
    new Option('--duration <duration>', 'how long the token is valid; at least 10m')
      .argParser(durationMs)
      .default(3_600_000, '1h'),
    ['--file <file>', 'write the join file here, readable only by you'],
    ['--force', 'replace FILE if it exists'],
    new Option('--clusteradm', 'print a clusteradm join line').conflicts('file'),
    dryRunOption(),
  ],
  async run(session, options) {
    const { makeJoinFile, clusteradmLine, checkTokenRequest } = await import(
      '../../lib/ocm/hub/its-token.ts'
    );
    const isPrinted = !options.clusteradm && options.file === undefined;
    checkTokenRequest(
      options.duration,
      isPrinted && ['table', 'wide', 'name'].includes(options.output),
    );
    const { checkTarget, createPrivately, writePrivately } = await import(
      '../../lib/core/private-file.ts'
    );
    const toReplace = options.force ? undefined : session.again('--force');
    if (options.file !== undefined) await checkTarget(options.file, toReplace);
    const its = await session.itsToWrite();
    const { context } = its;
    const file = await makeJoinFile(its, options.duration);
    if (options.dryRun) return session.finish([{ name: context.name }]);
    if (options.clusteradm) session.printLines([await clusteradmLine(file)]);
    else if (options.file === undefined) await session.print(file, [{ name: context.name }]);
    else {
      await (options.force ? writePrivately : createPrivately)(
        options.file,
        `${JSON.stringify(file, null, 2)}\n`,
      );
      const { token: _, ...shown } = file;
      if (session.isForPeople)
        session.progress.done(
          context.name,
          `join file ${options.file} written, readable only by you`,
        );
      else await session.print({ ...shown, file: options.file }, [{ name: options.file }]);
    }
    session.progress.note(`The token expires at ${file.expires}.`);
    if (options.file !== undefined)
      session.next(
        textOf(noted(command`stellarctl wec join NAME --join-file ${options.file}`, 'on the WEC')),
      );
  },
};

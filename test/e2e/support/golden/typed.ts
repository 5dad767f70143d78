import { start, startAsPlugin } from '../../../stellarctl.ts';
import type { Cli, CliOptions } from '../harness.ts';
import { inOrder, type Known, normalise } from './normalise.ts';
import { settled } from './settled.ts';
import { marked } from './transcript.ts';

const starts: Record<string, readonly string[]> = { stellarctl: start, kubectl: startAsPlugin };

/**
 * Runs a line as typed in a shell, with variables, '…' and NAME=value before the program; `columns:60` there means a terminal of
 * that width, and `answer:yes` the answer to its prompt.
 * @returns its output and exit code, as lines of a transcript
 */
export async function runTyped(
  cli: Cli,
  line: string,
  known: readonly Known[],
  given: CliOptions = {},
): Promise<string> {
  const variables = { ...given.env, HOME: cli.home };
  const words = (line.match(/(?:[^\s']|'[^']*')+/g) ?? []).map((word) =>
    Object.entries(variables)
      .reduce((rest, [name, value]) => rest.replaceAll(`$${name}`, value), word)
      .replaceAll("'", ''),
  );
  const at = words.findIndex((word) => word in starts);
  const program = words[at] ?? '';
  const env: Record<string, string> = { ...given.env };
  const options: CliOptions = { ...given, env };
  for (const word of words.slice(0, at)) {
    const [, name = '', mark, value = ''] = /^(\w+)([=:])(.*)$/.exec(word) ?? [];
    if (mark === '=') env[name] = value;
    else if (name === 'columns') options.columns = Number(value);
    else if (name === 'answer')
      options.answers = [{ at: /Type (?:y or )?its name to confirm: /, type: async () => value }];
    else if (name !== 'except') throw new Error(`what is ${word}?`);
  }
  const startOfProgram = starts[program];
  if (startOfProgram === undefined) throw new Error(`nothing is run: ${line}`);
  const arguments_ = words.slice(program === 'kubectl' ? at + 2 : at + 1);
  const plain = (printed: string) =>
    normalise(printed, [...known, { text: cli.home, as: '$HOME' }]);
  if (options.columns !== undefined) {
    const { exitCode, screen } = await cli.runOnTerminal(arguments_, options);
    return `${marked('t', plain(settled(screen)))}exit ${exitCode}\n`;
  }
  const { exitCode, stdout, stderr } = await cli.run(arguments_, {
    ...options,
    start: startOfProgram,
  });
  return `${marked('1', plain(stdout))}${marked('2', inOrder(plain(stderr), 'reached'))}exit ${exitCode}\n`;
}

import type { Command } from 'commander';
import { buildProgram } from '../../../src/program.ts';
import { fakeIo } from './fake-io.ts';

Object.assign(globalThis, { STELLARCTL_VERSION: '0.0.0' });

/** The program, as built into dist. @param line default: all commands are defined */
export function program(line?: readonly string[]): Promise<Command> {
  return buildProgram(fakeIo().io, 'stellarctl', line);
}

/** Runs a command line in this process, in a pipe. */
export async function runHere(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ exitCode: unknown; stdout: string; stderr: string }> {
  const { io, stdout, stderr } = fakeIo({ env, argv });
  await (await buildProgram(io, 'stellarctl', argv)).parseAsync(argv, { from: 'user' });
  const { exitCode } = process;
  process.exitCode = undefined;
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

/** The command of a command line. @param words without the program name */
export function commandNamed(root: Command, words: readonly string[]): Command {
  const [word, ...rest] = words;
  const child = root.commands.find((command) => command.name() === word);
  return child === undefined ? root : commandNamed(child, rest);
}

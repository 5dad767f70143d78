import type { Command } from 'commander';
import { buildProgram } from '../../../src/program.ts';
import { fakeIo } from './fake-io.ts';

/** The program, as built into dist. @param line default: all commands are defined */
export function program(line?: readonly string[]): Promise<Command> {
  Object.assign(globalThis, { STELLARCTL_VERSION: '0.0.0' });
  return buildProgram(fakeIo().io, 'stellarctl', line);
}

/** The command of a command line. @param words without the program name */
export function commandNamed(root: Command, words: readonly string[]): Command {
  const [word, ...rest] = words;
  const child = root.commands.find((command) => command.name() === word);
  return child === undefined ? root : commandNamed(child, rest);
}

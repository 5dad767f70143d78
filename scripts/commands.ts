/** Writes docs/commands.md from the definitions of all commands. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { Command, Option } from 'commander';
import type { Io } from '../src/commands/terminal/io.ts';

export const commandsFile = path.resolve(import.meta.dirname, '..', 'docs', 'commands.md');

/** All commands that help shows, with all their options. */
export async function shownCommands(): Promise<Command[]> {
  const silent = new PassThrough() as unknown as NodeJS.WriteStream;
  const io: Io = {
    stdin: process.stdin,
    stdout: silent,
    stderr: silent,
    env: {},
    argv: ['--all'],
    isOutputLost: () => false,
  };
  Object.assign(globalThis, { STELLARCTL_VERSION: '' });
  const { buildProgram } = await import('../src/program.ts');
  const program = await buildProgram(io, 'stellarctl');
  const all = program.commands.flatMap((command) =>
    command.commands.length > 0 ? command.commands : [command],
  );
  return all.filter((command) => command.summary() !== '' && command.name() !== 'help');
}

/** Returns the page. */
export async function commandsPage(): Promise<string> {
  const shown = await shownCommands();
  const common = optionsOfMany(shown);
  return [
    '# Commands',
    '',
    'This page is made from the definitions of the commands. `stellarctl help` shows the same at a terminal.',
    '',
    ...tableOf('options of many commands', common.map(rowOf)),
    '',
    ...shown.flatMap((command) => sectionOf(command, new Set(common.map(keyOf)))),
  ].join('\n');
}

/** An option that so many commands have is described once. */
const many = 4;

export const optionsIn = ({ options }: Command) => options.filter(({ hidden }) => !hidden);
const keyOf = ({ flags, description }: Option): string => `${flags} ${description}`;
const rowOf = ({ flags, description }: Option): string[] => [`\`${flags}\``, description];

/** One for each name: where it means something else, that is described as well. */
function optionsOfMany(commands: readonly Command[]): Option[] {
  const groups = [...Map.groupBy(commands.flatMap(optionsIn), keyOf).values()].filter(
    ({ length }) => length >= many,
  );
  const largestFirst = groups
    .sort((one, other) => other.length - one.length)
    .flatMap((same) => same.slice(0, 1));
  return [...Map.groupBy(largestFirst, ({ flags }) => flags).values()].flatMap((same) =>
    same.slice(0, 1),
  );
}

export const nameOf = (command: Command): string =>
  command.parent?.parent ? `${command.parent.name()} ${command.name()}` : command.name();

/** Its own options, and the examples of its help. @param common the options that are described once */
function sectionOf(command: Command, common: ReadonlySet<string>): string[] {
  const [also = [], own = []] = [true, false].map((isCommon) =>
    optionsIn(command).filter((option) => common.has(keyOf(option)) === isCommon),
  );
  const more =
    also.length === 0 ? '' : ` Also: ${also.map(({ flags }) => `\`${flags}\``).join(', ')}.`;
  const rows = [...own.map(rowOf), ...examplesOf(command)];
  return [
    `## ${nameOf(command)}`,
    `${command.description()}${more}`,
    '',
    ...(rows.length === 0 ? [] : [...tableOf('option or example', rows), '']),
  ];
}

/** The examples in the help, with what they do. */
function examplesOf(command: Command): string[][] {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  const [, examples = ''] = text.split('\nExamples:\n');
  return [...examples.matchAll(/^ *# (.*)\n *(.*)$/gm)].map(([, what = '', line = '']) => [
    `\`${line}\``,
    what,
  ]);
}

const tableOf = (what: string, rows: readonly (readonly string[])[]): string[] => [
  `| ${what} | |`,
  '|---|---|',
  ...rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`),
];

if (process.argv[1] === import.meta.filename) writeFileSync(commandsFile, await commandsPage());

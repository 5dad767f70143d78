/** Writes docs/commands.md from the definitions of all commands. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import type { Io } from '../src/commands/terminal/io.ts';

export const commandsFile = path.resolve(import.meta.dirname, '..', 'docs', 'commands.md');

/** Returns the page. */
export async function commandsPage(): Promise<string> {
  const silent = new PassThrough() as unknown as NodeJS.WriteStream;
  const io: Io = { stdin: process.stdin, stdout: silent, stderr: silent, env: {}, argv: [], isOutputLost: () => false };
  Object.assign(globalThis, { STELLARCTL_VERSION: '' });
  const { buildProgram } = await import('../src/program.ts');
  const program = await buildProgram(io, 'stellarctl');
  const all = program.commands.flatMap((command) => (command.commands.length > 0 ? command.commands : [command]));
  const shown = all.filter((command) => command.summary() !== '' && command.name() !== 'help');
  return [
    '# Commands',
    '',
    'This page is made from the definitions of the commands. `stellarctl help` shows the same at a terminal.',
    '',
    ...tableOf(
      'command',
      shown.map((command) => [`[\`${nameOf(command)}\`](#${nameOf(command).replaceAll(' ', '-')})`, command.summary()]),
    ),
    '',
    ...shown.flatMap(sectionOf),
  ].join('\n');
}

const nameOf = (command: Command): string =>
  command.parent?.parent ? `${command.parent.name()} ${command.name()}` : command.name();

function sectionOf(command: Command): string[] {
  const options = command.options
    .filter(({ hidden }) => !hidden)
    .map(({ flags, description }) => [`\`${flags}\``, description]);
  const examples = examplesOf(command);
  return [
    `## ${nameOf(command)}`,
    '',
    command.description(),
    '',
    ...(options.length === 0 ? [] : [...tableOf('option', options), '']),
    ...(examples.length === 0 ? [] : ['<!-- not run: examples of the help -->', '```shell', ...examples, '```', '']),
  ];
}

/** The lines of examples in the help, with what they do as comments. */
function examplesOf(command: Command): string[] {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  const [, examples = ''] = text.split('\nExamples:\n');
  return examples
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

const tableOf = (what: string, rows: string[][]): string[] => [
  `| ${what} | |`,
  '|---|---|',
  ...rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`),
];

if (process.argv[1] === import.meta.filename) writeFileSync(commandsFile, await commandsPage());

import { Command } from 'commander';
import { type Definition, defineCommand } from './commands/common/define.ts';
import { type CommandEntry, entry, type Group } from './commands/common/entry.ts';
import { equivalentOf } from './commands/common/equivalents.ts';
import {
  access,
  collector,
  fleet,
  its,
  policy,
  transform,
  upgrade,
  wds,
  wec,
  workload,
} from './commands/nouns.ts';
import { writeText } from './commands/terminal/clean.ts';
import type { Io } from './commands/terminal/io.ts';

declare const STELLARCTL_VERSION: string;

/** The introduction for new users. */
const start = (program: string) => `
Start with:
  ${program} doctor --pre                     check what is missing
  ${program} init                             on an existing cluster, or
  ${program} init --provider kind             on a new local one
  ${program} its create its1                  what WECs register with
  ${program} wds create wds1                  where workloads are defined
  ${program} wec join NAME=CONTEXT --accept   a cluster that they run on
  ${program} status                           everything at a glance
`;

/**
 * Assembles the program. The code of a command is loaded when it runs.
 * @param line the command line. Commands that it does not name have only what the help of their parent shows, so that no command
 *   waits for the definitions of all others. Default: all commands are defined.
 */
export async function buildProgram(
  io: Io,
  name: string,
  line?: readonly string[],
): Promise<Command> {
  const program = new Command(name)
    .description(
      'The command line of KubeStellar operators: prepares a hosting cluster, creates ITSes and WDSes, registers clusters as WECs, and follows workloads to them.',
    )
    .version(STELLARCTL_VERSION, '-V, --version')
    // Subcommands have their own --version.
    .enablePositionalOptions()
    .helpCommand(false)
    .showSuggestionAfterError()
    .addHelpText('after', start(name));
  const isNamed = (word: string | undefined) =>
    line === undefined || (word !== undefined && line.includes(word));
  const define = async ({ name, load }: CommandEntry) => {
    const { definition } = await load();
    return typeof definition === 'function'
      ? definition(io, program)
      : defineCommand(io, name, definition);
  };
  const add = async (parent: Command, each: CommandEntry) => {
    const { name, alias, summary } = each;
    const command = isNamed(name) || isNamed(alias) ? await define(each) : new Command(name);
    if (alias !== undefined) command.alias(alias);
    parent.addCommand(command.summary(summary), { hidden: summary === '' });
  };
  for (const each of entries) {
    if ('load' in each) {
      await add(program, each);
      continue;
    }
    const group = new Command(each.name).summary(each.summary).description(each.description);
    if (isNamed(each.name)) for (const command of each.commands) await add(group, command);
    program.addCommand(group);
  }
  program.addCommand(helpCommand());
  exitByException(program, io);
  return program;
}

/** A command of `wec` that is used often enough to be available without its noun. */
function shortcut(name: string): CommandEntry {
  const full = wec.commands.find((each) => each.name === name) as CommandEntry;
  return entry(name, `${full.summary} (wec ${name})`, async () => {
    const definition = (await full.load()).definition as Definition;
    return {
      definition: {
        ...definition,
        description: `${definition.description} The same as \`wec ${name}\`.`,
      },
    };
  });
}

/** The commands of the program, in the order of its help. */
const entries: readonly (CommandEntry | Group)[] = [
  entry(
    'init',
    'install KubeStellar on a hosting cluster',
    () => import('./commands/init/init.ts'),
  ),
  its,
  wds,
  wec,
  fleet,
  policy,
  workload,
  collector,
  transform,
  shortcut('accept'),
  shortcut('label'),
  shortcut('deregister'),
  entry('status', 'show the whole installation', () => import('./commands/status/status.ts')),
  access,
  upgrade,
  entry('doctor', 'find out what is wrong', () => import('./commands/doctor/doctor.ts')),
  entry(
    'report',
    'write a diagnostic report to a file',
    () => import('./commands/report/report.ts'),
  ),
  entry(
    'version',
    'show which versions run, and whether they fit together',
    () => import('./commands/version/version.ts'),
  ),
  entry(
    'options',
    'list the options of all commands',
    () => import('./commands/common/define.ts'),
    'optionsCommand',
  ),
  entry(
    'completion',
    'print the completion script of a shell',
    () => import('./commands/completion/completion.ts'),
  ),
  entry('__complete', '', () => import('./commands/completion/completion.ts'), 'completeCommand'),
];

/** `help wec join`: the help of a command at any depth. */
function helpCommand(): Command {
  return new Command('help')
    .summary('show the help of a command')
    .description('Shows the help of a command, like `--help`.')
    .usage('[COMMAND…]')
    .argument('[commands...]', 'the command')
    .action((names: string[], _options: object, self: Command) => {
      let shown = self.parent as Command;
      for (const name of names) {
        const next = shown.commands.find(
          (child) => child.name() === name || child.aliases().includes(name),
        );
        if (next === undefined)
          shown.error(`error: unknown command '${name}'`, { code: 'commander.unknownCommand' });
        else shown = next;
      }
      shown.help();
    });
}

/** Makes wrong usage exit with 2, whichever code commander uses, and report in the requested format. */
function exitByException(command: Command, io: Io) {
  command.exitOverride().configureOutput({
    writeOut: (text) => writeText(io.stdout, text),
    writeErr: (text) => writeText(io.stderr, text),
    outputError: (text, write) => {
      const equivalent = equivalentIn(text, io);
      const message = text.replace(/^error: /, '');
      const shown = equivalent && `${[firstLine(message), ...equivalent].join('\n  ')}\n`;
      write(`✗ ${shown ?? message.replace(/\n(?=\()/g, '\n  ')}`);
    },
  });
  // A command's own help lists its arguments and options: here they would leave no room for its description.
  command.configureHelp({
    subcommandTerm: (child) => [child.name(), ...child.aliases()].join('|'),
  });
  command.showHelpAfterError(`  See: ${fullName(command)} --help`);
  for (const child of command.commands) exitByException(child, io);
}

export const firstLine = (text: string) => text.split('\n', 1)[0] ?? '';

/** The commands to type instead, if a message of commander reports an unknown word. */
export function equivalentIn(message: string, { argv }: Io): string[] | undefined {
  const [, unknown] = /^error: unknown (?:command|option) '(.*?)'/.exec(message) ?? [];
  return unknown === undefined ? undefined : equivalentOf(unknown, argv);
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

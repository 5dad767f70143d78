import { Command } from 'commander';
import { equivalentOf } from './commands/shell/equivalents.ts';
import { writeText } from './lib/terminal/clean.ts';
import type { Io } from './lib/terminal/io.ts';

declare const STELLARCTL_VERSION: string;

/** The introduction for new users. */
const start = (program: string): string => `
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
 * Assembles the program. Only definitions are loaded here; the code of a command is loaded when it runs.
 * @param line the command line. Commands whose names are not in it have only a name and a summary, so that no command waits for the
 *   definitions of all others. Default: all are defined.
 */
export async function buildProgram(io: Io, name: string, line?: readonly string[]): Promise<Command> {
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
  for (const entry of entries) {
    const isNeeded = line === undefined || line.includes(entry.name);
    const command = isNeeded ? await entry.define(io, program) : new Command(entry.name);
    program.addCommand(command.summary(entry.summary), { hidden: entry.hidden === true });
  }
  program.addCommand(helpCommand());
  exitByException(program, io);
  return program;
}

interface Entry {
  name: string;
  summary: string;
  hidden?: true;
  define(io: Io, program: Command): Promise<Command>;
}

/** The commands of the program, in the order of its help. */
const entries: readonly Entry[] = [
  {
    name: 'init',
    summary: 'install KubeStellar on a hosting cluster',
    define: async (io) => (await import('./commands/init.ts')).initCommand(io),
  },
  {
    name: 'its',
    summary: 'create and manage Inventory and Transport Spaces',
    define: async (io) => (await import('./commands/its/its.ts')).itsGroup(io),
  },
  {
    name: 'wds',
    summary: 'create and manage Workload Description Spaces',
    define: async (io) => (await import('./commands/wds/wds.ts')).wdsGroup(io),
  },
  {
    name: 'wec',
    summary: 'register and manage Workload Execution Clusters',
    define: async (io) => (await import('./commands/wec/wec.ts')).wecGroup(io),
  },
  {
    name: 'policy',
    summary: 'choose which workloads go to which WECs',
    define: async (io) => (await import('./commands/policy/policy.ts')).policyGroup(io),
  },
  {
    name: 'workload',
    summary: 'follow workloads to WECs',
    define: async (io) => (await import('./commands/workload/workload.ts')).workloadGroup(io),
  },
  {
    name: 'collector',
    summary: 'collect the status that WECs return into tables',
    define: async (io) => (await import('./commands/collector/collector.ts')).collectorGroup(io),
  },
  {
    name: 'transform',
    summary: 'remove fields from objects before they are sent',
    define: async (io) => (await import('./commands/transform/transform.ts')).transformGroup(io),
  },
  // Commands of `wec` that are used often enough to be available without their noun.
  {
    name: 'accept',
    summary: 'accept or deny WECs that request to join the ITS (same as wec accept)',
    define: async (io) => sameAsOfWec((await import('./commands/wec/accept.ts')).acceptCommand(io)),
  },
  {
    name: 'label',
    summary: 'set, change, remove or list labels of WECs (same as wec label)',
    define: async (io) => sameAsOfWec((await import('./commands/wec/label.ts')).labelCommand(io)),
  },
  {
    name: 'deregister',
    summary: 'deregister WECs from the ITS (same as wec deregister)',
    define: async (io) => sameAsOfWec((await import('./commands/wec/deregister.ts')).deregisterCommand(io)),
  },
  {
    name: 'status',
    summary: 'show the whole installation',
    define: async (io) => (await import('./commands/status.ts')).statusCommand(io),
  },
  {
    name: 'doctor',
    summary: 'find out what is wrong',
    define: async (io) => (await import('./commands/doctor.ts')).doctorCommand(io),
  },
  {
    name: 'report',
    summary: 'write a diagnostic report to a file',
    define: async (io) => (await import('./commands/report.ts')).reportCommand(io),
  },
  {
    name: 'version',
    summary: 'show which versions run, and whether they fit together',
    define: async (io) => (await import('./commands/version.ts')).versionCommand(io, STELLARCTL_VERSION),
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    define: async (io) => (await import('./commands/completion/completion.ts')).completionCommand(io),
  },
  {
    name: '__complete',
    summary: '',
    hidden: true,
    define: async (io, program) => (await import('./commands/completion/completion.ts')).completeCommand(io, program),
  },
];

const sameAsOfWec = (command: Command): Command =>
  command.description(`${command.description()} The same as \`wec ${command.name()}\`.`);

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
        const next = shown.commands.find((child) => child.name() === name || child.aliases().includes(name));
        if (next === undefined) shown.error(`error: unknown command '${name}'`, { code: 'commander.unknownCommand' });
        else shown = next;
      }
      shown.help();
    });
}

/** Makes wrong usage exit with 2, whichever code commander uses, and report in the requested format. */
function exitByException(command: Command, io: Io): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => writeText(io.stdout, text),
    writeErr: (text) => writeText(io.stderr, text),
    outputError: (text, write) => {
      const equivalent = equivalentIn(text, io);
      const message = text.replace(/^error: /, '');
      write(
        `✗ ${equivalent === undefined ? message.replace(/\n(?=\()/g, '\n  ') : `${firstLine(message)}\n  ${equivalent}\n`}`,
      );
    },
  });
  // A command's own help lists its arguments and options: here they would leave no room for its description.
  command.configureHelp({ subcommandTerm: (child) => [child.name(), ...child.aliases()].join('|') });
  command.showHelpAfterError(`  See: ${fullName(command)} --help`);
  for (const child of command.commands) exitByException(child, io);
}

export const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

/** The command to type instead, if a message of commander reports an unknown word. */
export function equivalentIn(message: string, { argv }: Io): string | undefined {
  const [, unknown] = /^error: unknown (?:command|option) '(.*?)'/.exec(message) ?? [];
  return unknown === undefined ? undefined : equivalentOf(unknown, argv);
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

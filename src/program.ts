import { Command } from 'commander';
import { collectorCreateCommand } from './commands/collector/create.ts';
import { collectorDeleteCommand } from './commands/collector/delete.ts';
import { collectorGetCommand } from './commands/collector/get.ts';
import { collectorListCommand } from './commands/collector/list.ts';
import { completeCommand, completionCommand } from './commands/completion/completion.ts';
import { doctorCommand } from './commands/doctor.ts';
import { initCommand } from './commands/init.ts';
import { createItsCommand } from './commands/its/create.ts';
import { tokenCommand } from './commands/its/token.ts';
import { useCommand } from './commands/its/use.ts';
import { policyCreateCommand } from './commands/policy/create.ts';
import { policyDeleteCommand } from './commands/policy/delete.ts';
import { policyExplainCommand } from './commands/policy/explain.ts';
import { policyGetCommand } from './commands/policy/get.ts';
import { policyListCommand } from './commands/policy/list.ts';
import { policyRefreshCommand } from './commands/policy/refresh.ts';
import { reportCommand } from './commands/report.ts';
import { equivalentOf } from './commands/shell/equivalents.ts';
import { spaceContextCommand } from './commands/space/context.ts';
import { spaceDeleteCommand } from './commands/space/delete.ts';
import { spaceGetCommand } from './commands/space/get.ts';
import { spaceListCommand } from './commands/space/list.ts';
import { spaceRepairCommand } from './commands/space/repair.ts';
import { statusCommand } from './commands/status.ts';
import { transformCreateCommand } from './commands/transform/create.ts';
import { transformDeleteCommand } from './commands/transform/delete.ts';
import { transformGetCommand } from './commands/transform/get.ts';
import { transformListCommand } from './commands/transform/list.ts';
import { versionCommand } from './commands/version.ts';
import { createWdsCommand } from './commands/wds/create.ts';
import { acceptCommand } from './commands/wec/accept.ts';
import { createWecCommand } from './commands/wec/create.ts';
import { deleteWecCommand } from './commands/wec/delete.ts';
import { deregisterCommand } from './commands/wec/deregister.ts';
import { getCommand } from './commands/wec/get.ts';
import { grantCommand } from './commands/wec/grant.ts';
import { joinCommand } from './commands/wec/join.ts';
import { labelCommand } from './commands/wec/label.ts';
import { listCommand } from './commands/wec/list.ts';
import { propertiesCommand } from './commands/wec/properties.ts';
import { revokeCommand } from './commands/wec/revoke.ts';
import { waitCommand } from './commands/wec/wait.ts';
import { workloadGetCommand } from './commands/workload/get.ts';
import { workloadListCommand } from './commands/workload/list.ts';
import { workloadStatusCommand } from './commands/workload/status.ts';
import { workloadWaitCommand } from './commands/workload/wait.ts';
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
 * Assembles the program. Only the definitions are loaded here; the code of a command is loaded when it runs.
 * @param word the first word of the command line. Groups of commands with other names stay empty, because defining all options
 *   takes a third of the time of `--help`. Default: all groups are complete.
 */
export function buildProgram(io: Io, name: string, word?: string): Command {
  const program = new Command(name)
    .description(
      'The command line of KubeStellar operators: prepares a hosting cluster, creates ITSes and WDSes, registers clusters as WECs, and follows workloads to them.',
    )
    .version(STELLARCTL_VERSION, '-V, --version')
    // Subcommands have their own --version.
    .enablePositionalOptions()
    .addCommand(initCommand(io));
  for (const { commands, ...about } of groups) {
    const group = new Command(about.name).summary(about.summary).description(about.description);
    if (word === undefined || word === about.name) for (const command of commands(io)) group.addCommand(command);
    program.addCommand(group);
  }
  program
    .addCommand(shortcut(acceptCommand(io)))
    .addCommand(shortcut(labelCommand(io)))
    .addCommand(shortcut(deregisterCommand(io)))
    .addCommand(statusCommand(io))
    .addCommand(doctorCommand(io))
    .addCommand(reportCommand(io))
    .addCommand(versionCommand(io, STELLARCTL_VERSION))
    .addCommand(completionCommand(io))
    .addCommand(completeCommand(io, program), { hidden: true })
    .helpCommand(false)
    .addCommand(helpCommand())
    .showSuggestionAfterError()
    .addHelpText('after', start(name));
  exitByException(program, io);
  return program;
}

interface Group {
  name: string;
  summary: string;
  description: string;
  commands(io: Io): Command[];
}

/** The commands of each noun. */
const groups: readonly Group[] = [
  {
    name: 'its',
    summary: 'create and manage Inventory and Transport Spaces',
    description: 'Commands for Inventory and Transport Spaces (ITSes): the OCM hubs that WECs register with.',
    commands: (io) => [createItsCommand(io), ...spaceCommands(io, 'its'), tokenCommand(io), useCommand(io)],
  },
  {
    name: 'wds',
    summary: 'create and manage Workload Description Spaces',
    description:
      'Commands for Workload Description Spaces (WDSes): the API servers where workloads and binding policies are defined.',
    commands: (io) => [createWdsCommand(io), ...spaceCommands(io, 'wds')],
  },
  {
    name: 'wec',
    summary: 'register and manage Workload Execution Clusters',
    description: 'Commands for Workload Execution Clusters (WECs): the clusters that workloads run on.',
    commands: (io) => [
      createWecCommand(io),
      joinCommand(io),
      acceptCommand(io),
      labelCommand(io),
      propertiesCommand(io),
      listCommand(io),
      getCommand(io),
      waitCommand(io),
      grantCommand(io),
      revokeCommand(io),
      deregisterCommand(io),
      deleteWecCommand(io),
    ],
  },
  {
    name: 'policy',
    summary: 'choose which workloads go to which WECs',
    description: 'Commands for binding policies: which objects of a WDS go to which WECs.',
    commands: (io) => [
      policyCreateCommand(io),
      policyListCommand(io),
      policyGetCommand(io),
      policyExplainCommand(io),
      policyRefreshCommand(io),
      policyDeleteCommand(io),
    ],
  },
  {
    name: 'workload',
    summary: 'follow workloads to WECs',
    description: 'Commands for workloads: the objects of a WDS, on their way to WECs and back.',
    commands: (io) => [
      workloadListCommand(io),
      workloadGetCommand(io),
      workloadStatusCommand(io),
      workloadWaitCommand(io),
    ],
  },
  {
    name: 'collector',
    summary: 'collect the status that WECs return into tables',
    description: 'Commands for status collectors: tables of the status that WECs return for the objects of a WDS.',
    commands: (io) => [
      collectorCreateCommand(io),
      collectorListCommand(io),
      collectorGetCommand(io),
      collectorDeleteCommand(io),
    ],
  },
  {
    name: 'transform',
    summary: 'remove fields from objects before they are sent',
    description:
      'Commands for custom transforms: fields to remove from the objects of a kind before they are sent to WECs.',
    commands: (io) => [
      transformCreateCommand(io),
      transformListCommand(io),
      transformGetCommand(io),
      transformDeleteCommand(io),
    ],
  },
];

const spaceCommands = (io: Io, type: 'its' | 'wds'): Command[] => [
  spaceListCommand(io, type),
  spaceGetCommand(io, type),
  spaceContextCommand(io, type),
  spaceRepairCommand(io, type),
  spaceDeleteCommand(io, type),
];

/** A command of `wec` that is used often enough to be available without its noun. */
const shortcut = (command: Command): Command => {
  const full = `wec ${command.name()}`;
  return command
    .summary(`${command.summary()} (same as ${full})`)
    .description(`${command.description()} The same as \`${full}\`.`);
};

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

import path from 'node:path';
import { Command, CommanderError } from 'commander';
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
import { callProgram } from './lib/engine/command-line.ts';
import { ExitCode } from './lib/engine/errors.ts';
import { writeText } from './lib/terminal/clean.ts';
import type { Io } from './lib/terminal/io.ts';
import { watchOutput } from './lib/terminal/lost-output.ts';
import { writeDocument } from './lib/terminal/output.ts';

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

/** Assembles the program. Only the definitions are loaded here; the code of a command is loaded when it runs. */
export function buildProgram(io: Io, name: string): Command {
  const program = new Command(name)
    .description(
      'The command line of KubeStellar operators: prepares a hosting cluster, creates ITSes and WDSes, registers clusters as WECs, and follows workloads to them.',
    )
    .version(STELLARCTL_VERSION, '-V, --version')
    // Subcommands have their own --version.
    .enablePositionalOptions()
    .addCommand(initCommand(io));
  for (const group of groups(io)) program.addCommand(group);
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

/** The commands of each noun. */
function groups(io: Io): Command[] {
  const its = group(
    'its',
    'create and manage Inventory and Transport Spaces',
    'Commands for Inventory and Transport Spaces (ITSes): the OCM hubs that WECs register with.',
  )
    .addCommand(createItsCommand(io))
    .addCommand(spaceListCommand(io, 'its'))
    .addCommand(spaceGetCommand(io, 'its'))
    .addCommand(spaceContextCommand(io, 'its'))
    .addCommand(spaceRepairCommand(io, 'its'))
    .addCommand(spaceDeleteCommand(io, 'its'))
    .addCommand(tokenCommand(io))
    .addCommand(useCommand(io));
  const wds = group(
    'wds',
    'create and manage Workload Description Spaces',
    'Commands for Workload Description Spaces (WDSes): the API servers where workloads and binding policies are defined.',
  )
    .addCommand(createWdsCommand(io))
    .addCommand(spaceListCommand(io, 'wds'))
    .addCommand(spaceGetCommand(io, 'wds'))
    .addCommand(spaceContextCommand(io, 'wds'))
    .addCommand(spaceRepairCommand(io, 'wds'))
    .addCommand(spaceDeleteCommand(io, 'wds'));
  const wec = group(
    'wec',
    'register and manage Workload Execution Clusters',
    'Commands for Workload Execution Clusters (WECs): the clusters that workloads run on.',
  )
    .addCommand(createWecCommand(io))
    .addCommand(joinCommand(io))
    .addCommand(acceptCommand(io))
    .addCommand(labelCommand(io))
    .addCommand(propertiesCommand(io))
    .addCommand(listCommand(io))
    .addCommand(getCommand(io))
    .addCommand(waitCommand(io))
    .addCommand(grantCommand(io))
    .addCommand(revokeCommand(io))
    .addCommand(deregisterCommand(io))
    .addCommand(deleteWecCommand(io));
  return [its, wds, wec, ...workloadGroups(io)];
}

function workloadGroups(io: Io): Command[] {
  const policy = group(
    'policy',
    'choose which workloads go to which WECs',
    'Commands for binding policies: which objects of a WDS go to which WECs.',
  )
    .addCommand(policyCreateCommand(io))
    .addCommand(policyListCommand(io))
    .addCommand(policyGetCommand(io))
    .addCommand(policyExplainCommand(io))
    .addCommand(policyRefreshCommand(io))
    .addCommand(policyDeleteCommand(io));
  const workload = group(
    'workload',
    'follow workloads to WECs',
    'Commands for workloads: the objects of a WDS, on their way to WECs and back.',
  )
    .addCommand(workloadListCommand(io))
    .addCommand(workloadGetCommand(io))
    .addCommand(workloadStatusCommand(io))
    .addCommand(workloadWaitCommand(io));
  const collector = group(
    'collector',
    'collect the status that WECs return into tables',
    'Commands for status collectors: tables of the status that WECs return for the objects of a WDS.',
  )
    .addCommand(collectorCreateCommand(io))
    .addCommand(collectorListCommand(io))
    .addCommand(collectorGetCommand(io))
    .addCommand(collectorDeleteCommand(io));
  const transform = group(
    'transform',
    'remove fields from objects before they are sent',
    'Commands for custom transforms: fields to remove from the objects of a kind before they are sent to WECs.',
  )
    .addCommand(transformCreateCommand(io))
    .addCommand(transformListCommand(io))
    .addCommand(transformGetCommand(io))
    .addCommand(transformDeleteCommand(io));
  return [policy, workload, collector, transform];
}

/** A command of `wec` that is used often enough to be available without its noun. */
const shortcut = (command: Command): Command => {
  const full = `wec ${command.name()}`;
  return command
    .summary(`${command.summary()} (same as ${full})`)
    .description(`${command.description()} The same as \`${full}\`.`);
};

const group = (name: string, summary: string, description: string): Command =>
  new Command(name).summary(summary).description(description);

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

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

/** The command to type instead, if a message of commander reports an unknown word. */
function equivalentIn(message: string, { argv }: Io): string | undefined {
  const [, unknown] = /^error: unknown (?:command|option) '(.*?)'/.exec(message) ?? [];
  return unknown === undefined ? undefined : equivalentOf(unknown, argv);
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

/** Runs a command line and sets process.exitCode. */
export async function main(argv: readonly string[]): Promise<void> {
  const invokedAs = path.basename(argv[1] ?? '');
  const program = invokedAs.startsWith('kubectl-') ? 'kubectl stellar' : 'stellarctl';
  // kubectl completes the command lines of its plugins with programs of this name.
  const isCompletion = invokedAs.startsWith('kubectl_complete-');
  callProgram(program);
  const io: Io = {
    // Node opens stdin on first access, and few commands need it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    argv: argv.slice(2),
    isOutputLost: watchOutput(process),
  };
  try {
    await buildProgram(io, program).parseAsync(
      isCompletion ? [...argv.slice(0, 2), '__complete', '--', ...argv.slice(2)] : argv,
    );
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const helped =
      error.code === 'commander.helpDisplayed' || error.code === 'commander.version' || error.code === 'commander.help';
    process.exitCode = helped && error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
    if (process.exitCode === ExitCode.usage && asksForJson(argv)) {
      const message = error.message.replace(/^error: /, '');
      const hint = equivalentIn(error.message, io);
      const shown = {
        code: 'usage',
        message: hint === undefined ? message : firstLine(message),
        ...(hint && { hint }),
      };
      await writeDocument(io, { items: [], error: shown }, { format: 'json' });
    }
  }
}

/** Whether a command line that commander cannot parse asks for JSON. */
function asksForJson(argv: readonly string[]): boolean {
  return argv.some(
    (argument, index) =>
      /^(-o|--output=)json$/.test(argument) || (/^(-o|--output)$/.test(argument) && argv[index + 1] === 'json'),
  );
}

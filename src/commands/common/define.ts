import { Command, Option } from 'commander';
import { StellarError } from '../../lib/core/errors.ts';
import { asCalled } from '../../lib/core/next-step.ts';
import type { Io, OutputFormat } from '../terminal/io.ts';
import { globalOptions, type SessionOptions } from './options.ts';
import type { Session } from './session.ts';

/** A command: what its help shows, and what it does. Its name and summary are in its entry. `Own` are options that no session uses. */
export interface Definition<Own = object> {
  description: string;
  /** Command lines, each with what it does. */
  examples: [command: string, what: string][];
  /** Default of `--timeout` (default: that of most, `30s`). */
  timeout?: string;
  /** Values of `-o`, if the command supports others than most. */
  formats?: readonly OutputFormat[];
  /** The arguments as help shows them, if that is clearer than a list of them. */
  usage?: string;
  arguments?: readonly (readonly [name: string, about: string])[];
  /** In the order of the help: flags with what they do, or an option of commander. */
  options?: readonly (readonly [flags: string, about: string] | Option)[];
  /** Those of them that few need: `--help --all` and docs/commands.md show them. */
  rare?: readonly string[];
  /** Whether it removes something: then a current context does not precede the hosting cluster that the kubeconfig notes. */
  destroys?: boolean;
  run(session: Session, options: SessionOptions & Own, positional: string[]): Promise<void>;
}

/** How many examples help shows where it leaves out rare options. */
const shortExamples = 4;

const commonTimeout = '30s';

/**
 * Makes a command of commander. What help does not need is loaded only when the command runs. The exit code is set in
 * process.exitCode, so that the streams are flushed before the process ends.
 */
export function defineCommand(io: Io, name: string, definition: Definition): Command {
  const { description, timeout = commonTimeout, formats, usage, rare = [] } = definition;
  const isWhole = rare.length === 0 || io.argv.includes('--all') || io.argv[0] === '__complete';
  const command = new Command(name).description(description);
  const words = (definition.arguments ?? []).map(([argument]) =>
    argument.replace(/[<>]/g, '').toUpperCase(),
  );
  command.usage(usage ?? [...words, '[options]'].join(' '));
  for (const [argument, about] of definition.arguments ?? []) command.argument(argument, about);
  for (const option of globalOptions(timeout, formats))
    command.addOption(option.hideHelp(formats === undefined || option.long !== '--output'));
  for (const each of definition.options ?? []) {
    const option = each instanceof Option ? each : new Option(...each);
    if (rare.includes(option.long ?? '')) option.hideHelp(!isWhole);
    command.addOption(option);
  }
  if (['list', 'get', 'status'].includes(name))
    command.option('-w, --watch', 'and then print what changes, until Ctrl-C or --timeout');
  if (name === 'list') command.option('--no-headers', 'print no headers above the table');
  return command
    .addHelpText('after', () => `\n${belowOptions(definition, isWhole).join('\n')}\n`)
    .action(async () => {
      process.exitCode = await runDefinition(io, command, definition);
    });
}

/** What help shows below the options. @param isWhole with the rare options, and all examples */
const belowOptions = (
  { examples, timeout = commonTimeout, rare }: Definition,
  isWhole: boolean,
) => [
  ...(isWhole ? [] : [`${rare?.length} more options: --help --all`]),
  `Global options: -o, --timeout (default: ${timeout}), --kubeconfig, --color, -q, -v`,
  `  See: ${asCalled('stellarctl options')}`,
  '',
  'Examples:',
  ...examples
    .slice(0, isWhole ? undefined : shortExamples)
    .flatMap(([line, what]) => [`  # ${what}`, `  ${asCalled(line)}`]),
];

async function runDefinition(io: Io, command: Command, definition: Definition) {
  const options = command.optsWithGlobals<SessionOptions & { watch?: boolean }>();
  const { watch = false, verbose = false, quiet = false } = options;
  const { runInSession } = await import('./session.ts');
  const given = {
    ...options,
    mayGuess: definition.destroys !== true,
    hasTimeout: command.getOptionValueSource('timeout') !== 'default',
    quiet: quiet || (watch && !verbose),
  };
  return runInSession(io, given, async (session) => {
    // An unset variable of a script names nothing.
    if (command.args.includes('')) throw new StellarError('usage', 'An argument is empty.');
    const run = () => definition.run(session, options, command.args);
    return watch ? (await import('./watching.ts')).watch(session, run) : run();
  });
}

/** `options`: its help is its result. */
export function optionsCommand(): Command {
  const command = new Command('options').description(
    'Lists the options of all commands, which may also precede the command.',
  );
  for (const option of globalOptions()) command.addOption(option);
  return command.action(() => command.help());
}

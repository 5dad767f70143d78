import path from 'node:path';
import { CommanderError } from 'commander';
import type { Io } from './commands/terminal/io.ts';
import { watchOutput } from './commands/terminal/lost-output.ts';
import { writeDocument } from './commands/terminal/output.ts';
import { ExitCode } from './lib/core/errors.ts';
import { callProgram } from './lib/core/next-step.ts';
import { buildProgram, equivalentIn, firstLine } from './program.ts';

/** Runs a command line and sets process.exitCode. */
export async function main(argv: readonly string[]): Promise<void> {
  // All is written then. Otherwise Node would first free all its memory, a twentieth of the time of help.
  process.once('beforeExit', () => process.exit());
  const invokedAs = path.basename(argv[1] ?? '');
  const program = invokedAs.startsWith('kubectl-') ? 'kubectl stellar' : 'stellarctl';
  // kubectl completes the command lines of its plugins with programs of this name.
  const isCompletion = invokedAs.startsWith('kubectl_complete-');
  callProgram(program);
  // Programs get it. Here every connection says how its server is verified, and Node would warn on the terminal.
  const env = { ...process.env };
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  const io: Io = {
    // Node opens stdin on first access, and few commands need it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env,
    argv: argv.slice(2),
    isOutputLost: watchOutput(process),
  };
  const line = isCompletion ? ['__complete', '--', ...io.argv] : commonOptionsLast(io.argv);
  try {
    await (await buildProgram(io, program, line)).parseAsync(line, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Of help and --version.
    process.exitCode = error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
    if (process.exitCode === ExitCode.usage && asksForJson(argv)) {
      const whole = error.message.replace(/^error: /, '');
      const steps = equivalentIn(error.message, io);
      const message = steps === undefined ? whole : firstLine(whole);
      const shown = { code: 'usage', message, ...(steps && { steps }) };
      await writeDocument(io, { items: [], error: shown }, { format: 'json' });
    }
  }
}

/** Moves the options of all commands from before the command to behind it: as kubectl, this program accepts both. */
export function commonOptionsLast(argv: readonly string[]): string[] {
  let first = 0;
  while (
    /^(-o.*|--(kubeconfig|timeout|color|output)(=.*)?|-[qv]+|--quiet|--verbose)$/.test(
      argv[first] ?? '',
    )
  )
    first +=
      /^(-o|--[a-z]+)$/.test(argv[first] ?? '') && !/^--(quiet|verbose)$/.test(argv[first] ?? '')
        ? 2
        : 1;
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  return [...argv.slice(first, end), ...argv.slice(0, first), ...argv.slice(end)];
}

/** Whether a command line that commander cannot parse asks for JSON. */
function asksForJson(argv: readonly string[]) {
  return argv.some(
    (argument, index) =>
      /^(-o|--output=)json$/.test(argument) ||
      (/^(-o|--output)$/.test(argument) && argv[index + 1] === 'json'),
  );
}

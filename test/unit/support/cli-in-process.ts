import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { commonOptionsLast } from '../../../src/cli.ts';
import { ExitCode } from '../../../src/lib/core/errors.ts';
import { callProgram } from '../../../src/lib/core/next-step.ts';
import { buildProgram } from '../../../src/program.ts';
import { Cli, type CliOptions, type CliRun } from '../../e2e/support/harness.ts';
import { startAsPlugin } from '../../stellarctl.ts';
import { fakeIo } from './fake-io.ts';

const { version } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
);

/**
 * Runs command lines in this process, in a pipe: for many that end before they reach a cluster, a process each would take most of the
 * time. The document that scripts get when commander cannot parse a line is printed by cli.ts, and is not part of it.
 */
export class CliInProcess extends Cli {
  override async run(arguments_: readonly string[], options: CliOptions = {}): Promise<CliRun> {
    Object.assign(globalThis, { STELLARCTL_VERSION: version });
    const program = options.start === startAsPlugin ? 'kubectl stellar' : 'stellarctl';
    callProgram(program);
    const { io, stdout, stderr } = fakeIo({ env: this.environment(options), argv: arguments_ });
    const line = commonOptionsLast(arguments_);
    try {
      await (await buildProgram(io, program, line)).parseAsync(line, { from: 'user' });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      process.exitCode = error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
    }
    const exitCode = Number(process.exitCode ?? 0);
    process.exitCode = undefined;
    const printed = { stdout: stdout.text, stderr: stderr.text };
    return { exitCode, signal: undefined, ...printed, json: () => JSON.parse(stdout.text) };
  }
}

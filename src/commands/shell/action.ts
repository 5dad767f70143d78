import type { Command } from 'commander';
import { StellarError } from '../../lib/engine/errors.ts';
import type { Io } from '../../lib/terminal/io.ts';
import type { CommonOptions } from './options.ts';
import type { Session } from './session.ts';

type Work<Options> = (session: Session, options: Options, positional: string[], command: Command) => Promise<void>;

/**
 * Makes a commander action of a command's work. Loads everything that help does not need only here. Sets the exit code in
 * process.exitCode, so that the streams are flushed before the process ends.
 */
export function action<Options extends CommonOptions>(io: Io, work: Work<Options>) {
  return async (...commanderArguments: unknown[]): Promise<void> => {
    const command = commanderArguments.at(-1) as Command;
    const options = command.optsWithGlobals<Options>();
    const { runInSession } = await import('./session.ts');
    process.exitCode = await runInSession(io, options, (session) => {
      refuseEmpty(command.args);
      return work(session, options, command.args, command);
    });
  };
}

/** An unset variable of a script names nothing. @throws StellarError `usage` */
function refuseEmpty(given: readonly string[]): void {
  if (given.includes('')) throw new StellarError('usage', 'An argument is empty.');
}

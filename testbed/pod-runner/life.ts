import { rmSync } from 'node:fs';

/** Prints a line with the time. */
export function log(line: string): void {
  console.log(`${new Date().toISOString()} ${line}`);
}

/**
 * Ends this process when the IPC channel to the bed's owner closes, however the owner ended, and removes the bed's folder, because a
 * killed owner cannot. Errors that nobody handles are logged: a bug in one stand-in must not stop the others.
 * @param release what else must end before
 */
export function liveWithOwner(dir: string, release: () => Promise<void>): void {
  process.on('disconnect', async () => {
    try {
      await release();
      // The owner's servers may still run, and write until they exit.
      rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
    } finally {
      process.exit(0);
    }
  });
  process.on('uncaughtException', (error) => log(error.stack ?? error.message));
}

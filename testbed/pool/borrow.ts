import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { type LentServers, Servers } from '../plane/servers.ts';

/** The environment variable with the pool's socket. Processes without it start servers of their own. */
export const poolVariable = 'BED_POOL';

/** What a borrower says when nothing of it uses the servers any longer; without it, they are not lent again. */
export const returned = 'returned';

/** Servers of the pool, until this process ends; undefined if there is no pool. @throws Error if the pool cannot start any */
export async function borrowServers(binary: string): Promise<Servers | undefined> {
  const path = process.env[poolVariable];
  if (path === undefined) return undefined;
  const socket = connect(path);
  const [line] = (await once(createInterface(socket), 'line')) as [string];
  const answer = JSON.parse(line) as LentServers | { error: string };
  if ('error' in answer) throw new Error(answer.error);
  // The loan must not keep a process running.
  socket.unref();
  return Servers.adopt(answer, binary, () => socket.write(`${returned}\n`));
}

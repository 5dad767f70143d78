import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';

/** Who has a port. */
export interface Listener {
  /** Name and id of the process; undefined where the user may not see it. */
  process: string | undefined;
}

/** @returns undefined where a port is free */
export async function whoListens(port: number): Promise<Listener | undefined> {
  if (await isFree(port)) return undefined;
  return { process: await processAt(port).catch(() => undefined) };
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server, 'listening').then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'EADDRINUSE',
  );
  server.listen(port);
  const free = await listening;
  server.close();
  return free;
}

/** Linux tells which socket listens at a port, and each process which sockets it has open (proc(5)). */
async function processAt(port: number): Promise<string | undefined> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((table) => readFile(`/proc/net/${table}`, 'utf8').catch(() => '')),
  );
  const sockets = new Set(tables.flatMap((table) => listeningSockets(table, port)));
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const id of ids) {
    const files = await readdir(`/proc/${id}/fd`).catch(() => []);
    const links = await Promise.all(files.map((file) => readlink(`/proc/${id}/fd/${file}`).catch(() => '')));
    if (!links.some((link) => sockets.has(link))) continue;
    return `${await nameOf(id)} (process ${id})`;
  }
  return undefined;
}

/** The command that was started; `comm` is what its main thread calls itself. */
async function nameOf(id: string): Promise<string> {
  const [command = ''] = (await readFile(`/proc/${id}/cmdline`, 'utf8')).split('\0');
  return path.basename(command) || (await readFile(`/proc/${id}/comm`, 'utf8')).trim();
}

/** Lines of such a table begin `sl: local_address:PORT rem_address st`, numbers in hexadecimal; 0A is LISTEN; the tenth is the inode. */
function listeningSockets(table: string, port: number): string[] {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = table.split('\n').map((line) => line.trim().split(/\s+/));
  return lines
    .filter(([, address, , state]) => address?.endsWith(ending) && state === '0A')
    .map((fields) => `socket:[${fields[9]}]`);
}

import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { type Check, type Outcome, pass, skipped, warn } from '../engine/checks.ts';
import { outline, run } from '../engine/next-step.ts';

/** The port of this machine where a local hosting cluster serves its control planes (KubeFlex's default). */
const localPort = 9443;

/** The use of this machine. */
export interface MachineUse {
  /** Whether the hosting cluster already exists. */
  isHosting: () => Promise<boolean>;
  /** Whether containers run here. */
  usesDocker: () => Promise<boolean>;
}

/** The requirements of local clusters on the machine itself. */
export const machineChecks: readonly Check<MachineUse>[] = [
  {
    ...{ id: 'port', title: `port ${localPort} is free for a local hosting cluster` },
    run: async ({ isHosting }) => ((await isHosting()) ? skipped('the hosting cluster already exists') : judgePort()),
  },
  {
    ...{ id: 'inotify', title: 'the kernel lets containers watch enough files' },
    run: async ({ usesDocker }) => ((await usesDocker()) ? judgeInotify() : skipped('no containers run here')),
  },
];

async function judgePort(): Promise<Outcome> {
  const listener = await findListener(localPort);
  if (listener === undefined) return pass();
  const who = listener.process === undefined ? 'by a process that you may not inspect' : `by ${listener.process}`;
  return warn(
    'port-in-use',
    `it is in use ${who}; init --provider cannot give it to a new cluster`,
    outline('stellarctl init --provider kind --external-port PORT', 'Stop that process, or use another port'),
  );
}

/**
 * The limits that clusters with several nodes exhaust (kind's known issue "too many open files"; KubeStellar's check_pre_req.sh).
 */
const wanted = { max_user_watches: 524_288, max_user_instances: 512 };

/** @param read the text of a file */
export async function judgeInotify(read = (file: string) => readFile(file, 'utf8')): Promise<Outcome> {
  const limits = await Promise.all(
    Object.entries(wanted).map(async ([name, least]) => ({
      name: `fs.inotify.${name}`,
      least,
      present: Number(await read(`/proc/sys/fs/inotify/${name}`).catch(() => Number.NaN)),
    })),
  );
  if (limits.some(({ present }) => Number.isNaN(present)))
    return skipped('this system has no such limits, or hides them');
  const low = limits.filter(({ present, least }) => present < least);
  if (low.length === 0) return pass();
  return warn(
    'inotify-limits-low',
    `${low.map(({ name, present, least }) => `${name} is ${present}, and should be ${least}`).join('; ')}; needed by kind and k3d`,
    run(`sudo sysctl ${low.map(({ name, least }) => `${name}=${least}`).join(' ')}`),
  );
}

/** The process that listens at a port. */
export interface Listener {
  /** Name and id of the process; undefined if the user may not see it. */
  process: string | undefined;
}

/** @returns undefined if a port is free */
export async function findListener(port: number): Promise<Listener | undefined> {
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

/** Linux shows which socket listens at a port, and which sockets each process has open (proc(5)). */
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

/** The command that was started; `comm` is the name of its main thread. */
async function nameOf(id: string): Promise<string> {
  const [command = ''] = (await readFile(`/proc/${id}/cmdline`, 'utf8')).split('\0');
  return path.basename(command) || (await readFile(`/proc/${id}/comm`, 'utf8')).trim();
}

/**
 * Lines of such a table start with `sl: local_address:PORT rem_address st`, numbers in hexadecimal; 0A is LISTEN; the tenth field
 * is the inode.
 */
function listeningSockets(table: string, port: number): string[] {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = table.split('\n').map((line) => line.trim().split(/\s+/));
  return lines
    .filter(([, address, , state]) => address?.endsWith(ending) && state === '0A')
    .map((fields) => `socket:[${fields[9]}]`);
}

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder that stores a user's bed between commands. */
export const stateDir = join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'stellarctl-bed');
const pidFile = join(stateDir, 'bed.json');

/** The contents of the pid file: the process that supervises the bed, and its socket. */
export interface Supervisor {
  pid: number;
  socket: string;
}

export async function readState(): Promise<Supervisor | undefined> {
  const text = await readFile(pidFile, 'utf8').catch(() => undefined);
  return text ? (JSON.parse(text) as Supervisor) : undefined;
}

export async function writeState(supervisor: Supervisor): Promise<void> {
  await mkdir(stateDir, { recursive: true });
  await writeFile(pidFile, JSON.stringify(supervisor));
}

export async function clearState(): Promise<void> {
  await rm(pidFile, { force: true });
}

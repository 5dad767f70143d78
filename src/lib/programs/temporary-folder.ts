import { readlinkSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { isAlive, type SendSignal } from './process-group.ts';

/** Machines and containers that share a folder for temporary files do not know each other's processes. */
const machine = `${hostname()}-${processNamespace()}`.replace(/[^A-Za-z0-9]/g, '-');

/** Linux: containers that share the name of the machine have others. */
function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return '';
  }
}

/**
 * Makes a folder that the user alone can read, for what programs are to read and write. Whoever makes it removes it; what processes
 * that were killed have left, which may be credentials, is removed here.
 * @param purpose part of its name
 */
export async function makeTemporaryFolder(purpose: 'helm' | 'local', sendSignal: SendSignal): Promise<string> {
  await removeAbandoned(sendSignal);
  return mkdtemp(path.join(tmpdir(), `stellarctl-${purpose}-${machine}-${process.pid}-`));
}

async function removeAbandoned(sendSignal: SendSignal): Promise<void> {
  const form = new RegExp(`^stellarctl-(?:helm|local)-${machine}-(\\d+)-\\w+$`);
  const entries = await readdir(tmpdir()).catch(() => []);
  for (const entry of entries) {
    const pid = form.exec(entry)?.[1];
    if (pid === undefined || isAlive(Number(pid), sendSignal)) continue;
    const folder = path.join(tmpdir(), entry);
    try {
      const { uid } = await lstat(folder);
      if (uid === process.getuid?.()) await rm(folder, { recursive: true, force: true });
    } catch {
      // Another run has been faster, or it is not ours to remove: no reason not to go on.
    }
  }
}

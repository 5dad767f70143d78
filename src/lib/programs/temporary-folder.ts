import { readlinkSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { isAlive, type SendSignal } from './process-group.ts';

/** Identifies the machine and process namespace: those that share a temporary folder do not see each other's processes. */
export const machine = `${hostname()}-${processNamespace()}`.replace(/[^A-Za-z0-9]/g, '-');

/** On Linux, distinguishes containers that share the hostname of the machine. */
function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return '';
  }
}

/**
 * Creates a folder that only the user can read, for the files of programs. The caller removes it. Folders that killed processes
 * left, which may contain credentials, are removed here.
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
      // Another run has removed it, or we may not remove it; both are harmless.
    }
  }
}

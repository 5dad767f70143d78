import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../plane/machine.ts';

/** What the bed of containers keeps: root file systems, the data of its Docker and of its registry; about 15 GB. */
export const engineFolder = (): string =>
  (process.env.STELLARCTL_ENGINE ?? '').replace(/^~(?=\/)/, homedir()) ||
  join(cacheFolder(), 'engine');

/** A short name of contents: the same for the same ones. */
export const hashOf = (...contents: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(contents)).digest('hex').slice(0, 12);

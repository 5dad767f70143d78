import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder of files that the bed creates once per machine. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'stellarctl-bed');
}

import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where tests run in a clean environment (scripts/test-environment.ts), this has, as JSON, what the bed needs of the user's own: the
 * places of caches, and how this machine downloads.
 */
export const machineVariable = 'BED_MACHINE';

const needed = /^(?:HOME|PATH|TMPDIR|NETRC|XDG_\w+|GO\w*|CGO_\w+|GIT_\w+|SSL_CERT_\w+|\w+_PROXY)$/i;

/** The environment of programs that build and download: go, apt. */
export function machineEnvironment(): NodeJS.ProcessEnv {
  const given = process.env[machineVariable];
  if (given) return JSON.parse(given) as NodeJS.ProcessEnv;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => needed.test(name)));
}

/** The folder of files that the bed creates once per machine. */
export function cacheFolder(): string {
  const { XDG_CACHE_HOME, HOME } = machineEnvironment();
  return join(XDG_CACHE_HOME || join(HOME || homedir(), '.cache'), 'stellarctl-bed');
}

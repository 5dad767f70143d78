/** Where tests begin: they get an environment of their own, and nothing of the user who starts them. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { machineEnvironment, machineVariable } from '../testbed/plane/machine.ts';

/** The only variables of the user that tests get: where programs and temporary files are, and the switches of the tests. */
const passed =
  /^(?:PATH|TMPDIR|TERM|USER|LOGNAME|SHELL|NODE_V8_COVERAGE|UPDATE_GOLDEN|STELLARCTL_EXECUTABLE|MANY|FAULTS|TEST_\w+)$/;

/**
 * Cleans the environment of this process and of all that it starts: no settings, kubeconfigs, locale, time zone, proxies or umask of
 * the user, and an empty home folder that goes with this process. Only the bed gets at the user's caches and proxies, for what it
 * builds and downloads.
 */
export function cleanEnvironment(): void {
  const machine = JSON.stringify(machineEnvironment());
  for (const name of Object.keys(process.env)) if (!passed.test(name)) delete process.env[name];
  const home = mkdtempSync(path.join(tmpdir(), 'stellarctl-home-'));
  process.once('exit', () => rmSync(home, { recursive: true, force: true, maxRetries: 3 }));
  Object.assign(process.env, {
    HOME: home,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    [machineVariable]: machine,
  });
  process.umask(0o022);
}

/**
 * The same for a test file that nobody has given such an environment: one that an editor has started, by `node --test FILE`.
 * @returns whether that is so
 */
export function cleanUnlessGiven(): boolean {
  if (process.env[machineVariable] !== undefined) return false;
  // By this, the runner of Node knows the processes that it has started.
  const { NODE_TEST_CONTEXT } = process.env;
  cleanEnvironment();
  if (NODE_TEST_CONTEXT !== undefined) process.env.NODE_TEST_CONTEXT = NODE_TEST_CONTEXT;
  return true;
}

/** What shell scripts of unit tests use, of the programs that each POSIX system has; `env` is called by its full name. */
const ofPosix = [
  ...['awk', 'basename', 'bash', 'cat', 'dirname', 'gzip', 'mkfifo', 'mv'],
  ...['sed', 'sh', 'sleep', 'tar', 'tr', 'wc'],
];

/** After `cleanEnvironment`, a PATH with nothing but this Node and what each POSIX system has: no other program can be called. */
export function pathWithoutPrograms(): string | undefined {
  if (process.platform === 'win32') return process.env.PATH;
  const searched = [...(process.env.PATH ?? '').split(path.delimiter), '/bin', '/usr/bin'];
  const folder = path.join(process.env.HOME as string, 'bin');
  mkdirSync(folder);
  symlinkSync(process.execPath, path.join(folder, 'node'));
  for (const name of ofPosix) {
    const found = searched.find((each) => existsSync(path.join(each, name)));
    if (found !== undefined) symlinkSync(path.join(found, name), path.join(folder, name));
  }
  return folder;
}

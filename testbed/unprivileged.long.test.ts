import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { shareCache } from './helpers/share-cache.ts';
import { buildPrograms } from './programs/build.ts';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const nobody = '65534';

/** Starts a hub of real programs, and says what its user may do. */
const story = `
const { startBed } = await import(${JSON.stringify(join(import.meta.dirname, 'index.ts'))});
const bed = await startBed({ planes: [{ name: 'its1', hub: true }] });
const { readFileSync } = await import('node:fs');
console.log(readFileSync('/proc/self/status', 'utf8').match(/^Cap(?:Eff|Bnd):.*$/gm).join(' '));
console.log(readFileSync('/proc/net/route', 'utf8').split('\\n').length);
await bed.stop();
process.exit();`;

let home: string;

before(async () => {
  await buildPrograms(console.error);
  home = await mkdtemp(join(tmpdir(), 'stellarctl-unprivileged-'));
  shareCache(join(home, 'cache', 'stellarctl-bed'));
  await chmod(home, 0o777);
});

after(() => rm(home, { recursive: true, force: true }));

test('a whole bed runs for an ordinary user without capabilities, without a default route', async () => {
  const drop = ['setpriv', '--reuid', nobody, '--regid', nobody, '--clear-groups'];
  const none = ['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'];
  const node = [process.execPath, '--input-type=module', '--eval', story];
  const words = isRoot
    ? ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...drop, ...none, ...node]
    : node;
  const env = { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: join(home, 'cache') };
  const { stdout } = await run(words[0] ?? '', words.slice(1), { env, cwd: home, timeout: 120_000 });
  if (isRoot) assert.match(stdout, /^CapEff:\s*0+ CapBnd:\s*0+\n2\n$/);
});

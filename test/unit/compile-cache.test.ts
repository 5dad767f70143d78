import './support/environment.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { modeOf, newPath, temporaryFolder } from './support/folder.ts';

/** In /tmp, which is world-writable: below TMPDIR of a CI there may be a folder that others may write to. */
const folder = temporaryFolder();

const boot = path.resolve(import.meta.dirname, '..', '..', 'bin', 'compile-cache.cjs');

/** The compile cache folder of Node after the boot file has set it; empty if there is none. @param first what runs before it */
function cacheOf(home: string, env: NodeJS.ProcessEnv = {}, first = '') {
  const script = `${first}require(${JSON.stringify(boot)})(); process.stdout.write(require('module').getCompileCacheDir() ?? '')`;
  return execFileSync(process.execPath, ['-e', script], {
    env: { HOME: home, TMPDIR: folder, ...env },
    encoding: 'utf8',
  });
}

function newHome() {
  const home = newPath();
  mkdirSync(home, { mode: 0o755, recursive: true });
  return home;
}
const placeIn = (home: string) => path.join(home, '.cache', 'stellarctl', 'compiled');

describe('the compile cache of Node is kept', () => {
  test("in the user's own folder, which others can neither read nor write", () => {
    const home = newHome();
    assert.ok(cacheOf(home).startsWith(placeIn(home)));
    assert.equal(modeOf(placeIn(home)), '700');
    assert.ok(!existsSync(path.join(folder, 'node-compile-cache')));
    assert.ok(cacheOf(home).startsWith(placeIn(home)), 'also the second time');
  });
  test('in XDG_CACHE_HOME, unless it is relative', () => {
    const home = newHome();
    const elsewhere = path.join(home, 'elsewhere');
    assert.ok(
      cacheOf(home, { XDG_CACHE_HOME: elsewhere }).startsWith(path.join(elsewhere, 'stellarctl')),
    );
    assert.ok(cacheOf(home, { XDG_CACHE_HOME: 'relative' }).startsWith(placeIn(home)));
  });
  test("in the user's NODE_COMPILE_CACHE", () => {
    const home = newHome();
    const own = path.join(home, 'own');
    assert.ok(cacheOf(home, { NODE_COMPILE_CACHE: own }).startsWith(own));
    assert.ok(!existsSync(placeIn(home)));
  });
});

describe('the compile cache of Node is not kept', () => {
  test('if its folder is a link', () => {
    const home = newHome();
    mkdirSync(path.dirname(placeIn(home)), { recursive: true });
    mkdirSync(path.join(home, 'planted'));
    symlinkSync(path.join(home, 'planted'), placeIn(home));
    assert.equal(cacheOf(home), '');
  });
  for (const [who, mode] of [
    ['everybody', 0o777],
    ['a group', 0o770],
  ] as const) {
    test(`if ${who} may write to its folder`, () => {
      const home = newHome();
      mkdirSync(placeIn(home), { recursive: true });
      chmodSync(placeIn(home), mode);
      assert.equal(cacheOf(home), '');
    });
    test(`if ${who} may replace its folder`, () => {
      const home = newHome();
      mkdirSync(path.join(home, '.cache'));
      chmodSync(path.join(home, '.cache'), mode);
      assert.equal(cacheOf(home), '');
      assert.ok(!existsSync(path.join(home, '.cache', 'stellarctl')));
    });
  }
  test('if there is no folder for it', () => assert.equal(cacheOf('/proc/nothing'), ''));
  test('in a folder that another user has created', () => {
    const home = newHome();
    mkdirSync(placeIn(home), { recursive: true });
    assert.equal(cacheOfRoot(home, placeIn(home)), '');
  });
  test("in another user's home, as with sudo", () => {
    const home = newHome();
    assert.equal(cacheOfRoot(home, home), '');
    assert.ok(!existsSync(path.join(home, '.cache')));
  });
});

/** The same for root, where a folder belongs to another user: root gives it away, and who is not root is taken for root. */
function cacheOfRoot(home: string, folder: string) {
  if (process.getuid?.() !== 0) return cacheOf(home, {}, 'process.getuid = () => 0; ');
  chownSync(folder, 65534, 65534);
  return cacheOf(home);
}

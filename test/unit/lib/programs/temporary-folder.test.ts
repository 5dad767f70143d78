import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeTemporaryFolder } from '../../../../src/lib/programs/temporary-folder.ts';

const tmpdirBefore = process.env.TMPDIR;
const root = mkdtempSync(path.join(tmpdir(), 'stellarctl-unit-'));
before(() => {
  process.env.TMPDIR = root;
});
after(() => {
  if (tmpdirBefore === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = tmpdirBefore;
  rmSync(root, { recursive: true });
});

test("a folder is its owner's alone; those of processes that were killed are removed, and nothing else", async () => {
  const own = await makeTemporaryFolder('helm', process.kill);
  assert.equal(statSync(own).mode & 0o777, 0o700);
  const { pid: dead } = spawnSync('true');
  const named = (purpose: string, pid: number | undefined, rest = 'abcDEF') =>
    own.replace(/helm-(.*)-\d+-\w+$/, `${purpose}-$1-${pid}-${rest}`);
  const put = (folder: string) => {
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'kubeconfig'), 'secret');
    return folder;
  };
  const abandoned = [put(named('helm', dead)), put(named('local', dead))];
  const kept = [
    own,
    put(named('local', process.pid)),
    put(named('local', process.ppid)),
    put(named('unit', dead)),
    put(path.join(root, `stellarctl-local-another-machine-${dead}-abcDEF`)),
    put(path.join(root, 'stellarctl-local-abcDEF')),
  ];
  const elsewhere = put(path.join(root, 'elsewhere'));
  symlinkSync(elsewhere, named('helm', dead, 'link12'));
  const next = await makeTemporaryFolder('local', process.kill);
  assert.deepEqual(abandoned.filter(existsSync), []);
  assert.deepEqual(
    [...kept, path.join(elsewhere, 'kubeconfig'), next].filter((folder) => !existsSync(folder)),
    [],
  );
});

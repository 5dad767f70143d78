import assert from 'node:assert';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { isTested, writeTested } from '../../scripts/tested.ts';

test('the bed is tested until one of its files changes', (t) => {
  const root = mkdtempSync(path.join(tmpdir(), 'tested-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(path.join(root, 'testbed', 'ocm-1.2'), { recursive: true });
  writeFileSync(path.join(root, 'testbed', 'ocm-1.2', 'go.mod'), 'module a');
  assert.strictEqual(isTested(root), false);
  writeTested(root);
  assert.strictEqual(isTested(root), true);
  writeFileSync(path.join(root, 'testbed', 'README.md'), 'A document');
  assert.strictEqual(isTested(root), true);
  writeFileSync(path.join(root, 'testbed', 'ocm-1.2', 'go.mod'), 'module b');
  assert.strictEqual(isTested(root), false);
});

import './support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesOf, read } from './support/sources.ts';

test('each row of regressions.txt names a test that is there', () => {
  const rows = read('test/regressions.txt').trimEnd().split('\n');
  const tests = new Set(filesOf('test/**/*.test.ts'));
  const missing = rows.filter((row) => {
    const [, file = '', name = '', ...more] = row.split('\t');
    return more.length > 0 || !tests.has(file) || !read(file).includes(name);
  });
  assert.ok(rows.length > 20);
  assert.deepEqual(missing, []);
});

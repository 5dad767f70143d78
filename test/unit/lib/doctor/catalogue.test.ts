import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue } from '../../../../src/lib/doctor/catalogue.ts';
import { filesWith, read } from '../../support/sources.ts';

const ids = catalogue.map(({ id }) => id);

test('every check in the source is in the catalogue', () => {
  const checks = filesWith(/import .*\bCheck(Info)?\b.* from '.*core\/checks\.ts'/);
  const written = checks.flatMap((file) => [
    ...read(file).matchAll(/\bid: (['`])([^'`]+)\1|\brow\('([^']+)'/g),
  ]);
  assert.ok(written.length > 20, 'this test sees hardly any check');
  const known = (id: string) => {
    const pattern = new RegExp(`^${id.replace(/\$\{[^}]+\}/g, '[a-z0-9]+')}$`);
    return ids.some((other) => pattern.test(other));
  };
  const missing = written.map(([, , id, row]) => id ?? `wec-${row}`).filter((id) => !known(id));
  assert.deepEqual(missing, []);
});

test('no check is listed twice', () => assert.equal(new Set(ids).size, ids.length));

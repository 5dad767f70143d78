import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelChanges } from '../../../../../src/lib/wecs/values/label-changes.ts';
import { MemoryCluster } from '../../../support/space-builders.ts';

test('WECs that get labels change, and those that are accepted, also without any', async () => {
  const { kube } = new MemoryCluster([]);
  const cluster = { metadata: { name: 'c1', labels: { env: 'prod' } } };
  const namesOf = async (...wecs: Parameters<typeof labelChanges>[1]) =>
    (await labelChanges(kube, wecs)).map(({ name, before, after }) => [name, before, after]);
  assert.deepEqual(await namesOf({ name: 'c1', cluster, labels: { env: 'prod' } }), []);
  assert.deepEqual(await namesOf({ name: 'c1', cluster, labels: { env: 'test' } }), [
    ['c1', { env: 'prod' }, { env: 'test' }],
  ]);
  const unknown = { name: 'c2', cluster: undefined, labels: {} };
  assert.deepEqual(await namesOf(unknown), []);
  assert.deepEqual(await namesOf({ ...unknown, isNew: true }), [['c2', null, {}]]);
});

import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '../../../../src/lib/kube/client/objects.ts';
import { deletePresent } from '../../../../src/lib/kube/writes.ts';
import { fakeKube } from '../../support/builders.ts';

test('objects deleted by name are read first, and deleted by UID; missing ones are skipped', async () => {
  const deleted: unknown[] = [];
  const kube = fakeKube({
    get: async (_, name) =>
      name === 'here' ? ({ metadata: { name, uid: 'u1' } } as never) : undefined,
    delete: async ({ kind }, { metadata }) => deleted.push([kind, metadata.name, metadata.uid]) > 0,
  });
  assert.equal(await deletePresent(kube, resources.secrets, 'here', 'ns'), true);
  assert.equal(await deletePresent(kube, resources.secrets, 'gone', 'ns'), false);
  assert.deepEqual(deleted, [['Secret', 'here', 'u1']]);
});

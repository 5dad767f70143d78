import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeObject } from '../../../../src/lib/fleet/apply.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import { type KubeObject, resources } from '../../../../src/lib/kube/client/objects.ts';
import { MemoryCluster } from '../../support/space-builders.ts';

const wanted = {
  metadata: { name: 'c1', namespace: 'customization-properties' },
  data: { maxPods: '100' },
};

/** Writes the properties of a WEC that was seen to have none. @param isTaken another program has created them since */
async function written(isTaken: boolean) {
  const { kube } = new MemoryCluster([]);
  const writes: unknown[] = [];
  Object.assign(kube, {
    create: async (_: unknown, { metadata, ...rest }: KubeObject & { data?: object }) => {
      if (isTaken) throw apiError(kube.cluster, 409, '{"message":"exists"}');
      writes.push(['create', 'data' in rest]);
      return { metadata: { ...metadata, uid: 'u', resourceVersion: '7' } };
    },
    applyAs: async (manager: string, { metadata }: KubeObject) =>
      writes.push([manager, metadata.uid, metadata.resourceVersion]),
  });
  const writing = writeObject(kube, 'prod', undefined, {
    resource: resources.configMaps,
    removed: {},
    wanted,
  });
  return [
    await writing.then(
      () => 'written',
      ({ code }) => code,
    ),
    writes,
  ];
}

test('properties that were not there are created without values, and then applied to that very object', async () => {
  assert.deepEqual(await written(false), [
    'written',
    [
      ['create', false],
      ['stellarctl-fleet-prod', 'u', '7'],
    ],
  ]);
});

test('properties that another program has created meanwhile are not overwritten', async () => {
  assert.deepEqual(await written(true), ['conflict', []]);
});

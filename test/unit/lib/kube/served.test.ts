import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StellarError } from '../../../../src/lib/core/errors.ts';
import { type KubeObject, resources } from '../../../../src/lib/kube/client/objects.ts';
import { listServed, prove } from '../../../../src/lib/kube/served.ts';
import { proving } from '../../../../src/lib/kube/writes.ts';
import { fakeKube } from '../../support/builders.ts';

const work: KubeObject = { metadata: { name: 'w1', namespace: 'cluster1' } };
const kubeWith = (listed: KubeObject[] | undefined, found: (KubeObject | undefined)[] = []) =>
  fakeKube({ list: async () => listed, get: async () => found.shift() });
const unknown = (error: StellarError) =>
  error.code === 'api-error' &&
  /^its1 \(https:\S+\) does not serve manifestworks\.work\.open-cluster-management\.io: it is unknown which objects of it exist\.$/.test(
    error.message,
  );

describe('a kind that a cluster must serve', () => {
  test('is listed, and may have no objects', async () => {
    assert.deepEqual(await listServed(kubeWith([work]), resources.manifestWorks), [work]);
    assert.deepEqual(await listServed(kubeWith([]), resources.manifestWorks), []);
  });
  test('that is not found has not been read: an error, not an empty list', () =>
    assert.rejects(listServed(kubeWith(undefined), resources.manifestWorks), unknown));
});

describe('an object', () => {
  const read = async (listed: KubeObject[] | undefined, ...found: (KubeObject | undefined)[]) =>
    (await prove(kubeWith(listed, found), resources.manifestWorks, 'w1')).object;
  test('is missing only if a list shows that', async () => {
    assert.equal(await read(undefined, work), work);
    assert.equal(await read([]), undefined);
    await assert.rejects(read(undefined), unknown);
  });
  test('is seen in a list, whatever a read by its name says', async () =>
    assert.equal(await read([work], undefined), work));
  test('is missing for a client that proves it only then, or if its kind is not defined', async () => {
    const get = (listed: KubeObject[] | undefined, ...found: (KubeObject | undefined)[]) =>
      proving(kubeWith(listed, found)).get(resources.manifestWorks, 'w1');
    assert.equal(await get([work], undefined), work);
    assert.equal(await get([], undefined), undefined);
    assert.equal(await get(undefined, undefined, undefined), undefined);
    const definition = { metadata: { name: 'manifestworks.work.open-cluster-management.io' } };
    await assert.rejects(get(undefined, undefined, definition), unknown);
  });
});

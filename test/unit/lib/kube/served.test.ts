import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StellarError } from '../../../../src/lib/core/errors.ts';
import { type KubeObject, resources } from '../../../../src/lib/kube/client/objects.ts';
import { getServed, listServed } from '../../../../src/lib/kube/served.ts';
import { fakeKube } from '../../support/builders.ts';

const work: KubeObject = { metadata: { name: 'w1', namespace: 'cluster1' } };
const kubeWith = (listed: KubeObject[] | undefined, found: (KubeObject | undefined)[] = []) =>
  fakeKube({ list: async () => listed as never, get: async () => found.shift() as never });
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
  test('has no object of a name only if a list shows that', async () => {
    assert.equal(await getServed(kubeWith(undefined, [work]), resources.manifestWorks, 'w1'), work);
    assert.equal(await getServed(kubeWith([]), resources.manifestWorks, 'w1'), undefined);
    await assert.rejects(getServed(kubeWith(undefined), resources.manifestWorks, 'w1'), unknown);
  });
  test('has an object that a list has, whatever a read by its name says', async () =>
    assert.equal(
      await getServed(kubeWith([work], [undefined]), resources.manifestWorks, 'w1'),
      work,
    ));
});

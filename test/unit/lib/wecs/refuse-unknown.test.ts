import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { noForecast } from '../../../../src/lib/forecast/read-forecast.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { accept, type WaitGoal, waitFor } from '../../../../src/lib/wecs/accept.ts';
import { csr, fakeKube, managedCluster, run } from '../../support/builders.ts';
import { discoveryOf } from '../../support/discovery.ts';
import { hurry } from '../../support/fake-time.ts';
import { stepsOf } from '../../support/steps.ts';

/** An ITS that knows cluster1 and cluster2, and a request of a third one. */
async function its() {
  const request = await csr({ cluster: 'clustered' });
  const known = ['cluster1', 'cluster2'].map((name) => managedCluster({ name }));
  return fakeKube({
    read: discoveryOf(),
    list: async ({ kind }, { labelSelector = '' } = {}) => {
      if (kind === 'ManagedCluster') return known;
      return labelSelector.includes('cluster-name=') && !labelSelector.endsWith('=clustered')
        ? []
        : [request];
    },
    get: async ({ kind }, name) =>
      kind === 'ManagedCluster' ? known.find(({ metadata }) => metadata.name === name) : undefined,
  });
}
const cluster = (get: Kube['get']) => fakeKube({ get, list: async () => [] });
const unreadable = cluster(async () => {
  throw new StellarError('unreachable', 'Cannot reach it.');
});
const registering = cluster((async ({ kind }) =>
  kind === 'Klusterlet'
    ? { metadata: { name: 'klusterlet' }, spec: { clusterName: 'nope' } }
    : undefined) as Kube['get']);
const empty = cluster(async () => undefined);

const waited = async (name: string, goal: WaitGoal, kube?: Kube) =>
  (await waitFor(await its(), [{ name, kube }], goal, run(1000)))[0]?.error;
const accepted = async (name: string, wait: boolean | 'for-request', kube?: Kube) =>
  (await accept(await its(), { wecs: [{ name, kube }], wait, effects: noForecast }, run(1000)))[0]
    ?.error;

describe('a name that is nowhere', () => {
  test('ends a wait at once, with the nearest names', async () => {
    const error = await waited('clustre1', 'available');
    assert.equal(error?.code, 'not-found');
    assert.equal(
      error?.message,
      'There is no WEC clustre1 on its1; the nearest names are cluster1, clustered, cluster2.',
    );
    assert.equal(stepsOf(error), 'See what exists: stellarctl wec list --its its1');
  });
  test('ends an acceptance at once, with the nearest names, also those of requests', async () => {
    const error = await accepted('clusteret', true);
    assert.equal(error?.code, 'not-found');
    assert.equal(
      error?.message,
      'There is no WEC clusteret on its1; the nearest names are clustered, cluster1, cluster2.',
    );
  });
  test('is nowhere also if the cluster of its context registers under no name', async () => {
    assert.equal((await waited('nope', 'available', empty))?.code, 'not-found');
    assert.equal((await accepted('nope', true, empty))?.code, 'not-found');
  });
  test('is waited for if the cluster of its context registers, or cannot be read', async (t) => {
    hurry(t);
    for (const kube of [registering, unreadable]) {
      assert.equal((await waited('nope', 'accepted', kube))?.code, 'timeout');
      assert.equal((await accepted('nope', true, kube))?.code, 'timeout');
    }
  });
  test('is waited for if the user waits for it to appear', async (t) => {
    hurry(t);
    assert.equal((await waited('nope', 'request'))?.code, 'timeout');
    assert.equal((await accepted('nope', 'for-request'))?.code, 'timeout');
  });
  test('is deleted', async () => {
    assert.equal(await waited('nope', 'delete'), undefined);
  });
});

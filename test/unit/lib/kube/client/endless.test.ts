import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noForecast } from '../../../../../src/lib/forecast/read-forecast.ts';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { shownList } from '../../../../../src/lib/kube/client/missing.ts';
import { resources } from '../../../../../src/lib/kube/client/objects.ts';
import { patchCurrent } from '../../../../../src/lib/kube/writes.ts';
import type { ManagedCluster } from '../../../../../src/lib/ocm/model/ocm-objects.ts';
import { changeOne, labelStore } from '../../../../../src/lib/wecs/values/values.ts';
import { foreseenKube } from '../../../support/builders.ts';
import type { FakeServer } from '../../../support/fake-server.ts';
import { serving } from '../../../support/serving.ts';

const object = (version = 1) => ({
  kind: 'ManagedCluster',
  metadata: { name: 'c1', uid: 'u1', resourceVersion: String(version) },
});
test('a list may still be read shortly after the deadline, if it ends', async () => {
  const { kube } = await serving(
    (_, count) => ({
      body: { metadata: { continue: count < 3 ? 'more' : '' }, items: [object()] },
    }),
    { timeoutMs: 1 },
  );
  assert.equal(shownList(await kube.list(resources.managedClusters)).length, 3);
});

describe('a write that always conflicts', () => {
  const conflicting = ({ method }: { method: string }, count: number) =>
    method === 'PATCH' ? { status: 409, body: { reason: 'Conflict' } } : { body: object(count) };
  const label = { metadata: { name: 'c1', uid: 'u1' } } as ManagedCluster;
  const change = (kube: Kube) =>
    changeOne(labelStore(kube), { name: 'c1', source: label }, { a: 'b' }, false, noForecast);
  const patches = ({ requests }: FakeServer) =>
    requests.filter(({ method }) => method === 'PATCH').length;

  test('is tried ten times, ever more rarely', async () => {
    const { server, kube } = await serving(conflicting, { timeoutMs: 60_000 });
    const started = performance.now();
    await assert.rejects(change(kube), { code: 'conflict' });
    assert.equal(patches(server), 10);
    assert.ok(performance.now() - started > 3000);
  });
  test('ends at the deadline', async () => {
    const { server, kube } = await serving(conflicting, { timeoutMs: 1000 });
    const started = performance.now();
    await assert.rejects(
      patchCurrent(foreseenKube(kube), resources.managedClusters, object(), () => ({
        labels: { a: null },
      })),
      { code: 'timeout' },
    );
    assert.ok(performance.now() - started < 20_000);
    assert.ok(patches(server) < 10);
  });
  test('ends when the user interrupts', async () => {
    const { kube } = await serving(conflicting, {
      timeoutMs: 60_000,
      signal: AbortSignal.timeout(500),
    });
    await assert.rejects(change(kube), { code: 'interrupted' });
  });
  test('succeeds if another program has changed the object only once', async () => {
    const labelled = object();
    Object.assign(labelled.metadata, { labels: { a: 'b' } });
    const { kube } = await serving(
      ({ method }, count) => {
        if (method === 'PATCH') return count < 2 ? { status: 409 } : { body: labelled };
        return { body: object(count) };
      },
      { timeoutMs: 0 },
    );
    assert.equal((await change(kube)).changed, true);
  });
});

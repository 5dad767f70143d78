import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import type { ManifestWork } from '../../../../src/lib/ocm/model/manifest-works.ts';
import type { ManagedCluster } from '../../../../src/lib/ocm/model/ocm-objects.ts';
import { restoreAfterFailure } from '../../../../src/lib/wecs/deregister/deregister.ts';
import type { InspectedWec } from '../../../../src/lib/wecs/deregister/inspect-wec.ts';
import { fakeKube, joinedCluster, proof } from '../../support/builders.ts';

const saved = {
  'stellarctl.kubestellar.io/labels-before-deregistration':
    '{"labels":{"env":"edge"},"annotations":[]}',
};
const before: ManifestWork = { metadata: { name: 'w1', namespace: 'wec1', uid: 'u1' } };
const orphan: ManifestWork = { ...before, spec: { deleteOption: { propagationPolicy: 'Orphan' } } };

/** What is written after a deregistration failed, and the details of its error. */
async function undone(
  cluster: ManagedCluster | undefined,
): Promise<{ written: string[]; details: readonly string[] }> {
  const written: string[] = [];
  const hub: Kube = fakeKube({
    get: async ({ kind }) => (kind === 'ManagedCluster' ? cluster : orphan),
    merge: async ({ kind }, name) => written.push(`patch ${kind} ${name}`),
    fork: () => hub,
  });
  const wec = {
    name: 'wec1',
    hubState: { managedCluster: proof(joinedCluster({ name: 'wec1' })), works: [before] },
  } as unknown as InspectedWec;
  const error = await restoreAfterFailure(
    hub,
    wec,
    new StellarError('timeout', 'It was late.'),
    {},
  );
  assert.ok(error instanceof StellarError);
  return { written, details: error.details };
}

const clusterWith = (metadata: object): ManagedCluster => {
  const cluster = joinedCluster({ name: 'wec1' });
  return { ...cluster, metadata: { ...cluster.metadata, annotations: saved, ...metadata } };
};

describe('after a failed deregistration', () => {
  test('a WEC that stays gets back its labels, and its works their delete option', async () => {
    const { written, details } = await undone(clusterWith({}));
    assert.deepEqual(written, ['patch ManagedCluster wec1', 'patch ManifestWork w1']);
    assert.match(
      details.join(),
      /^Restored: label env=edge,Workloads whose removal had begun are sent again/,
    );
  });
  test('works of a WEC that is being deleted keep their workloads: the hub deletes them next', async () => {
    const deleting = clusterWith({ deletionTimestamp: '2026-11-20T08:00:00Z' });
    assert.deepEqual(await undone(deleting), { written: [], details: [] });
    assert.deepEqual(await undone(undefined), { written: [], details: [] });
  });
});

import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { examine } from '../../../../src/lib/doctor/doctor.ts';
import type { SelectedContext } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { fakeKube } from '../../support/builders.ts';

test('an ITS that does not exist is an error if nothing else is known', async () => {
  const whyNoIts = new StellarError('context-unknown', 'There is no context its9.');
  const input = { spaces: undefined, its: undefined, whyNoIts, isItsGiven: false, wecs: [] };
  await assert.rejects(examine(input), { code: 'context-unknown' });
});

const pending = (name: string) => ({ metadata: { name }, spec: {}, status: {} });

test('the WECs of a hub share one read of everything, and one test of its webhook', async () => {
  const asked: string[] = [];
  const kube = fakeKube({
    async list({ kind }, { namespace } = {}) {
      if (namespace === undefined) asked.push(`list ${kind}`);
      return kind === 'ManagedCluster' ? ['c1', 'c2', 'c3', 'c4'].map(pending) : [];
    },
    async get({ kind }, name) {
      if (kind === 'ManagedCluster' || kind === 'Lease') asked.push(`get ${kind}`);
      const status = { conditions: [{ type: 'Established', status: 'True' }] };
      return kind === 'CustomResourceDefinition' ? { metadata: { name }, status } : undefined;
    },
    read: async () => ({ resources: [{ name: 'managedclusters' }] }),
    async tryCreate() {
      asked.push('try');
    },
    mayI: async () => true,
    review: async () => ({ status: { allowed: true } }),
  });
  const context = {
    name: 'its1',
    server: kube.cluster.server,
    cluster: {},
    user: {},
  } as SelectedContext;
  const all = await examine({
    spaces: undefined,
    its: { kube, context },
    isItsGiven: false,
    wecs: [],
  });
  assert.deepEqual(
    all.map(({ subject }) => subject.name),
    ['its1', 'c1', 'c2', 'c3', 'c4'],
  );
  assert.deepEqual(asked.sort(), [
    'list CertificateSigningRequest',
    'list CertificateSigningRequest',
    'list Lease',
    'list ManagedCluster',
    'list ManagedClusterAddOn',
    'list ManifestWork',
    'list Namespace',
    // Once more for the mailboxes only, to try a work.
    'list Namespace',
    'try',
  ]);
});

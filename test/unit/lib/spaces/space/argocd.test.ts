import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { removeFromArgoCd } from '../../../../../src/lib/spaces/space/argocd.ts';
import { base64 } from '../../../support/builders.ts';
import { MemoryCluster } from '../../../support/space-builders.ts';

const access = { name: 'wds1-argocd-deployer', space: 'wds1', role: 'deployer' };
const secret = {
  kind: 'Secret',
  metadata: { name: access.name, uid: 'u' },
  data: { name: base64('wds1') },
};

test('what Argo CD has of an access is removed', async () => {
  const cluster = new MemoryCluster([secret]);
  await removeFromArgoCd(access, cluster.kube);
  assert.deepEqual(cluster.writes, [`delete Secret ${access.name}`]);
});

test('what Argo CD has is not taken for nothing where its Secrets cannot be listed', async () => {
  const missing = new MemoryCluster([], { list: async () => undefined });
  await assert.rejects(removeFromArgoCd(access, missing.kube), { code: 'api-error' });
  const forbidden = new MemoryCluster([secret]);
  forbidden.forbidden.add('secrets');
  await assert.rejects(removeFromArgoCd(access, forbidden.kube), { code: 'forbidden' });
  await removeFromArgoCd({ ...access, role: 'viewer' }, forbidden.kube);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../../../src/lib/kube/client/objects.ts';
import { requireOcmImages, rewriteImages } from '../../../../src/lib/spaces/space/space-images.ts';
import { evidence, inSpace, its, MemoryCluster } from '../../support/space-builders.ts';

test('an image of OCM that a registry lacks is an error, and one that it does not speak about is none', async (context) => {
  const asked: string[] = [];
  const answers = (status: (name: string) => number) =>
    context.mock.method(globalThis, 'fetch', async (url: string, { method }: RequestInit) => {
      asked.push(`${method} ${url}`);
      return { status: status(url) };
    });
  answers((url) => (url.includes('/placement/') ? 404 : 200));
  await assert.rejects(
    requireOcmImages('registry.example:5000/mirror', '1.0.1'),
    (error: Error & { next: unknown }) => {
      assert.match(
        error.message,
        /does not have registry\.example:5000\/mirror\/open-cluster-management\/placement:v1\.0\.1/,
      );
      assert.match(JSON.stringify(error.next), /--ocm-version chart/);
      return true;
    },
  );
  const first =
    'https://registry.example:5000/v2/mirror/open-cluster-management/registration-operator/manifests/v1.0.1';
  assert.equal(asked[0], `HEAD ${first}`);
  assert.equal(asked.length, 5);
  answers(() => 401);
  await requireOcmImages('registry.example', '1.0.1');
  context.mock.method(globalThis, 'fetch', () => Promise.reject(new Error('ENOTFOUND')));
  await requireOcmImages('registry.example', '1.0.1');
});

test('a pod of a StatefulSet that cannot be pulled is deleted, and others take the image of the registry', async () => {
  const image = 'ghcr.io/loft-sh/vcluster:0.16.4';
  const corrected = 'registry.example/loft-sh/vcluster:0.16.4';
  const pod = (name: string, owner: string, of: string, state = {}): Pod =>
    inSpace('Pod', 'its1', {
      metadata: {
        name,
        uid: `uid-of-${name}`,
        ownerReferences: [{ apiVersion: 'v1', kind: owner, name: owner }],
      },
      spec: { containers: [{ name: 'c', image: of }] },
      status: { containerStatuses: [{ name: 'c', state }] },
    });
  const waiting = { waiting: { reason: 'ImagePullBackOff' } };
  const pods = [
    pod('vcluster-0', 'StatefulSet', image, waiting),
    pod('vcluster-1', 'StatefulSet', image, { running: {} }),
    pod('vcluster-2', 'StatefulSet', corrected, waiting),
    pod('job-a', 'Job', image, waiting),
    pod('coredns-x-its1', 'Service', image, waiting),
  ];
  const cluster = new MemoryCluster(pods);
  const seen = evidence(its('its1', { type: 'vcluster' }), { pods });
  await rewriteImages('registry.example', seen, cluster.kube, undefined);
  assert.deepEqual(cluster.writes, ['merge Pod job-a', 'delete Pod vcluster-0']);
  assert.equal(cluster.bodies.at(-1), 'uid-of-vcluster-0');
});

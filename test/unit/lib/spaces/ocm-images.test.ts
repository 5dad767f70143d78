import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Deployment, Pod } from '../../../../src/lib/kube/client/objects.ts';
import {
  correctUnstarted,
  imagesApart,
  requireOcmImages,
} from '../../../../src/lib/spaces/space/space-images.ts';
import {
  deployment,
  evidence,
  inSpace,
  its,
  MemoryCluster,
  wds,
} from '../../support/space-builders.ts';

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

const elsewhere = 'ghcr.io/loft-sh/vcluster:0.16.4';
const waiting = { waiting: { reason: 'ImagePullBackOff' } };
const podOf = (name: string, owner: string, image: string, state = {}): Pod =>
  inSpace('Pod', 'its1', {
    metadata: {
      name,
      uid: `uid-of-${name}`,
      ownerReferences: [{ apiVersion: 'v1', kind: owner, name: owner }],
    },
    spec: { containers: [{ name: 'c', image }] },
    status: { containerStatuses: [{ name: 'c', state }] },
  });
const template = { spec: { containers: [{ name: 'c', image: elsewhere }] } };

/** The writes of a reading of a space whose hooks name registry.example. */
async function corrected(
  space: Parameters<typeof evidence>[1],
  { plane = its('its1', { type: 'vcluster' }), sends = false } = {},
) {
  const cluster = new MemoryCluster([...(space?.pods ?? [])]);
  const seen = evidence(plane, space);
  await correctUnstarted('registry.example', seen, cluster.kube, {
    inside: undefined,
    isIdle: async () => !sends,
  });
  return cluster;
}

test('a pod of a StatefulSet that cannot be pulled is deleted, and others take the image of the registry', async () => {
  const right = 'registry.example/loft-sh/vcluster:0.16.4';
  const cluster = await corrected({
    pods: [
      podOf('vcluster-0', 'StatefulSet', elsewhere, waiting),
      podOf('other-1', 'StatefulSet', elsewhere, { running: {} }),
      podOf('vcluster-2', 'StatefulSet', right, waiting),
      podOf('job-a', 'Job', elsewhere, waiting),
      podOf('coredns-x-its1', 'Service', elsewhere, waiting),
    ],
  });
  assert.deepEqual(cluster.writes, ['delete Pod vcluster-0', 'merge Pod job-a']);
  assert.equal(cluster.bodies[0], 'uid-of-vcluster-0');
});

describe('what has run is never changed by a reading:', () => {
  const owner = (name: string, status = {}): Deployment =>
    inSpace('Deployment', 'wds1', { ...deployment(name, false), spec: { template }, status });
  const writes = async (status: object, pods: Pod[], options = {}) =>
    (
      await corrected(
        { deployments: [owner('kube-apiserver', status)], pods },
        { plane: wds('wds1'), ...options },
      )
    ).writes;
  const apiPod = (state: object, last = {}): Pod => ({
    ...podOf('kube-apiserver-1', 'ReplicaSet', elsewhere),
    status: { containerStatuses: [{ name: 'c', state, lastState: last }] } as NonNullable<
      Pod['status']
    >,
  });
  const never = [apiPod(waiting)];

  test('one that never ran is corrected, with its pod', async () =>
    assert.deepEqual(await writes({}, never), [
      'merge Deployment kube-apiserver',
      'merge Pod kube-apiserver-1',
    ]));
  test('one of a WDS that sends something is not', async () =>
    assert.deepEqual(await writes({}, never, { sends: true }), []));
  const ran: Record<string, [status: object, pods: Pod[]]> = {
    'its pod runs': [{}, [apiPod({ running: {} })]],
    'its pod has run': [{}, [apiPod(waiting, { terminated: { exitCode: 1 } })]],
    'another pod of it runs': [{}, [...never, apiPod({ running: {} })]],
    'its pods were once available': [
      { conditions: [{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }] },
      [],
    ],
  };
  for (const [what, [status, pods]] of Object.entries(ran))
    test(what, async () => assert.deepEqual(await writes(status, pods), []));
  test('pods that may not be read may run', () => {
    const seen = evidence(wds('wds1'), {
      deployments: [owner('kube-apiserver')],
      forbidden: new Set(['pods']),
    });
    assert.equal(imagesApart('registry.example', seen).running.length, 1);
  });
});

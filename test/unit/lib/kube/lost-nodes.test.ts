import '../../support/environment.ts';
import assert from 'node:assert/strict';
import test from 'node:test';
import { commandOf } from '../../../../src/lib/core/next-step.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import type { Node, Pod } from '../../../../src/lib/kube/client/objects.ts';
import { lostNodeOf, readLostNodes, toSeeNode } from '../../../../src/lib/kube/lost-nodes.ts';
import { fakeKube, now, secondsAgo } from '../../support/builders.ts';
import { hostingCluster } from '../../support/space-builders.ts';

const node = (name: string, status: 'True' | 'False' | 'Unknown', message: string): Node => ({
  metadata: { name },
  status: {
    conditions: [
      { type: 'Ready', status, reason: 'r', message, lastTransitionTime: secondsAgo(300) },
    ],
  },
});
const podOn = (nodeName: string, ready: boolean, metadata: object = {}): Pod => ({
  metadata: { name: `p-${nodeName}`, ...metadata },
  spec: { nodeName, containers: [] },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});

test('only the nodes of pods that are not ready, or do not end, are read, each once; what may not be read is none', async () => {
  const nodes = [
    node('n1', 'Unknown', 'Kubelet stopped posting node status.'),
    node('n2', 'False', 'container runtime is down'),
    node('n3', 'True', 'kubelet is posting ready status'),
  ];
  const read: string[] = [];
  const kube = fakeKube({
    get: async (_, name) => {
      read.push(name);
      if (name === 'n5') throw apiError(hostingCluster, 403, '{"message":"nodes is forbidden"}');
      return nodes.find(({ metadata }) => metadata.name === name) as never;
    },
  });
  const pods = [
    ...['n1', 'n1', 'n3', 'n5', 'n6'].map((name) => podOn(name, false)),
    podOn('n2', true, { deletionTimestamp: secondsAgo(100) }),
    podOn('n4', true),
  ];
  const lost = await readLostNodes(kube, pods, now);
  assert.deepEqual(read.sort(), ['n1', 'n2', 'n3', 'n5', 'n6']);
  assert.deepEqual(lost, [
    { name: 'n1', why: 'its node n1 is not ready: Kubelet stopped posting node status (for 5m)' },
    { name: 'n2', why: 'its node n2 is not ready: container runtime is down (for 5m)' },
  ]);
  assert.deepEqual(
    pods.map((pod) => lostNodeOf(pod, lost)?.name),
    ['n1', 'n1', undefined, undefined, undefined, 'n2', undefined],
  );
  const [first = assert.fail()] = lost;
  assert.equal(
    commandOf([toSeeNode('kind-1', first)]),
    'kubectl --context kind-1 describe node n1',
  );
});

import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeDeregistration,
  describeMany,
} from '../../../../src/commands/wec/deregister-text.ts';
import {
  originBindingLabel,
  originWdsLabel,
} from '../../../../src/lib/ocm/model/kubestellar-names.ts';
import { type ManifestWork, workFinalizer } from '../../../../src/lib/ocm/model/manifest-works.ts';
import {
  type InspectedWec,
  refuseUnfinishable,
} from '../../../../src/lib/wecs/deregister/inspect-wec.ts';
import { fakeKube, hubState, inspectedWec, joinedCluster, proof } from '../../support/builders.ts';

const leavingWec = (
  name: string,
  works: ManifestWork[] = [],
  labels: Record<string, string> = {},
): InspectedWec => {
  const cluster = proof(joinedCluster({ name, labels }));
  return inspectedWec({ name, hubState: hubState({ name, managedCluster: cluster, works }) });
};

const work = {
  metadata: { name: 'w', labels: { [originWdsLabel]: 'wds1', [originBindingLabel]: 'nginx' } },
  spec: {
    workload: {
      manifests: [
        { kind: 'ConfigMap', metadata: { name: 'hello' } },
        { kind: 'Namespace', metadata: { name: 'shop' } },
      ],
    },
  },
} as unknown as ManifestWork;

test('what many WECs have in common is said once, with their names, and the total loss', () => {
  const inspected = [
    leavingWec('wec1', [work]),
    leavingWec('wec2', [], { env: 'edge' }),
    leavingWec('wec3', [work], { env: 'edge' }),
  ];
  assert.deepEqual(describeMany(inspected, 'its1', {}), [
    '3 WECs on its1: wec1, wec2, wec3',
    '  2 × runs      1 work of nginx (wds1): ConfigMap hello, Namespace shop   (wec1, wec3)',
    '  2 × Its workloads will be removed from it, with everything in Namespace shop, whoever created it. To keep them running: --keep-workloads   (wec1, wec3)',
    '  2 × labels    env=edge   (wec2, wec3)',
    '  1 × The ITS has sent no workloads there.   (wec2)',
  ]);
  const [first] = describeMany([leavingWec('wec1'), leavingWec('wec2')], 'its1', {}).slice(1);
  assert.equal(first, '  2 × The ITS has sent no workloads there.   (all)');
});

test('--force announces only finalizers that exist', () => {
  const held = { ...work, metadata: { ...work.metadata, finalizers: [workFinalizer] } };
  const announced = (...works: ManifestWork[]) =>
    describeDeregistration([leavingWec('wec1', works)], 'its1', { force: true }).filter((line) =>
      /--force /.test(line),
    );
  assert.deepEqual(announced(work), []);
  assert.deepEqual(announced(work, held), [
    '  --force   removes, after 15s without progress: manifest-work-cleanup of 1 work',
  ]);
});

test('a WEC whose works have no finalizer is deregistered without its agent', () => {
  const hub = fakeKube();
  const held = { ...work, metadata: { ...work.metadata, finalizers: [workFinalizer] } };
  const dead = (...works: ManifestWork[]) => ({
    ...leavingWec('wec1', works),
    agentDead: 'it has no pod',
  });
  refuseUnfinishable(hub, dead(work), {});
  assert.throws(() => refuseUnfinishable(hub, dead(work, held), {}), {
    code: 'agent-dead',
    message: /its 1 work\./,
  });
  assert.throws(() => refuseUnfinishable(hub, dead(work), { keepWorkloads: true }), {
    code: 'agent-dead',
  });
});

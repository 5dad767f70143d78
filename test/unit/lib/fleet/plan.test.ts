import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fleet, FleetWec } from '../../../../src/lib/fleet/fleet-file.ts';
import { planValues } from '../../../../src/lib/fleet/owned-values.ts';
import { changeOf, formerWecs, leftWecs, requireOwn } from '../../../../src/lib/fleet/plan.ts';
import type { ManagedCluster } from '../../../../src/lib/ocm/model/ocm-objects.ts';
import { kindOf, MemoryCluster } from '../../support/space-builders.ts';

const annotation = 'stellarctl.kubestellar.io/fleet';
const cluster = (
  name: string,
  fleet: string | undefined,
  ...managers: string[]
): ManagedCluster => ({
  metadata: {
    name,
    ...(fleet && { annotations: { [annotation]: fleet } }),
    managedFields: managers.map((manager) => ({ manager, operation: 'Apply' })),
  },
});
const presentOf = (...clusters: ManagedCluster[]) => ({
  clusters: new Map(clusters.map((each) => [each.metadata.name, each])),
  properties: new Map(),
});
const wec = (name: string): FleetWec => ({
  name,
  labels: {},
  annotations: {},
  properties: {},
  join: {},
});
const fleet = (name: string, ...wecs: string[]): Fleet => ({
  name,
  its: [],
  wds: [],
  wecs: wecs.map(wec),
});

test('what left the file was joined by the fleet, and has no values of another one', () => {
  const own = 'stellarctl-fleet-a';
  const present = presentOf(
    cluster('c1', 'a', own),
    cluster('c2', 'a', own, 'kubectl'),
    cluster('c3', 'a', own, 'stellarctl-fleet-b'),
    cluster('c4', 'b', own),
    cluster('c5', undefined, own),
  );
  assert.deepEqual(formerWecs(fleet('a', 'c1'), present), ['c2']);
});

test('a WEC that another fleet has taken since the plan is a conflict, by annotation or by values; one that is gone is none', async () => {
  const own = 'stellarctl-fleet-a';
  for (const [now, code] of [
    [[cluster('c9', 'a', own)], undefined],
    [[], undefined],
    [[cluster('c9', 'b', own)], 'conflict'],
    [[cluster('c9', 'a', own, 'stellarctl-fleet-b')], 'conflict'],
  ] as const) {
    const { kube } = new MemoryCluster(now.map((each) => kindOf('ManagedCluster', each)));
    const error = await requireOwn(fleet('a', 'c1'), kube, 'c9').then(
      () => undefined,
      (thrown) => thrown.code,
    );
    assert.equal(error, code);
  }
});

test('what left the file stays if the fleet has only given it values', () => {
  const own = 'stellarctl-fleet-a';
  const present = presentOf(
    cluster('c1', 'a', own),
    cluster('c2', undefined, own),
    cluster('c3', 'b', own),
    cluster('c4', undefined, 'kubectl'),
    cluster('c5', 'a', own),
  );
  assert.deepEqual(leftWecs(fleet('a', 'c1'), present, ['c5']), ['c2', 'c3']);
});

test('a WEC that the file lists is taken over from the fleet that had it, and is no longer pruned by that', () => {
  const { changes, conflicts, writes } = planValues(
    'b',
    wec('c9'),
    presentOf(cluster('c9', 'a')),
    [],
  );
  assert.deepEqual(changes, [{ kind: 'annotation', key: annotation, from: 'a', to: 'b' }]);
  assert.deepEqual([conflicts, writes], [[], { cluster: true, properties: false }]);
  for (const joined of [cluster('c9', 'b'), cluster('c9', undefined)])
    assert.deepEqual(planValues('b', wec('c9'), presentOf(joined), []).changes, []);
});

test('another value of a property changes its WEC for the policies whose templates ask for it; a new one does not', () => {
  const accepted = { ...cluster('c1', 'a'), spec: { hubAcceptsClient: true } };
  const { clusters } = presentOf(accepted);
  const properties = new Map([['c1', { metadata: { name: 'c1' }, data: { maxPods: '100' } }]]);
  const changed = (from: string | null, to: string | null, key = 'maxPods') =>
    changeOf(
      { name: 'c1', changes: [{ kind: 'property', key, from, to }] },
      { clusters, properties },
    ).map(({ lacks, stale }) => ({ lacks, stale }));
  assert.deepEqual(changed('100', '50'), [{ lacks: [], stale: ['maxPods'] }]);
  assert.deepEqual(changed('100', null), [{ lacks: ['maxPods'], stale: [] }]);
  assert.deepEqual(changed(null, 'eu', 'region'), []);
});

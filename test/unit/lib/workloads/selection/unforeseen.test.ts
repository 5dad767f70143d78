import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import type { BoundObject, Policy } from '../../../../../src/lib/ocm/model/kubestellar-names.ts';
import { type LookOn, unforeseen } from '../../../../../src/lib/workloads/selection/unforeseen.ts';
import { policy } from '../../../support/policy-builders.ts';
import { MemoryCluster } from '../../../support/space-builders.ts';

const web = (namespace: string, statusCollectors: string[] = []): BoundObject => ({
  ...{ group: 'apps', version: 'v1', resource: 'deployments', namespace, name: 'web' },
  statusCollectors,
});
const s1 = policy('s1', { destinations: ['c1'], objects: [web('s1', ['replicas'])] });
const s2 = policy('s2', { destinations: ['c2'], objects: [web('s2')] });
const judge = (policies: readonly Policy[], starting: [Policy, string][] = [], lookOn?: LookOn) =>
  unforeseen(
    policies,
    starting.map(([each, wec]) => ({ policy: each, wecs: [wec] })),
    lookOn,
  );

describe('what KubeStellar would confuse', () => {
  const says =
    /would confuse the statuses of deployments\/s\d\/web and deployments\/s\d\/web on c\d, and crash/;
  test('is a namesake where either one is combined', async () => {
    assert.match(String(await judge([s1, s2], [[s1, 'c2']])), says);
    assert.match(String(await judge([s1, s2], [[s2, 'c1']])), says);
    const other = policy('pay', { wds: 'wds2', destinations: ['c2'], objects: [web('s3')] });
    assert.match(String(await judge([s1, other], [[s1, 'c2']])), says);
  });
  test('is nothing on another WEC, without collectors, or in one policy that combines both', async () => {
    assert.deepEqual(await judge([s1, s2], [[s1, 'c3']]), []);
    const plain = policy('s1', { destinations: ['c1'], objects: [web('s1')] });
    assert.deepEqual(await judge([plain, s2], [[plain, 'c2']]), []);
    const objects = [web('s1', ['replicas']), web('s2', ['replicas'])];
    const both = policy('both', { destinations: [], objects });
    assert.deepEqual(await judge([both], [[both, 'c1']]), []);
  });
  test('also if two policies start together', async () => {
    const fresh = policy('s2', { objects: [web('s2')] });
    const found = await judge(
      [s1, fresh],
      [
        [s1, 'c3'],
        [fresh, 'c3'],
      ],
    );
    assert.match(String(found), says);
  });
});

test('a Binding that lists nothing hides what its works show', async () => {
  const works = { worksOn: ['c1'], objects: [web('s1')] };
  assert.deepEqual(await judge([policy('full', { ...works, destinations: ['c1'] })]), []);
  const without = { ...policy('absent', works), binding: undefined };
  const empty = policy('empty', { worksOn: ['c1'], destinations: ['c1'] });
  for (const each of [policy('nowhere', works), empty, without])
    assert.match(
      String(await judge([each])),
      /Binding of \w+ \(wds1\) lists nothing, and works of it are on c1/,
    );
  assert.deepEqual(await judge([{ ...without, worksOn: [] }]), []);
});

test('what a policy sends that has just been created is not known', async () => {
  const fresh = { ...policy('fresh'), binding: undefined, isFresh: true };
  assert.deepEqual(await judge([fresh], [[fresh, 'c1']]), [
    'KubeStellar has not bound fresh (wds1) yet',
  ]);
  assert.deepEqual(await judge([fresh]), []);
});

test('objects of somebody else on a WEC that starts to be selected would be overwritten', async () => {
  const present = (owner?: string) =>
    new MemoryCluster([
      {
        kind: 'deployments',
        metadata: {
          ...{ name: 'web', namespace: 's1' },
          ...(owner && { ownerReferences: [{ apiVersion: 'v1', kind: owner, name: 'x' }] }),
        },
      },
    ]).kube;
  const judged = (lookOn: LookOn) => judge([s1], [[s1, 'c3']], lookOn);
  assert.match(
    String(await judged(async () => present())),
    /s1 \(wds1\) would overwrite what no work has applied: deployments\/s1\/web on c3/,
  );
  assert.deepEqual(await judged(async () => present('AppliedManifestWork')), []);
  assert.deepEqual(await judged(async () => undefined), []);
  assert.deepEqual(
    await judged(async () => Promise.reject(new StellarError('context-unknown', 'No context.'))),
    [],
  );
});

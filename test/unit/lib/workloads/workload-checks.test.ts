import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runChecks } from '../../../../src/lib/core/checks.ts';
import { hidden } from '../../../../src/lib/kube/access.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import type { Wds } from '../../../../src/lib/spaces/choose/open-wds.ts';
import { workloadChecks } from '../../../../src/lib/workloads/workload-checks.ts';
import { fakeKube, joinedCluster } from '../../support/builders.ts';
import { stepsOf } from '../../support/steps.ts';
import { WorkloadCluster } from '../../support/workload-cluster.ts';
import { notedWork, openWds } from './open-wds.ts';

type Typed = KubeObject & { kind?: string };
const binding = (name: string, ...wecs: string[]): Typed =>
  ({
    kind: 'Binding',
    metadata: { name, generation: 1 },
    spec: {
      destinations: wecs.map((clusterId) => ({ clusterId })),
      workload: { clusterScope: [{ resource: 'namespaces', name: 'shop' }] },
    },
    status: { observedGeneration: 1 },
  }) as Typed;
const policy = (name: string): Typed => ({ kind: 'BindingPolicy', metadata: { name } });
const space: Typed = { kind: 'Namespace', metadata: { name: 'shop' } };
const wec = joinedCluster({ name: 'w1' }) as Typed;
const work = (of: string, available = 'True'): Typed =>
  ({
    ...notedWork(of, 'w1', '1'),
    spec: {
      workload: {
        manifests: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }],
      },
    },
    status: {
      conditions: [{ type: 'Applied', status: 'True' }],
      resourceStatus: {
        manifests: [
          {
            resourceMeta: { ordinal: 0 },
            conditions: [
              { type: 'Applied', status: 'True' },
              { type: 'Available', status: available, message: 'it is not there' },
            ],
          },
        ],
      },
    },
  }) as Typed;

async function judged(
  objects: Typed[],
  isSeen = true,
  forbidden?: string,
  wecs = [wec],
  check = 'wds-policies',
) {
  const { kube } = new WorkloadCluster([space, ...objects]);
  const hub = new WorkloadCluster([...wecs, work('p'), work('c')]);
  if (forbidden !== undefined) hub.forbidden.add(forbidden);
  const wds = openWds(kube, hub.kube, isSeen ? {} : { its: hidden('it was not reached') });
  const findings = await runChecks(workloadChecks, wds, []);
  const finding = findings.find(({ id }) => id === check);
  assert.ok(finding !== undefined);
  return finding.status === 'pass' ? finding : { ...finding.problem, status: finding.status };
}

test('healthy policies give no finding', async () => {
  assert.equal((await judged([policy('p'), binding('p', 'w1')])).status, 'pass');
  assert.equal((await judged([])).status, 'pass');
});

test('every failing policy is reported, together with those that have the same problem', async () => {
  const empty = { ...binding('b', 'w1'), spec: { destinations: [{ clusterId: 'w1' }] } };
  const found = await judged([
    ...[
      policy('a'),
      binding('a'),
      policy('b'),
      empty,
      policy('c'),
      binding('c', 'w1'),
      policy('d'),
      binding('d'),
    ],
  ]);
  assert.ok('message' in found);
  assert.deepEqual(
    [found.status, found.message, found.details],
    [
      'fail',
      'Binding policies a, d of wds1 have a problem: selects no WEC.',
      ['Nothing is selected in wds1 by b.'],
    ],
  );
  assert.deepEqual(stepsOf(found)?.match(/policy get \w/g), ['policy get a']);
});

test('a policy without objects is a warning: it may be made before them', async () => {
  const empty = { ...binding('b', 'w1'), spec: { destinations: [{ clusterId: 'w1' }] } };
  const found = await judged([policy('b'), empty]);
  assert.ok('code' in found);
  assert.deepEqual([found.status, found.code], ['warn', 'policy-empty']);
});

test('a policy whose objects do not run everywhere is a warning', async () => {
  const found = await judged([policy('q'), binding('q', 'w1')], true, undefined, [
    wec,
    work('q', 'False'),
  ]);
  assert.ok('message' in found);
  assert.deepEqual(
    [found.status, found.message],
    ['warn', 'Of policy q of wds1, Namespace shop on w1: not available: it is not there.'],
  );
  // It also looks at the WEC itself.
  assert.equal(stepsOf(found), 'See why: stellarctl workload get namespace/shop --wds wds1');
});

test('a policy without its works fails', async () => {
  const sending = binding('other', 'w1');
  sending.metadata.creationTimestamp = '2020-01-01T00:00:00Z';
  const found = await judged([policy('other'), sending]);
  assert.ok('message' in found);
  assert.equal(found.status, 'fail');
  assert.match(
    found.message,
    /^Binding policy other of wds1 has a problem: Namespace shop: mailbox w1 has no work for it, for longer than expected \(began .* ago\)\.$/,
  );
});

test('without the ITS nothing is known to be healthy', async () =>
  assert.equal((await judged([policy('p'), binding('p', 'w1')], false)).status, 'skipped'));

test('nor whether something else sends the same', async () => {
  const sending = binding('p', 'w1');
  const configMap = { version: 'v1', resource: 'configmaps', namespace: 'shop', name: 'c' };
  Object.assign((sending as { spec?: object }).spec ?? {}, {
    workload: { namespaceScope: [configMap] },
  });
  const conflicts = (isSeen: boolean, bindings = [sending, binding('c', 'w1')]) =>
    judged([policy('p'), ...bindings], isSeen, undefined, [wec], 'wds-conflicts');
  assert.equal((await conflicts(true)).status, 'pass');
  assert.equal((await conflicts(false)).status, 'skipped');
  const foreign = await conflicts(true, [sending]);
  assert.ok('message' in foreign);
  assert.match(
    foreign.message,
    /^its1 has 1 work on w1 that carry the name wds1 and come from none of its Bindings/,
  );
});

test('nor if a part of the ITS may not be read', async () => {
  for (const kind of ['manifestworks', 'managedclusters'])
    assert.equal(
      (await judged([policy('p'), binding('p', 'w1')], true, kind)).status,
      'skipped',
      kind,
    );
});

describe('the guard', () => {
  /** @param served the version in which its API server has ValidatingAdmissionPolicies */
  const judge = async (
    type: string,
    served: string | undefined,
    sent = [binding('p', 'w1')],
    isForbidden = false,
  ) => {
    const kube = fakeKube({
      list: (async ({ kind, apiVersion }) => {
        if (kind === 'Binding') return sent;
        if (isForbidden)
          throw apiError({ context: 'wds1', server: 'https://192.0.2.1' }, 403, '{}');
        return served !== undefined && apiVersion.endsWith(`/${served}`) ? [] : undefined;
      }) as Kube['list'],
      read: (async () => undefined) as Kube['read'],
    });
    const check = workloadChecks.filter(({ id }) => id === 'wds-guard');
    const [finding] = await runChecks(check, { kube, name: 'wds1', type } as Wds);
    assert.ok(finding !== undefined);
    return finding.status === 'warn' ? stepsOf(finding.problem) : finding.status;
  };
  test('is asked for where it can be had, and workloads are sent', async () => {
    assert.equal(await judge('host', 'v1'), 'Keep them: stellarctl wds guard wds1');
    assert.equal(await judge('k8s', undefined), 'Keep them: stellarctl wds guard wds1');
    assert.match(
      await judge('vcluster', undefined),
      /Restart its controllers with `wds restart` only/,
    );
    assert.equal(await judge('k8s', undefined, []), 'pass');
    assert.equal(await judge('k8s', undefined, [binding('p')]), 'pass');
  });
  test('is unknown to a user who may not read it', async () =>
    assert.equal(await judge('k8s', 'v1', [binding('p', 'w1')], true), 'skipped'));
});

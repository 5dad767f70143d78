import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDependent, runChecks } from '../../../../../src/lib/core/checks.ts';
import type { Deployment, WithConditions } from '../../../../../src/lib/kube/client/objects.ts';
import { findOtherCluster } from '../../../../../src/lib/wecs/diagnose/read-both-sides.ts';
import { wecChecks } from '../../../../../src/lib/wecs/diagnose/wec-checks.ts';
import {
  agentKeyPair,
  fakeKube,
  hubEvidence,
  hubSecret,
  joinedCluster,
  lease,
  managedCluster,
  request,
  secondsAgo,
  wecEvidence,
  wecPod,
} from '../../../support/builders.ts';
import { matches, stepsOf } from '../../../support/steps.ts';
import { wecFindings } from '../../../support/wec-findings.ts';

type Situation = Parameters<typeof wecFindings>[0];

/** What the checks find; the WEC is well unless something else is given. */
const checked = (situation: Situation = {}) =>
  runChecks(wecChecks, wecFindings({ hub: well, ...situation }));

const well = hubEvidence({ managedCluster: joinedCluster(), lease: lease(1) });
const sick = hubEvidence({ managedCluster: joinedCluster({ available: 'no' }), lease: lease(1) });
const leaving = (finalizers: string[], age = 5) => {
  const cluster = joinedCluster({ deleting: true });
  return hubEvidence({
    managedCluster: { ...cluster, metadata: { ...cluster.metadata, finalizers } },
    lease: lease(age),
  });
};
const cleanup = ['cluster.open-cluster-management.io/api-resource-cleanup'];
const workFinalizer = 'cluster.open-cluster-management.io/manifest-work-cleanup';
const goingWork = {
  metadata: { name: 'w', deletionTimestamp: secondsAgo(4), finalizers: [workFinalizer] },
};
const labels = {
  'transport.kubestellar.io/originWdsName': 'wds1',
  'transport.kubestellar.io/originOwnerReferenceBindingKey': 'edge',
};
const condition = (type: string, status: 'True' | 'False', message: string, age = 9) => ({
  conditions: [{ type, status, reason: 'Because', message, lastTransitionTime: secondsAgo(age) }],
});
const namespace = (name: string, type: string, message: string): WithConditions => ({
  metadata: { name, deletionTimestamp: secondsAgo(9) },
  status: condition(type, 'True', message),
});
const agent = wecPod('klusterlet-agent');
const operator = wecPod('klusterlet');
const lostNode = { name: 'n1', why: 'its node n1 is not ready: stopped' };
const nodeless = {
  ...agent,
  status: {
    phase: 'Pending',
    conditions: [
      {
        type: 'PodScheduled',
        status: 'False' as const,
        reason: 'Unschedulable',
        message: '0/1 nodes are available.',
      },
    ],
  },
};
const side = (evidence: Parameters<typeof wecEvidence>[1] = {}) =>
  wecEvidence('join-singleton', { hubSecret, ...evidence });
/** Of an operator that found, so many seconds ago, that it no longer reaches the hub. */
const degraded = (seconds: number) => {
  const klusterlet = structuredClone(side().klusterlet);
  const report = klusterlet?.status?.conditions?.find(
    ({ type }) => type === 'HubConnectionDegraded',
  );
  Object.assign(report ?? assert.fail(), {
    ...{ status: 'True', reason: 'BootstrapSecretError,HubKubeConfigError' },
    message: 'dial tcp 10.0.0.1:6443: connect: connection refused',
    lastTransitionTime: secondsAgo(seconds),
  });
  return klusterlet;
};
/** An agent that was restarted and has last renewed its Lease so many seconds ago. */
const restarted = (started: number, renewed: number, klusterlet = side().klusterlet): Situation => {
  const running = { startedAt: secondsAgo(started) };
  return {
    hub: hubEvidence({ managedCluster: joinedCluster(), lease: lease(renewed) }),
    wec: side({
      pods: [operator, wecPod('klusterlet-agent', [{ name: 'a', state: { running } }])],
      klusterlet,
    }),
  };
};
const day = 86_400_000;
const held = { ...hubSecret, data: await agentKeyPair('cluster1', 'agent-a') };
const renewal = await request({
  name: 'renewal-1',
  username: 'system:open-cluster-management:cluster1:agent-a',
  state: 'approved',
  decidedAgo: 60,
});
const unsigned = await request({ name: 'csr-1', state: 'approved', decidedAgo: 60 });
const old = wecPod('klusterlet-agent', [{ name: 'klusterlet-agent', state: { running: {} } }]);
const ownOperator: Deployment = {
  metadata: { name: 'klusterlet', labels: { 'app.kubernetes.io/managed-by': 'stellarctl' } },
};
const oldAgent = {
  ...old,
  spec: {
    containers: [{ name: 'klusterlet-agent', image: 'quay.io/ocm/registration-operator:v0.15.0' }],
  },
};

const cases: [what: string, Situation, id: string, code: string, message: RegExp, steps: RegExp][] =
  [
    [
      'a finalizer of somebody else',
      { hub: leaving([...cleanup, 'example.com/hold']) },
      'not-deleted',
      'deletion-blocked',
      /by finalizer example\.com\/hold,/,
      /--show-managed-fields$/,
    ],
    [
      'a finalizer of somebody else on a deleted work',
      {
        contents: {
          works: [
            {
              metadata: {
                name: 'w',
                namespace: 'cluster1',
                deletionTimestamp: secondsAgo(300),
                finalizers: [workFinalizer, 'example.com/hold'],
              },
            },
          ],
        },
      },
      'works-deleted',
      'work-held',
      /^Work w in mailbox cluster1 has been in deletion for 5m, blocked by finalizer example\.com\/hold, which is not/,
      /-n cluster1 get manifestwork w -o yaml --show-managed-fields$/,
    ],
    [
      'works that come back',
      {
        hub: leaving(cleanup),
        contents: {
          works: [{ metadata: { name: 'w', labels, creationTimestamp: secondsAgo(1) } }],
        },
      },
      'not-deleted',
      'being-deleted',
      /; 1 work is still in its mailbox/,
      /^stellarctl deregister cluster1 --its its1 .*first removes the labels that select it/,
    ],
    [
      'works whose agent does not report',
      { hub: leaving(cleanup, 400), contents: { works: [goingWork] } },
      'not-deleted',
      'deletion-waits-for-agent',
      /1 work waits for its agent .* for 6m/,
      /^stellarctl wec get cluster1=CONTEXT .*\n.*deregister cluster1 --force/,
    ],
    [
      'works whose agent does not report, which it does not offer to examine again',
      {
        hub: leaving(cleanup, 400),
        wec: wecEvidence('join-singleton', {
          pods: [wecPod('klusterlet'), wecPod('klusterlet-agent')],
        }),
        contents: { works: [goingWork] },
      },
      'not-deleted',
      'deletion-waits-for-agent',
      /1 work waits for its agent/,
      /^kubectl .* logs klusterlet-agent\S*\n.*deregister cluster1 --force/,
    ],
    [
      'a deletion that goes on',
      { hub: leaving(cleanup) },
      'not-deleted',
      'being-deleted',
      /^cluster1 is being deleted\.$/,
      /wec wait cluster1 --for delete/,
    ],
    [
      'a deletion while a policy selects the WEC, which recreates its works',
      {
        hub: leaving(cleanup),
        contents: {
          works: [{ metadata: { name: 'w', labels, creationTimestamp: secondsAgo(900) } }],
        },
      },
      'not-deleted',
      'being-deleted',
      /^cluster1 is being deleted/,
      /^stellarctl deregister cluster1 --its its1 .*removes the labels/,
    ],
    [
      'a mailbox that ends, and not what waits for it',
      {
        hub: hubEvidence({ managedCluster: managedCluster(), requests: [await request()] }),
        contents: {
          namespace: namespace(
            'cluster1',
            'NamespaceFinalizersRemaining',
            'hold in 1 resource instances',
          ),
        },
      },
      'mailbox',
      'namespace-terminating',
      /hold in 1 resource instances\.$/,
      /get namespace cluster1 -o yaml$/,
    ],
    [
      'a namespace of the agents that an API keeps from ending',
      {
        hub: hubEvidence(),
        wec: side({ klusterlet: undefined, pods: [], hubSecret: undefined, context: 'kind-1' }),
        ending: [namespace('a', 'NamespaceDeletionDiscoveryFailure', 'metrics.k8s.io')],
      },
      'namespaces',
      'namespace-terminating',
      /metrics\.k8s\.io/,
      /kubectl --context kind-1 get apiservices$/,
    ],
    [
      'an agent without a node, and why',
      { wec: side({ pods: [operator, nodeless] }) },
      'nodes',
      'pod-unschedulable',
      /0\/1 nodes are available/,
      /describe pod/,
    ],
    [
      'an agent whose node does not report',
      { wec: side({ pods: [operator, agent], context: 'kind-1' }), lostNodes: [lostNode] },
      'nodes',
      'node-not-ready',
      /^The operator or the agent of cluster1 is not ready: its node n1 is not ready: stopped\.$/,
      /describe node n1$/,
    ],
    [
      'a namespace of the agents whose pods cannot end, because their node does not report',
      {
        hub: hubEvidence(),
        wec: side({ klusterlet: undefined, pods: [], hubSecret: undefined, context: 'kind-1' }),
        ending: [namespace('a', 'NamespaceDeletionContentFailure', 'pods remain')],
        lostNodes: [lostNode],
      },
      'namespaces',
      'namespace-terminating',
      /: a pod of it cannot end: its node n1 is not ready: stopped\.$/,
      /describe node n1$/,
    ],
    [
      'an approved request that nobody signs',
      {
        hub: hubEvidence({
          managedCluster: managedCluster({ accepted: true }),
          requests: [unsigned],
        }),
      },
      'registered',
      'not-signed',
      /ITS approved request csr-1/,
      /csrsigning/,
    ],
    [
      'a renewal that nobody signs, and not the certificate that will end',
      {
        hub: { ...well, requests: [renewal], lease: undefined },
        wec: side({ hubSecret: held, pods: [operator, agent] }),
        now: Date.now() + 3_000_000,
      },
      'signed',
      'not-signed',
      /for its next certificate/,
      /csrsigning/,
    ],
    // It is valid for an hour.
    [
      "a certificate that expires soon, by the WEC's Secret",
      {
        wec: side({ hubSecret: held, pods: [operator, agent] }),
        hub: undefined,
        now: Date.now() + 3_300_000,
      },
      'renewal',
      'certificate-expiring',
      /./,
      /logs klusterlet-agent-1$/,
    ],
    [
      'a restarted agent that may wait for the lock of a killed one, and not that its Lease is overdue',
      restarted(90, 150),
      'registered',
      'available',
      /for the lock of its predecessor\.$/,
      /wec wait cluster1/,
    ],
    [
      'a restarted agent that its operator finds cut off since the last renewal, and not that it may wait',
      restarted(90, 150, degraded(60)),
      'hub-connection',
      'hub-not-reached',
      /does not reach the hub \(dial tcp 10\.0\.0\.1:6443: connect: connection refused\)\.$/,
      /wec join cluster1=cluster1 --accept --its its1 --hub-apiserver/,
    ],
    [
      'a restarted agent that its operator has found cut off before the last renewal',
      restarted(90, 150, degraded(160)),
      'registered',
      'available',
      /for the lock/,
      /wec wait cluster1/,
    ],
    [
      'a restarted agent that has not renewed its Lease for longer than that',
      restarted(190, 250),
      'reports',
      'agent-silent',
      /restarted 3m10s ago and has not renewed its lease since\.$/,
      /logs/,
    ],
    [
      'a WEC whose API server is not healthy',
      { hub: sick },
      'api-server',
      'api-server-unhealthy',
      /not healthy\.$/,
      /--context CONTEXT get --raw/,
    ],
    [
      'an add-on that is not available',
      {
        contents: {
          addons: [
            { metadata: { name: 'x' }, status: condition('Available', 'False', 'no replica', 150) },
          ],
        },
      },
      'addons',
      'addon-unavailable',
      /The add-on x of cluster1 is not available: no replica\./,
      /wec get/,
    ],
    [
      'a missing add-on for statuses',
      { lacksAddon: true },
      'addons',
      'addon-missing',
      /addon-status is not installed on cluster1, so no status comes back from it\./,
      /get clustermanagementaddon addon-status/,
    ],
    [
      'an agent of another version',
      { wec: side({ pods: [operator, oldAgent] }), ocmOfHub: '1.3.1' },
      'versions',
      'versions-apart',
      /0\.15\.0.*its ITS runs OCM 1\.3\.1/,
      /where the Klusterlet/,
    ],
    [
      'an agent of another version that stellarctl installed',
      {
        wec: { ...side({ pods: [operator, oldAgent] }), operator: ownOperator },
        ocmOfHub: '1.3.1',
      },
      'versions',
      'versions-apart',
      /its ITS runs OCM 1\.3\.1/,
      /^Upgrade it: stellarctl wec upgrade cluster1=/,
    ],
    [
      'a context of another cluster, and nothing of that cluster',
      { otherCluster: { context: 'kind-2', found: 'it is registered as cluster2' } },
      'context',
      'context-of-another-cluster',
      /kind-2 does not lead to cluster1: it is registered as cluster2/,
      /cluster1=CONTEXT/,
    ],
  ];

describe('the checks of a WEC find only:', () => {
  for (const [what, situation, id, code, message, steps] of cases)
    test(what, async () => {
      const made = await checked(situation);
      const wrong = made.flatMap((each) =>
        each.status === 'fail' || each.status === 'warn' ? [each] : [],
      );
      assert.deepEqual(
        wrong.map((each) => [each.id, each.problem.code]),
        [[`wec-${id}`, code]],
      );
      matches(wrong[0]?.problem.message, message);
      assert.match(stepsOf(wrong[0]?.problem), steps);
    });

  test('what an agent that does not report has reported before is not taken for true', async () => {
    const hub = hubEvidence({
      managedCluster: joinedCluster({ available: 'unknown' }),
      lease: lease(900),
    });
    assert.deepEqual(
      (await checked({ hub })).filter(isDependent).map(({ id }) => id),
      ['wec-registered', 'wec-works', 'wec-addons', 'wec-lease'],
    );
  });

  test('an expired certificate, by what the hub has issued', async () => {
    const issued = await request({ state: 'issued' });
    const certificate = held.data['tls.crt'];
    const shown = {
      ...issued,
      csr: { ...issued.csr, status: { ...issued.csr.status, certificate } },
    };
    const look = async (at: number) => {
      const all = await checked({ hub: { ...well, requests: [shown] }, now: at });
      return all.find(({ id }) => id === 'wec-certificate')?.status;
    };
    assert.deepEqual([await look(Date.now()), await look(Date.now() + day)], ['pass', 'fail']);
  });
});

test('an add-on that is not available yet is not reported in its first minute', async () => {
  const status = condition('Available', 'False', 'no replica', 50);
  const all = await checked({ contents: { addons: [{ metadata: { name: 'x' }, status }] } });
  assert.equal(all.find(({ id }) => id === 'wec-addons')?.status, 'pass');
});

test('nothing is reported about an unseen certificate, nor about what another cluster shows', async () => {
  const all = await checked();
  assert.equal(all.find(({ id }) => id === 'wec-certificate')?.status, 'skipped');
  const strange = await checked({ otherCluster: { context: 'c', found: 'x' } });
  const skipped = strange.find(({ id }) => id === 'wec-klusterlet');
  assert.ok(skipped?.status === 'skipped' && !isDependent(skipped));
  assert.match(skipped.problem.message, /the context c leads to another cluster/);
});

describe('a cluster differs from the WEC', () => {
  const withUid = (uid: string) =>
    fakeKube({
      get: async () => ({ metadata: { name: 'kube-system', uid } }),
      list: async () => undefined,
    });
  const recorded = {
    ...managedCluster(),
    metadata: {
      name: 'cluster1',
      annotations: { 'stellarctl.kubestellar.io/kube-system-uid': 'a' },
    },
  };
  const otherCluster = (uid: string, cluster = recorded, klusterlet = side().klusterlet) =>
    findOtherCluster(
      { name: 'cluster1', kube: withUid(uid) },
      cluster,
      side({ klusterlet }),
      'its',
    );

  test('if its kube-system is not the recorded one, or is that of the ITS', async () => {
    matches((await otherCluster('b'))?.found, /its kube-system is b…, and a… was recorded/);
    assert.equal(
      (await otherCluster('its', recorded, { metadata: { name: 'klusterlet' } }))?.found,
      'it is the ITS itself',
    );
    const other = { metadata: { name: 'klusterlet' }, spec: { clusterName: 'cluster2' } };
    matches((await otherCluster('b', recorded, other))?.found, /registered as cluster2/);
  });
  test('but not if they match, or nothing was recorded', async () => {
    assert.equal(await otherCluster('a'), undefined);
    assert.equal(await otherCluster('b', managedCluster() as typeof recorded), undefined);
  });
});

import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { diagnosisOf } from '../../../../src/lib/core/next-step.ts';
import type { Condition } from '../../../../src/lib/kube/client/objects.ts';
import type { ManifestWork } from '../../../../src/lib/ocm/model/manifest-works.ts';
import { diagnose } from '../../../../src/lib/wecs/diagnose/wec-checks.ts';
import { groupWorks } from '../../../../src/lib/wecs/registration/mailbox.ts';
import { conditionViews } from '../../../../src/lib/wecs/registration/wec-view.ts';
import {
  hubEvidence,
  hubSecret,
  joinedCluster,
  klusterlet,
  lease,
  managedCluster,
  request,
  secondsAgo,
  wecEvidence,
  wecPod,
} from '../../support/builders.ts';
import { matches } from '../../support/steps.ts';
import { wecFindings } from '../../support/wec-findings.ts';

type Situation = Parameters<typeof wecFindings>[0];

/** The WEC's side, through the context kind-1. */
const sideOf: typeof wecEvidence = (conditions, evidence) =>
  wecEvidence(conditions, { context: 'kind-1', ...evidence });

const diagnosed = (situation: Situation) => {
  const problem = diagnose(wecFindings(situation));
  return problem && diagnosisOf(problem);
};

/** A work of policy p of wds1. @param refused why it is not applied */
const sent = (name: string, refused?: Partial<Condition>): ManifestWork => ({
  metadata: {
    name,
    labels: {
      'transport.kubestellar.io/originWdsName': 'wds1',
      'transport.kubestellar.io/originOwnerReferenceBindingKey': 'p',
    },
  },
  status: { conditions: refused ? [{ type: 'Applied', status: 'False', ...refused }] : [] },
});

const silent = hubEvidence({
  managedCluster: joinedCluster({ available: 'unknown' }),
  lease: lease(660),
});
const wellKnown = hubEvidence({ managedCluster: joinedCluster(), lease: lease(1) });
const pending = await request({ name: 'csr-1', age: 120 });
const second = await request({ name: 'csr-2', agent: 'agent-b', age: 10 });
const runs = wecPod('klusterlet-agent');
const agentPod = { ...runs, metadata: { ...runs.metadata, name: 'agent-1' } };
const other = { ...klusterlet(), spec: { clusterName: 'other' } };
const unpullable = [
  { name: 'a', state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } },
];
const denied = await request({ name: 'csr-1', state: 'denied' });
const authorityChanged = [
  {
    type: 'HubConnectionDegraded',
    status: 'True' as const,
    reason: 'BootstrapSecretError,HubKubeConfigError',
    message:
      'Failed to create &SelfSubjectAccessReview{} with hub kubeconfig secret "open-cluster-management-agent" "hub-kubeconfig-secret" to apiserver https://hub: Post "https://hub/apis": tls: failed to verify certificate: x509: certificate signed by unknown authority',
  },
];

const cases: [what: string, situation: Situation, wrong: RegExp, steps: RegExp][] = [
  [
    'a pending request',
    {
      hub: hubEvidence({ managedCluster: managedCluster(), requests: [pending] }),
      wec: wecEvidence('accepted-not-approved'),
    },
    /^cluster1 is still registering: request csr-1 is pending\.$/,
    /^stellarctl accept cluster1 --its its1$/,
  ],
  [
    'several agents',
    { hub: hubEvidence({ managedCluster: managedCluster(), requests: [pending, second] }) },
    /2 agents ask for its name/,
    /^stellarctl accept cluster1 --its its1$/,
  ],
  [
    'several agents, one of which is certainly its own',
    {
      hub: hubEvidence({ managedCluster: managedCluster(), requests: [pending, second] }),
      wec: sideOf('join-singleton', { pods: [agentPod] }),
    },
    /2 agents ask for its name/,
    /^stellarctl accept cluster1=kind-1 --its its1$/,
  ],
  [
    'a denied request',
    { hub: hubEvidence({ managedCluster: managedCluster(), requests: [denied] }) },
    /was denied/,
    /kubectl --context its1 delete csr csr-1/,
  ],
  [
    'a silent agent, seen from the hub',
    { hub: silent },
    /blocked at "available": lease stopped 11m ago\.$/,
    /^stellarctl wec get cluster1=CONTEXT/,
  ],
  [
    'a silent agent of a cluster that does not answer',
    { hub: silent, context: 'kind-1' },
    /blocked at "available": lease stopped 11m ago\.$/,
    /^See why the cluster does not answer: kubectl --context kind-1 cluster-info/,
  ],
  [
    'a silent agent that runs',
    { hub: silent, wec: sideOf('join-singleton', { hubSecret, pods: [agentPod] }) },
    /lease stopped 11m ago/,
    /logs agent-1\nIf its log shows no reason, restart it: stellarctl wec join cluster1=kind-1 --its its1$/,
  ],
  [
    'an agent that does not run',
    {
      hub: wellKnown,
      wec: wecEvidence('join-singleton', { hubSecret, pods: [wecPod('klusterlet')] }),
    },
    /^cluster1 is blocked at .*: the agent has no pod\.$/,
    /get deployments,pods/,
  ],
  [
    'a changed certificate authority',
    { hub: silent, wec: sideOf(authorityChanged, { hubSecret }) },
    /^cluster1 cannot connect to its1: the hub's certificate authority has changed since it joined \(.*\)\.$/,
    /^stellarctl wec join cluster1=kind-1 --accept --its its1 +\(renews/,
  ],
  [
    'an agent that asks anew',
    { hub: { ...silent, requests: [pending] }, wec: sideOf(authorityChanged, { hubSecret }) },
    /requests its name again \(2m ago\)/,
    /^stellarctl accept cluster1 --agent agent-a --its its1/,
  ],
  [
    'a wrong certificate authority',
    { wec: sideOf('wrong-ca') },
    /another certificate authority than the hub's/,
    /^stellarctl wec join cluster1=kind-1/,
  ],
  [
    'a token that is not accepted',
    { wec: wecEvidence('garbage-token') },
    /does not accept the bootstrap token/,
    /^stellarctl wec join/,
  ],
  [
    'no bootstrap secret',
    { wec: wecEvidence('no-bootstrap-secret', { bootstrapSecret: undefined }) },
    /it has no bootstrap token/,
    /^stellarctl wec join/,
  ],
  [
    'a container that does not start',
    {
      hub: silent,
      wec: wecEvidence('join-singleton', {
        hubSecret,
        pods: [wecPod('klusterlet-agent', unpullable)],
      }),
    },
    /a container does not run: pod klusterlet-agent-1, container \S+: the image .*cannot be pulled \(ImagePullBackOff\)\.$/,
    /describe pod klusterlet-agent-1/,
  ],
  [
    'no Klusterlet, of a WEC that has joined',
    { hub: silent, wec: sideOf('join-singleton', { klusterlet: undefined }) },
    /no Klusterlet in the cluster of context kind-1/,
    /wec join cluster1=kind-1 --accept --its its1 .*installs it again, if this is the cluster that joined/,
  ],
  [
    'another name',
    { hub: wellKnown, wec: sideOf('join-singleton', { klusterlet: other }) },
    /registered as other, not as cluster1/,
    /wec get other=kind-1/,
  ],
  [
    'a deletion',
    {
      hub: hubEvidence({ managedCluster: joinedCluster({ deleting: true }) }),
      contents: { works: [{ metadata: { name: 'w1' } }, { metadata: { name: 'w2' } }] },
    },
    /being deleted; 2 works are still in its mailbox/,
    /wec wait cluster1 --for delete/,
  ],
  [
    'a ManagedCluster that was deleted, whatever the Klusterlet said last',
    { wec: wecEvidence('join-singleton', { hubSecret }) },
    /has a certificate, and the ITS has no ManagedCluster of it/,
    /^stellarctl wec join cluster1=cluster1 --accept --its its1 /,
  ],
  [
    'a work that could not be applied',
    { hub: wellKnown, contents: { works: [sent('w', { message: 'forbidden' }), sent('other')] } },
    /^1 work could not be applied on cluster1: forbidden\.$/,
    /stellarctl policy get p --wds wds1/,
  ],
];

describe('a diagnosis of', () => {
  test('a work that a webhook refuses says since when, and ends in words without a context', () => {
    const message = 'admission webhook "guard" denied the request: no';
    const works = [sent('w', { message, lastTransitionTime: secondsAgo(300) })];
    const found = diagnosed({ hub: wellKnown, contents: { works } });
    assert.equal(
      found?.problem,
      `1 work could not be applied on cluster1: ${message} (began 5m ago).`,
    );
    matches(found?.steps[0], /^Ask who manages cluster1 whose webhook guard is/);
    assert.equal(found?.next, null);
  });
  for (const [what, situation, wrong, expected] of cases)
    test(`${what}, whose command can be typed unchanged or is absent`, () => {
      const { problem, steps, next } = diagnosed(situation) ?? assert.fail();
      assert.match(problem, wrong);
      assert.match(steps.join('\n'), expected);
      const [first = ''] = steps;
      const isWhole = first !== '' && !/=CONTEXT|https:\/\/…/.test(first);
      assert.equal(
        next,
        isWhole
          ? first.replace(/^.*?: (?=kubectl|stellarctl)/, '').replace(/ {6}\(.*\)$/, '')
          : null,
      );
      assert.doesNotMatch(next ?? '', / {2}|[(…)]/);
    });
  test('a Klusterlet that may not be read is no evidence, even if the ITS knows that one exists', () => {
    const wec = wecEvidence('join-singleton', { klusterlet: undefined, pods: undefined });
    const situation = { hub: wellKnown, wec };
    const kinds = new Set(['klusterlets', 'secrets', 'pods']);
    assert.equal(diagnosed({ ...situation, forbidden: kinds }), undefined);
    matches(diagnosed(situation)?.problem, /no Klusterlet/);
  });
  test('an available WEC has no problem, whatever its Klusterlet said last', () => {
    assert.equal(diagnosed({ hub: wellKnown }), undefined);
    assert.equal(
      diagnosed({ hub: wellKnown, wec: wecEvidence('approved-not-accepted', { hubSecret }) }),
      undefined,
    );
  });
});

test('what may not be read is no evidence, unless something else settles it', () => {
  const forbidden = new Set(['certificatesigningrequests']);
  const approved = (hub: Situation['hub']) =>
    wecFindings({ hub, forbidden }).reports.find(({ id }) => id === 'approved')?.verdict;
  assert.deepEqual(approved(hubEvidence({ managedCluster: managedCluster() })), {
    state: 'unseen',
    why: 'not allowed to read certificatesigningrequests',
  });
  assert.deepEqual(approved(wellKnown), { state: 'met' });
});

test("works are shown with their source, and the agent's message for failed ones", () => {
  const labels = {
    'transport.kubestellar.io/originWdsName': 'wds1',
    'transport.kubestellar.io/originOwnerReferenceBindingKey': 'nginx',
  };
  const work = (name: string, given: Record<string, string>, status = {}) => ({
    metadata: { name, labels: given },
    status,
  });
  const failing = {
    conditions: [
      { type: 'Applied', status: 'False' as const, message: 'Failed to apply manifest work' },
    ],
    resourceStatus: {
      manifests: [
        { conditions: [{ type: 'Applied', status: 'False', message: 'pods is forbidden' }] },
      ],
    },
  };
  assert.deepEqual(
    groupWorks([
      work('d', {}),
      work('c', { 'open-cluster-management.io/addon-name': 'status' }),
      work('a', labels),
      work('b', labels, failing),
    ]),
    [
      {
        wds: 'wds1',
        binding: 'nginx',
        addon: null,
        count: 2,
        failed: [{ name: 'b', message: 'pods is forbidden', since: null }],
      },
      { wds: null, binding: null, addon: 'status', count: 1, failed: [] },
      { wds: null, binding: null, addon: null, count: 1, failed: [] },
    ],
  );
});

test('an object that its WDS was deleting when the guard kept it is no failure of the WEC', () => {
  const applied = (ordinal: number) => ({
    resourceMeta: { ordinal },
    conditions: [{ type: 'Applied', status: 'False', message: `${ordinal} is invalid` }],
  });
  const held = (...ordinals: number[]) => ({
    metadata: { name: 'w' },
    spec: {
      workload: {
        manifests: [{ metadata: { name: 'shop', deletionTimestamp: '2026-01-01T00:00:00Z' } }, {}],
      },
    },
    status: {
      conditions: [
        { type: 'Applied', status: 'False' as const, message: 'Failed to apply manifest work' },
      ],
      resourceStatus: { manifests: ordinals.map(applied) },
    },
  });
  assert.deepEqual(groupWorks([held(0)])[0]?.failed, []);
  assert.equal(groupWorks([held(0, 1)])[0]?.failed[0]?.message, '1 is invalid');
});

test('conditions are sorted by type, and healthy or not depending on it', () => {
  const views = conditionViews([
    { type: 'Applied', status: 'True', lastTransitionTime: secondsAgo(1) },
    { type: 'HubConnectionDegraded', status: 'True' },
    { type: 'WorkDesiredDegraded', status: 'False' },
    { type: 'Deleting', status: 'False' },
  ]);
  assert.deepEqual(
    views.map(({ type, healthy }) => `${type} ${healthy}`),
    ['Applied true', 'Deleting false', 'HubConnectionDegraded false', 'WorkDesiredDegraded true'],
  );
});

test('a cluster that does not answer is named before works that are not applied there, and after an agent that is silent', () => {
  const contents = { works: [sent('a', { message: 'connection refused' })] };
  const diagnosedBy = (hub: Situation['hub'], error?: Parameters<typeof diagnose>[1]) =>
    diagnose(wecFindings({ hub, contents }), error)?.code;
  const unreached = { code: 'unreachable', message: 'Cannot reach kind-1.', next: [] };
  assert.equal(diagnosedBy(wellKnown, unreached), 'unreachable');
  assert.equal(diagnosedBy(wellKnown), 'works-not-applied');
  assert.equal(diagnosedBy(silent, unreached), 'agent-silent');
});

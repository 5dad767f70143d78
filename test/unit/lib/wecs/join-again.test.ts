import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Run } from '../../../../src/lib/core/run.ts';
import { noForecast } from '../../../../src/lib/forecast/read-forecast.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import type { Secret } from '../../../../src/lib/kube/client/objects.ts';
import { bootstrapSecret } from '../../../../src/lib/ocm/agent/klusterlet-agent.ts';
import { WebhookProbe } from '../../../../src/lib/ocm/hub/webhook.ts';
import { newResult } from '../../../../src/lib/wecs/follow/follow-registration.ts';
import { finishDone } from '../../../../src/lib/wecs/join/join.ts';
import type { ForeseenJoin } from '../../../../src/lib/wecs/join/join-options.ts';
import type { JoinPlan } from '../../../../src/lib/wecs/join/join-plan.ts';
import { requireOwnership } from '../../../../src/lib/wecs/join/join-requirements.ts';
import { isDone, plannedJoin } from '../../../../src/lib/wecs/join/joining.ts';
import {
  foreseeAcceptance,
  foreseeRecords,
  recordOnIts,
} from '../../../../src/lib/wecs/join/record-on-its.ts';
import { dropCertificate } from '../../../../src/lib/wecs/join/restart-agent.ts';
import type { Identity } from '../../../../src/lib/wecs/registration/identity.ts';
import {
  OwnRequests,
  supersededRequests,
} from '../../../../src/lib/wecs/registration/own-requests.ts';
import {
  type ReregisterEvidence,
  whyReregister,
} from '../../../../src/lib/wecs/registration/reregister.ts';
import {
  type FakeMethods,
  fakeKube,
  hubEvidence,
  hubSecret,
  joinedCluster,
  lease,
  managedCluster,
  now,
  recordingProgress,
  request,
  run,
  wecEvidence,
  wecPod,
} from '../../support/builders.ts';
import { failsWith, matches } from '../../support/steps.ts';

const endpoint = {
  server: 'https://its1:6443',
  certificateAuthority: undefined,
  proxyUrl: undefined,
  source: 'kubeconfig' as const,
};
const options: ForeseenJoin = { accept: true, labels: {}, effects: noForecast };
/** A bootstrap secret that was written so many seconds ago. */
const written = (ago: number): Secret =>
  bootstrapSecret(endpoint, 'token', now - ago * 1000) as Secret;

const ownOf = (agent: string | undefined) => new OwnRequests(agent, { bootstrapSecret: undefined });

type Given = Parameters<typeof wecEvidence>[1];
const plan = (rest: Partial<JoinPlan> = {}): JoinPlan =>
  ({
    name: 'cluster1',
    endpoint,
    wecBefore: wecEvidence('join-singleton', { hubSecret, bootstrapSecret: written(600) }),
    hubBefore: hubEvidence({ managedCluster: joinedCluster(), lease: lease(10) }),
    identity: { state: 'proven' },
    uid: 'uid-of-cluster1',
    reregister: undefined,
    ...rest,
  }) as JoinPlan;

/** A hub that records writes, deletions and rejections. */
function hubWith(rest: FakeMethods = {}) {
  const writes: string[] = [];
  const kube = fakeKube({
    delete: async ({ kind }, { metadata: { name, uid } }) => {
      writes.push(`delete ${kind} ${name} ${uid}`);
      return true;
    },
    merge: async ({ kind }, name, patch) => {
      writes.push(`merge ${kind} ${name} ${JSON.stringify(patch)}`);
      return {};
    },
    replace: async ({ kind }, object, subresource) => {
      writes.push(`replace ${kind}/${subresource} ${object.metadata.name}`);
      return object;
    },
    ...rest,
  });
  return { kube, writes };
}

const ofPerson = await request({ name: 'csr-person', state: 'denied', age: 600 });
const superseded = await request({ name: 'csr-superseded', age: 600 });
const pending = await request({ name: 'csr-pending' });
for (const { csr, name } of [ofPerson, superseded, pending]) csr.metadata.uid = `uid-of-${name}`;

describe('superseded requests', () => {
  test('are deleted by UID, never denied; requests denied by a user stay', async () => {
    const { kube, writes } = hubWith();
    const retired = supersededRequests(fakeKube(), ownOf('agent-a'), run());
    const all = [ofPerson, superseded, pending];
    retired.add(all);
    const wec = wecEvidence('join-singleton', { bootstrapSecret: written(60) });
    await retired.clear(kube, hubEvidence({ requests: all }), wec);
    assert.deepEqual(
      writes,
      ['csr-superseded', 'csr-pending'].map(
        (name) => `delete CertificateSigningRequest ${name} uid-of-${name}`,
      ),
    );
  });

  test('that may not be deleted stay, and are reported once with the command', async () => {
    const refuse = async () => {
      throw apiError({ context: 'its1', server: 'https://its1' }, 403, '');
    };
    const progress = recordingProgress();
    const kube = fakeKube({ delete: refuse });
    const requests = supersededRequests(fakeKube(), ownOf('agent-a'), run(5000, progress));
    const wec = wecEvidence('join-singleton', { bootstrapSecret: written(60) });
    for (const _look of [1, 2])
      await requests.clear(kube, hubEvidence({ requests: [superseded] }), wec);
    assert.deepEqual(progress.lines, [
      'note The request csr-superseded of cluster1 is superseded, and this user may not delete it. Ask for its deletion: kubectl --context its1 delete csr csr-superseded',
    ]);
  });

  const secret = { bootstrapSecret: written(60) };
  const cases: [
    what: string,
    wec: Given,
    agent: string | undefined,
    ages: number[],
    ignored: string[],
    deleted?: string[],
  ][] = [
    [
      "are the agent's own from before its bootstrap secret was written",
      secret,
      'agent-a',
      [600, 50],
      ['csr-600'],
    ],
    [
      'are not deleted while it has just been written',
      { bootstrapSecret: written(1) },
      'agent-a',
      [600],
      ['csr-600'],
      [],
    ],
    ['are none if the agent has its certificate', { ...secret, hubSecret }, 'agent-a', [600], []],
    ['are none if the agent is unknown', secret, undefined, [600], []],
    ['are none if the agent is another one', secret, 'agent-b', [600], []],
  ];
  for (const [what, wec, agent, ages, ignored, deleted = ignored] of cases)
    test(what, async () => {
      const { kube, writes } = hubWith();
      const superseding = supersededRequests(fakeKube(), ownOf(agent), run());
      const requests = await Promise.all(ages.map((age) => request({ name: `csr-${age}`, age })));
      await superseding.clear(kube, hubEvidence({ requests }), wecEvidence('join-singleton', wec));
      assert.deepEqual([...superseding.names], ignored);
      assert.deepEqual(
        writes.map((write) => write.split(' ')[2]),
        deleted,
      );
    });
});

describe('a registration is lost', () => {
  const wec = wecEvidence('join-singleton', { hubSecret });
  test('if the agent has a certificate and the ITS no ManagedCluster, whatever the operator said last', () => {
    const [cause] = whyReregister({ hub: hubEvidence(), wec, now });
    assert.deepEqual([cause?.code, cause?.by], ['managed-cluster-missing', 'certificate']);
  });
  test('but not without a certificate, without access to the ITS, or if it is available', () => {
    const available = hubEvidence({ managedCluster: joinedCluster() });
    const none = (evidence: Pick<ReregisterEvidence, 'hub' | 'wec'>) =>
      assert.deepEqual(whyReregister({ ...evidence, now }), []);
    none({ hub: hubEvidence(), wec: wecEvidence('join-singleton') });
    none({ hub: undefined, wec });
    none({ hub: available, wec });
  });
  test('and is deleted by UIDs: first the certificate, then the pods that cache it', async () => {
    const { kube, writes } = hubWith({
      get: async () => undefined,
      list: async () => [wecPod('klusterlet-agent'), wecPod('other')],
    });
    await dropCertificate(kube, {
      ...wec,
      hubSecret: {
        ...hubSecret,
        metadata: { name: 'hub-kubeconfig-secret', uid: 'uid-of-secret' },
      },
    });
    assert.deepEqual(writes, [
      'delete Secret hub-kubeconfig-secret uid-of-secret',
      'delete Pod klusterlet-agent-1 uid-of-klusterlet-agent-1',
    ]);
  });
});

describe("the operator's condition about the hub", () => {
  const need = (
    situation: string,
    isAvailable: boolean,
    given: Given = {},
    isTokenRefused = false,
  ) =>
    whyReregister({
      hub: hubEvidence({ managedCluster: joinedCluster() }),
      now,
      isAvailable,
      wec: wecEvidence(situation, { bootstrapSecret: written(600), ...given }),
      join: { endpoint, isGiven: false, isTokenRefused, isTokenShared: false },
    })[0]?.code;
  test('may be outdated: an error makes operator and agent try again', () => {
    assert.equal(need('unresolvable-name', false), 'hub-not-reached');
    assert.equal(need('wrong-ca', false), 'authority-missing');
  });
  test('does not block what the ITS shows', () => {
    assert.equal(need('unresolvable-name', true), undefined);
    assert.equal(need('accepted-not-approved', false), undefined);
  });
  test('keeps the token of an agent that works with its certificate, although the ITS refuses it', () => {
    assert.equal(need('join-singleton', true, { hubSecret }, true), undefined);
    assert.equal(need('join-singleton', true, {}, true), 'token-revoked');
  });
});

describe('a WEC that is registered', () => {
  const done = (rest: Partial<JoinPlan>) => isDone({ kube: fakeKube() } as never, plan(rest));
  const withPods = (...pods: NonNullable<NonNullable<Given>['pods']>) =>
    plan().wecBefore && { wecBefore: { ...plan().wecBefore, pods } };
  test('needs nothing if it is available and its agent runs', () => assert.equal(done({}), true));
  test('needs more if the agent crash-loops or has no pod, however fresh its lease is', () => {
    const crash = [
      { name: 'a', restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } },
    ];
    assert.equal(done(withPods(wecPod('klusterlet'), wecPod('klusterlet-agent', crash))), false);
    assert.equal(done(withPods(wecPod('klusterlet'))), false);
    assert.equal(
      done({
        reregister: { code: 'certificate-rejected', why: 'it is refused', by: 'certificate' },
      }),
      false,
    );
  });
});

describe('what a join of a registered WEC reports', () => {
  const access = { its: 'its1', kube: undefined } as never;
  const plannedOf = (plan: JoinPlan, options: ForeseenJoin, run: Run) =>
    plannedJoin({ access, options, run, result: newResult('cluster1') } as never, plan);
  test('is that a join upgrades nothing', async () => {
    const progress = recordingProgress();
    const asked = { ...options, ocmVersion: '1.5.0', imageRegistry: 'mirror' };
    const planned = plannedOf(plan(), asked, run(5000, progress));
    await finishDone(planned);
    assert.equal(planned.result.stage, 'connected');
    assert.match(
      progress.lines.join(),
      /does not change the images of an agent that works, as wec upgrade does\.$/,
    );
  });
  test('is an error while its deregistration is unfinished', async () => {
    const cluster = joinedCluster();
    const annotations = {
      'stellarctl.kubestellar.io/labels-before-deregistration': '{"labels":{},"annotations":[]}',
    };
    Object.assign(cluster.metadata, { annotations });
    const given = plan({ hubBefore: hubEvidence({ managedCluster: cluster }) });
    await assert.rejects(
      finishDone(plannedOf(given, options, run())),
      failsWith({
        code: 'conflict',
        message: 'The deregistration of cluster1 is unfinished; its labels are removed.',
        steps:
          /^stellarctl deregister cluster1 --its its1 {6}\(finishes it; with --undo the WEC stays\)$/,
      }),
    );
  });
});

describe('the UID of the joined cluster', () => {
  const record = async (
    rest: Partial<JoinPlan>,
    hub: Parameters<typeof hubEvidence>[0],
    agent?: string,
  ) => {
    const { kube, writes } = hubWith();
    const recorded = { labels: new Set<string>(), identity: new Set<string>() };
    const recording = {
      plan: plan(rest),
      options: { ...options, accept: false },
      run: run(),
      recorded,
    };
    const wec = wecEvidence('join-singleton');
    const written = await recordOnIts(recording, {
      hub: kube,
      evidence: hubEvidence(hub),
      wec,
      agent,
    });
    return { written, writes };
  };
  const cluster = managedCluster();
  const unproven = { identity: { state: 'unseen', found: '' } } as const;
  const annotation = 'stellarctl.kubestellar.io/kube-system-uid';

  test('is recorded if it is proven, or if no other agent requests the name', async () => {
    const { written, writes } = await record({}, { managedCluster: cluster });
    assert.deepEqual(written, ['identity recorded']);
    matches(writes[0], new RegExp(`"annotations":{"${annotation}":"uid-of-cluster1"}`));
    assert.equal(
      (await record(unproven, { managedCluster: cluster, requests: [pending] }, 'agent-a')).writes
        .length,
      1,
    );
  });
  test('is not recorded if another agent requests the name, it is recorded already, or it may not be seen', async () => {
    const other = await request({ name: 'csr-2', agent: 'agent-b' });
    const known = managedCluster();
    known.metadata.annotations = { [annotation]: 'uid-of-cluster1' };
    const cases: Parameters<typeof record>[] = [
      [unproven, { managedCluster: cluster, requests: [pending, other] }, 'agent-a'],
      [unproven, { managedCluster: cluster, requests: [pending] }],
      [{}, { managedCluster: known }],
      [{ uid: undefined }, { managedCluster: cluster }],
    ];
    for (const given of cases) assert.deepEqual((await record(...given)).writes, []);
  });
  test('is in the list of a dry run, with approval, acceptance and labels', async () => {
    const { kube, writes } = hubWith();
    const fresh = plan({ kube, hubBefore: hubEvidence() });
    const labels = { tier: 'a', name: 'wec-{name}' };
    const planned = { plan: fresh, options: { ...options, labels } };
    await foreseeAcceptance(kube, planned);
    await foreseeRecords(kube, planned);
    assert.deepEqual(writes, [
      'replace CertificateSigningRequest/approval cluster1-*',
      'merge ManagedCluster cluster1 {"spec":{"hubAcceptsClient":true}}',
      `merge ManagedCluster cluster1 {"metadata":{"labels":{"tier":"a","name":"wec-cluster1"},"annotations":{"${annotation}":"uid-of-cluster1"}}}`,
    ]);
  });
});

describe('the name of a joined WEC', () => {
  const rebuilt = wecEvidence([], { klusterlet: undefined, bootstrapSecret: undefined });
  const own = { name: 'cluster1', kube: fakeKube() };
  const owning =
    (identity: Identity, managedCluster = joinedCluster(), wec = rebuilt) =>
    () =>
      requireOwnership({ its: 'its1' }, own, wec, hubEvidence({ managedCluster }), identity);
  const other: Identity = { state: 'other', found: 'its kube-system is another one' };

  test('is refused to an unproven cluster, with the correct command', () =>
    assert.throws(
      owning({ state: 'unseen', found: 'it has no Klusterlet' }),
      failsWith({
        code: 'name-taken',
        message:
          /^cluster1 has joined and is available on its1, and .* is not proven to be it: it has no Klusterlet\.$/,
        steps: /reinstalled.*: stellarctl deregister cluster1 --force --its its1$/,
      }),
    ));
  test('is refused to another cluster, even while it is only pending', () => {
    assert.throws(owning(other), { code: 'name-taken' });
    assert.throws(owning(other, managedCluster()), {
      code: 'name-taken',
      message: /which asks for it/,
    });
    assert.throws(owning(other, joinedCluster(), wecEvidence('join-singleton')), {
      code: 'registered-elsewhere',
    });
  });
  test('is given again to the cluster that is proven to be it, whatever it has lost', () =>
    owning({ state: 'proven' })());
});

describe("a hub's webhook that does not answer", () => {
  test('is waited for, reported once with the command, and named at the deadline', async () => {
    const words =
      'failed calling webhook "x.admission.cluster.open-cluster-management.io": refused';
    const tryCreate = async () => {
      throw apiError(
        { context: 'its1', server: 'https://its1' },
        500,
        JSON.stringify({ message: words }),
      );
    };
    const nothing = { get: async () => undefined, list: async () => [] as never };
    const progress = recordingProgress();
    const look = new WebhookProbe(fakeKube({ tryCreate, ...nothing }), run(100, progress));
    await assert.rejects(
      look.untilAnswering('cluster1'),
      failsWith({
        code: 'timeout',
        message:
          /^cluster1 was not joined to its1 in time: OCM's webhook for ManagedClusters does not answer/,
        steps: /kubectl --context its1/,
      }),
    );
    await assert.rejects(look.untilAnswering('cluster2'));
    assert.equal(progress.lines.filter((line) => /^note.*does not answer/.test(line)).length, 1);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { run } from '../../../../../src/lib/core/next-step.ts';
import type { Verdict } from '../../../../../src/lib/core/stages.ts';
import type { Condition, Secret } from '../../../../../src/lib/kube/client/objects.ts';
import { bootstrapSecret } from '../../../../../src/lib/ocm/agent/klusterlet-agent.ts';
import { readHubConnection } from '../../../../../src/lib/ocm/hub/hub-connection.ts';
import type { Registration } from '../../../../../src/lib/wecs/registration/registration-checks.ts';
import {
  describeRegistration,
  judgeRegistration,
} from '../../../../../src/lib/wecs/registration/registration-stages.ts';
import {
  hubEvidence,
  hubSecret,
  joinedCluster,
  klusterlet,
  lease,
  managedCluster,
  now,
  recordedConditions,
  request,
  secondsAgo,
  wecEvidence,
  wecPod,
} from '../../../support/builders.ts';
import { stepsOf } from '../../../support/steps.ts';

const judged = (registration: Partial<Registration>) =>
  judgeRegistration({ name: 'cluster1', hub: undefined, wec: undefined, now, ...registration });
const verdictOf = (id: string, registration: Partial<Registration>): Verdict =>
  judged(registration).find((report) => report.id === id)?.verdict ?? assert.fail(`no stage ${id}`);
/** The transport error for this message of the operator. */
const wordsOf = (message: string) => readHubConnection({ status: 'True', message }).error.words;
const described = (registration: Partial<Registration>) =>
  describeRegistration(judged(registration));
/** The verdicts in the order of the stages, by their first letters: m, w, f, u. */
const letters = (registration: Partial<Registration>) =>
  judged(registration)
    .map(({ verdict }) => verdict.state[0])
    .join('');

function is(verdict: Verdict, state: Verdict['state'], why?: RegExp): void {
  assert.equal(verdict.state, state, JSON.stringify(verdict));
  if (why !== undefined) assert.match('why' in verdict ? verdict.why : '', why);
}

const onBothSides = (
  situation: string | Condition[],
  hub: Parameters<typeof hubEvidence>[0] = {},
  wec: Parameters<typeof wecEvidence>[1] = {},
): Partial<Registration> => ({ hub: hubEvidence(hub), wec: wecEvidence(situation, wec) });
const onHub = (hub: Parameters<typeof hubEvidence>[0]): Partial<Registration> => ({
  hub: hubEvidence(hub),
});

const pending = await request();
const issued = await request({ state: 'issued' });
const denied = await request({ state: 'denied', name: 'cluster2-dhks9' });
const announced = managedCluster();
const waitingFor = (reason: string) => [{ name: 'main', state: { waiting: { reason } } }];

describe('as recorded from real clusters,', () => {
  const cases: [
    situation: string,
    registration: Partial<Registration>,
    verdicts: string,
    stage: string,
    why: RegExp,
  ][] = [
    [
      'wrong-port',
      onBothSides('wrong-port'),
      'mmfwwwwwwwww',
      'hub-reachable',
      /^dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
    ],
    [
      'unresolvable-name',
      onBothSides('unresolvable-name'),
      'mmfwwwwwwwww',
      'hub-reachable',
      /^lookup hub\.invalid on 10\.96\.0\.10:53: no such host$/,
    ],
    [
      'wrong-ca',
      onBothSides('wrong-ca'),
      'mmfwwwwwwwww',
      'hub-reachable',
      /^tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
    ],
    [
      'garbage-token',
      onBothSides('garbage-token'),
      'mmfwwwwwwwww',
      'hub-reachable',
      /^the hub does not accept the bootstrap token \(Unauthorized\)$/,
    ],
    [
      'no-bootstrap-secret',
      onBothSides('no-bootstrap-secret', {}, { bootstrapSecret: undefined }),
      'wmwwwwwwwwww',
      'bootstrap-secret',
      /./,
    ],
    [
      'denied',
      onBothSides('denied', { managedCluster: announced, requests: [denied] }),
      'mmmmmfwwwwww',
      'approved',
      /^request cluster2-dhks9 was denied$/,
    ],
    [
      'approved-not-accepted',
      onBothSides(
        'approved-not-accepted',
        { managedCluster: announced, requests: [issued] },
        { hubSecret },
      ),
      'mmmmmmmmwwww',
      'accepted',
      /^the cluster is not accepted$/,
    ],
    [
      'accepted-not-approved',
      onBothSides('accepted-not-approved', {
        managedCluster: managedCluster({ accepted: true }),
        requests: [pending],
      }),
      'mmmmmwwwmwww',
      'approved',
      /^request cluster1-agent-a is pending$/,
    ],
  ];
  for (const [situation, registration, verdicts, stage, why] of cases) {
    const fails = verdicts.includes('f');
    test(`${situation}: ${stage} ${fails ? 'has failed' : 'is awaited'}`, () => {
      assert.equal(letters(registration), verdicts);
      is(verdictOf(stage, registration), fails ? 'failed' : 'waiting', why);
      assert.equal(described(registration).problem, fails);
      assert.match(described(registration).why, why);
    });
  }

  test('join-singleton: everything is met', () => {
    const registration = onBothSides(
      'join-singleton',
      { managedCluster: joinedCluster(), requests: [issued], lease: lease(20) },
      { hubSecret },
    );
    assert.equal(letters(registration), 'm'.repeat(12));
    assert.deepEqual(described(registration), { text: 'available', problem: false, why: '' });
  });
});

describe('from the ITS alone,', () => {
  const cases: [what: string, hub: Parameters<typeof hubEvidence>[0], state: string][] = [
    ['nothing is there', {}, 'not announced'],
    ['only the ManagedCluster is there', { managedCluster: announced }, 'no request yet'],
    ['only the request is there', { requests: [pending] }, 'not announced'],
    [
      'the request is pending',
      { managedCluster: announced, requests: [pending] },
      'request pending',
    ],
    ['the request is issued', { managedCluster: announced, requests: [issued] }, 'not accepted'],
    [
      'the hub has not acted on the acceptance',
      { managedCluster: managedCluster({ accepts: true }), requests: [issued] },
      'not accepted',
    ],
    [
      'the cluster is accepted',
      { managedCluster: managedCluster({ accepted: true }), requests: [issued] },
      'accepted, joining',
    ],
    [
      'the cluster has joined',
      { managedCluster: managedCluster({ accepted: true, joined: true }), requests: [issued] },
      'joined, not available',
    ],
    [
      'the cluster is available',
      { managedCluster: joinedCluster(), requests: [issued] },
      'available',
    ],
    [
      'the cluster joined long ago and its request was collected',
      { managedCluster: joinedCluster() },
      'available',
    ],
  ];
  for (const [what, hub, state] of cases)
    test(`${what}: ${state}`, () => assert.equal(described(onHub(hub)).text, state));

  test("the WEC's side is unseen, until a stage settles it", () => {
    // Users create ManagedClusters as well.
    assert.equal(letters(onHub({ managedCluster: announced })), 'uuumwwwuwuww');
    assert.equal(
      letters(onHub({ managedCluster: announced, requests: [pending] })),
      'mmmmmwwuwuww',
    );
    assert.equal(letters(onHub({ managedCluster: joinedCluster() })), 'm'.repeat(12));
  });
  test('a cluster that has joined is not certainly connected now', () =>
    assert.equal(
      letters(onHub({ managedCluster: managedCluster({ accepted: true, joined: true }) })),
      'mmmmmmmmmumw',
    ));
});

test('from the WEC alone, a connected agent has passed everything that the ITS would show', () => {
  assert.equal(letters({ wec: wecEvidence('join-singleton', { hubSecret }) }), 'mmmmmmmmmmuu');
});

describe('managed-cluster', () => {
  test('fails while the ManagedCluster is being deleted', () =>
    is(
      verdictOf('managed-cluster', onHub({ managedCluster: managedCluster({ deleting: true }) })),
      'failed',
      /being deleted/,
    ));
});

describe('klusterlet-applied', () => {
  const of = (...wec: Parameters<typeof wecEvidence>) =>
    verdictOf('klusterlet-applied', { wec: wecEvidence(...wec) });
  test('waits for the Klusterlet', () =>
    is(of([], { klusterlet: undefined }), 'waiting', /no Klusterlet/));
  test('waits for a starting operator', () =>
    is(of([], { operator: undefined }), 'waiting', /operator is starting/));
  test('waits for an idle operator', () => is(of([]), 'waiting', /has not acted/));
  test("fails with the operator's words", () => {
    is(
      of([
        { type: 'Applied', status: 'False', reason: 'KlusterletApplyFailed', message: 'no right' },
      ]),
      'failed',
      /no right/,
    );
  });
  test('fails when an image cannot be pulled', () =>
    is(
      of('join-singleton', { pods: [wecPod('klusterlet', waitingFor('ImagePullBackOff'))] }),
      'failed',
      /pod klusterlet-1, container main: the image .* cannot be pulled \(ImagePullBackOff\)/,
    ));
  test('fails if the agent crashes, even during a retry', () => {
    const ends = { name: 'a', restartCount: 4, lastState: { terminated: { exitCode: 1 } } };
    const running = (ready: boolean) => [{ ...ends, ready, state: { running: {} } }];
    const next = [{ ...ends, state: { waiting: { reason: 'CrashLoopBackOff' } } }];
    const withAgent = (status: Parameters<typeof wecPod>[1]) =>
      of('join-singleton', { pods: [wecPod('klusterlet'), wecPod('klusterlet-agent', status)] });
    is(withAgent(next), 'failed', /it keeps crashing \(exit 1, restarted 4 times\)/);
    is(withAgent(running(false)), 'failed', /it keeps crashing/);
    is(withAgent(running(true)), 'met');
  });
  test('waits for an agent that is starting', () => {
    const creating = wecPod('klusterlet-agent', waitingFor('ContainerCreating'));
    is(
      of('join-singleton', { pods: [wecPod('klusterlet'), creating] }),
      'waiting',
      /pod klusterlet-agent-1 .* is starting/,
    );
  });
  test('is met while another pod of the same agent runs', () => {
    const next = wecPod('klusterlet-agent', waitingFor('ImagePullBackOff'));
    is(
      of('join-singleton', { pods: [wecPod('klusterlet'), next, wecPod('klusterlet-agent')] }),
      'met',
    );
  });
  test('fails without a pod of the agent, whatever the conditions say; unseen pods prove nothing', () => {
    is(of('join-singleton', { pods: [wecPod('klusterlet')] }), 'failed', /^the agent has no pod$/);
    is(
      of('join-singleton', { pods: [] }),
      'failed',
      /^neither the operator nor the agent has a pod$/,
    );
    const nextOf = (labels: Record<string, string>) => {
      const operator = { metadata: { name: 'klusterlet', labels }, spec: { replicas: 0 } } as never;
      return JSON.stringify(of('join-singleton', { pods: [], operator }));
    };
    assert.match(nextOf({}), /-n open-cluster-management scale deployment klusterlet --replicas 1/);
    assert.match(nextOf({ 'app.kubernetes.io/managed-by': 'stellarctl' }), /wec join .*--accept/);
    is(of('join-singleton', { pods: undefined }), 'met');
    const going = wecPod('klusterlet-agent');
    going.metadata.deletionTimestamp = secondsAgo(1);
    is(
      of('join-singleton', { pods: [wecPod('klusterlet'), going] }),
      'failed',
      /^the agent has no pod$/,
    );
    const hosted = {
      ...klusterlet(),
      spec: { clusterName: 'cluster1', deployOption: { mode: 'Hosted' as const } },
    };
    is(of('join-singleton', { pods: [], klusterlet: hosted }), 'met');
  });
});

describe('managed-cluster', () => {
  const of = (registration: Partial<Registration>) => verdictOf('managed-cluster', registration);
  test('fails at once for an agent that has its certificate: it does not announce itself again', () => {
    const verdict = of(onBothSides('join-singleton', { requests: [issued] }, { hubSecret }));
    is(verdict, 'failed', /its agent has a certificate, and the ITS has no ManagedCluster of it/);
    assert.match(stepsOf(verdict), /stellarctl wec join cluster1=cluster1$/);
  });
  test('names the ITS in its next step, if it is known', () => {
    const verdict = of({
      ...onBothSides('join-singleton', { requests: [issued] }, { hubSecret }),
      its: 'its1',
    });
    assert.match(stepsOf(verdict), /wec join cluster1=cluster1 --its its1$/);
  });
  test('fails the same way from the hub alone, once the certificate is a while old', () => {
    is(of(onHub({ requests: [issued] })), 'waiting');
    const old = { ...issued, decided: now - 60_000 };
    is(of(onHub({ requests: [old] })), 'failed', /its agent has a certificate/);
  });
  test('names the given context in its next step, even if its cluster does not answer', () => {
    const old = { ...issued, decided: now - 60_000 };
    const verdict = of({ ...onHub({ requests: [old] }), context: 'kind-1', its: 'its1' });
    assert.match(stepsOf(verdict), /wec join cluster1=kind-1 --its its1$/);
  });
  test('waits for a webhook that does not answer, regardless of the age of the request', () => {
    const webhook = {
      state: 'silent',
      why: "OCM's webhook does not answer",
      next: [run('x', 'Restart it')],
    } as const;
    const old = { ...pending, created: now - 600_000 };
    is(of({ ...onHub({ requests: [old] }), webhook }), 'waiting', /webhook does not answer/);
    is(of(onHub({ requests: [old] })), 'failed', /could not announce/);
  });
});

describe('from the WEC alone', () => {
  const text = (situation: string | Condition[], wec: Parameters<typeof wecEvidence>[1] = {}) =>
    described({ wec: wecEvidence(situation, wec) }).text;
  test('issued and connected, which it does not show, are not reported', () => {
    assert.equal(text('accepted-not-approved'), 'registration requested, no certificate yet');
    assert.equal(text('approved-not-accepted', { hubSecret }), 'not connected yet');
    assert.equal(
      described(
        onBothSides('accepted-not-approved', { managedCluster: announced, requests: [issued] }),
      ).text,
      'registration requested, no certificate yet',
    );
  });
});

describe('hub-reachable', () => {
  const condition = (reason: string, message: string): Condition[] => [
    { type: 'HubConnectionDegraded', status: 'True', reason, message },
  ];
  const message = (situation: string) =>
    recordedConditions[situation]?.find(({ type }) => type === 'HubConnectionDegraded')?.message ??
    assert.fail();
  const of = (conditions: string | Condition[], wec: Parameters<typeof wecEvidence>[1] = {}) =>
    verdictOf('hub-reachable', { wec: wecEvidence(conditions, wec) });

  test("waits for the operator's check", () => {
    is(of([]), 'waiting');
    is(of([{ type: 'HubConnectionDegraded', status: 'Unknown' }]), 'waiting');
  });
  test('fails for a token without permissions, and names their source', () => {
    const verdict = of(
      condition(
        'BootstrapSecretUnauthorized,HubKubeConfigSecretMissing',
        'Operation for resource … is not allowed',
      ),
    );
    is(verdict, 'failed', /not allowed to register/);
    assert.match(stepsOf(verdict), /open-cluster-management:bootstrap/);
  });
  test("is met if the hub's certificate authority changed after the join, and the bootstrap secret has the new one", () => {
    is(of(condition('BootstrapSecretFunctional,HubKubeConfigError', 'x509'), { hubSecret }), 'met');
  });
  test('waits if the operator may have tried an earlier token', () => {
    const refused = condition(
      'BootstrapSecretError,HubKubeConfigSecretMissing',
      message('garbage-token'),
    );
    const writtenBefore = (seconds: number) => {
      const secret = wecEvidence([]).bootstrapSecret ?? assert.fail();
      const creationTimestamp = new Date(now - seconds * 1000).toISOString();
      return {
        bootstrapSecret: { ...secret, metadata: { ...secret.metadata, creationTimestamp } },
      };
    };
    is(of(refused, writtenBefore(50)), 'waiting', /not tried the new/);
    is(of(refused, writtenBefore(70)), 'failed');
  });
  test('waits if the operator has tried the server of an earlier bootstrap secret', () => {
    const review = (server: string) =>
      `Failed to create &SelfSubjectAccessReview{…} with bootstrap secret "open-cluster-management-agent"/"bootstrap-hub-kubeconfig" to apiserver ${server}: Post "${server}/apis": dial tcp 10.0.0.1:6443: connect: connection refused`;
    const written = bootstrapSecret(
      { server: 'https://hub:443', certificateAuthority: 'CA', proxyUrl: undefined },
      't',
    );
    const refused = (server: string) =>
      of(condition('BootstrapSecretError,HubKubeConfigSecretMissing', review(server)), {
        bootstrapSecret: written as Secret,
      });
    is(refused('https://hub:31928'), 'waiting', /not tried the new address/);
    is(refused('https://hub:443'), 'failed', /connection refused$/);
  });
  // The operator checks again only after minutes; the hub's state is newer.
  test('is met if the hub shows the cluster as available, whatever the Klusterlet said last', () => {
    is(
      verdictOf(
        'hub-reachable',
        onBothSides(
          'wrong-port',
          { managedCluster: joinedCluster(), lease: lease(10) },
          { hubSecret },
        ),
      ),
      'met',
    );
  });
  // The bootstrap token has expired while the cluster waits for its acceptance; its own certificate is answered.
  test("is met if the hub has answered the agent's own certificate", () => {
    const expired = `${message('garbage-token').split('\n')[0]}\n${message('approved-not-accepted').split('\n')[1]}`;
    is(
      of(condition('BootstrapSecretError,HubKubeConfigUnauthorized', expired), { hubSecret }),
      'met',
    );
  });
});

describe('the transport error', () => {
  test('of a message without a quoted review is its first line', () =>
    assert.equal(wordsOf('something else\nand more'), 'something else'));
  test('of an empty message is empty', () => assert.equal(wordsOf(''), ''));
  test('never quotes the review', () => {
    for (const [situation, conditions] of Object.entries(recordedConditions)) {
      const {
        message = '',
        status,
        reason = '',
      } = conditions.find(({ type }) => type === 'HubConnectionDegraded') ?? assert.fail();
      if (status === 'True' && reason.startsWith('BootstrapSecretError'))
        assert.doesNotMatch(
          wordsOf(message),
          /SelfSubjectAccessReview|ResourceAttributes/,
          situation,
        );
    }
  });
});

describe('issued', () => {
  const approved = (decidedAgo: number) => request({ state: 'approved', decidedAgo });
  const of = async (...requests: Parameters<typeof request>[0][]) =>
    verdictOf(
      'issued',
      onHub({ managedCluster: announced, requests: await Promise.all(requests.map(request)) }),
    );
  test('waits for a signer with a new request', async () =>
    is(await of({ state: 'approved', decidedAgo: 2 }), 'waiting', /being issued/));
  test('fails if there is no signer', async () =>
    is(await of({ state: 'approved', decidedAgo: 60 }), 'failed', /does not sign/));
  test('fails if the signer refuses', async () =>
    is(await of({ state: 'failed', decidedAgo: 1 }), 'failed'));
  test('is met by another issued request', async () =>
    is(await of({ state: 'issued' }, { state: 'approved', decidedAgo: 60 }), 'met'));
  test('uses the clock of the ITS', async () => {
    const hub = hubEvidence({ managedCluster: announced, requests: [await approved(2)] });
    is(verdictOf('issued', { hub, now: now + 60_000 }), 'failed');
  });
});

describe('approved', () => {
  const of = async (...requests: Parameters<typeof request>[0][]) =>
    verdictOf(
      'approved',
      onHub({ managedCluster: announced, requests: await Promise.all(requests.map(request)) }),
    );
  test('waits for a new request after a denied one', async () =>
    is(await of({ state: 'denied' }, { name: 'second' }), 'waiting', /second is pending/));
  test('is met by a request that could not be issued', async () =>
    is(await of({ state: 'failed' }), 'met'));
  test('does not count renewals', async () =>
    is(
      await of({ state: 'issued', username: 'system:open-cluster-management:cluster1:agent-a' }),
      'waiting',
    ));
});

describe('accepted', () => {
  // The hub keeps its condition True while ManifestWorks exist.
  test('is not met if the acceptance was withdrawn, although the condition remains', () => {
    is(
      verdictOf(
        'accepted',
        onHub({ managedCluster: managedCluster({ accepted: true, accepts: false }) }),
      ),
      'waiting',
      /not accepted/,
    );
  });
});

describe('available', () => {
  const of = (options: Parameters<typeof joinedCluster>[0], leaseAge?: number) =>
    verdictOf(
      'available',
      onHub({
        managedCluster: joinedCluster(options),
        lease: leaseAge === undefined ? undefined : lease(leaseAge),
      }),
    );
  test('is met with a fresh lease, and without reading the lease', () => {
    is(of({}, 60), 'met');
    is(of({}), 'met');
  });
  test('waits for the lease of the running agent: that of the previous one is fresh for minutes', () => {
    const startedAgo = (seconds: number) => [
      wecPod('klusterlet'),
      wecPod('klusterlet-agent', [
        { name: 'a', state: { running: { startedAt: secondsAgo(seconds) } } },
      ]),
    ];
    const by = (pods: ReturnType<typeof startedAgo>) =>
      verdictOf(
        'available',
        onBothSides(
          'join-singleton',
          { managedCluster: joinedCluster(), lease: lease(20) },
          { hubSecret, pods },
        ),
      );
    const lock = 'after a kill it waits up to 2m43s for the lock of its predecessor';
    is(
      by(startedAgo(5)),
      'waiting',
      new RegExp(`was restarted and has not renewed its lease yet; ${lock}$`),
    );
    is(by(startedAgo(60)), 'met');
    is(by([...startedAgo(5), ...startedAgo(60)]), 'met');
  });
  test('names an operator without a pod, and what starts it: its agent reports without it', () => {
    const hub = { managedCluster: joinedCluster(), lease: lease(20) };
    const pods = [wecPod('klusterlet-agent')];
    const verdict = verdictOf('available', onBothSides('join-singleton', hub, { hubSecret, pods }));
    is(verdict, 'waiting', /^its operator has no pod$/);
    assert.match(stepsOf(verdict), /wec join cluster1=cluster1 --accept/);
  });
  test('fails if the hub has seen the lease stop', () =>
    is(of({ available: 'unknown' }, 400), 'failed', /^lease stopped 6m40s ago$/));
  test('fails if the hub has not seen yet that the lease has stopped', () =>
    is(of({}, 301), 'failed', /^lease stopped 5m1s ago$/));
  test('is met up to five times the period of the lease', () => is(of({}, 299), 'met'));
  test('does not count the age of the lease where OCM was told that the clocks differ', () => {
    const cluster = joinedCluster();
    cluster.metadata.annotations = {
      'registration.open-cluster-management.io/skip-clock-sync-check': 'true',
    };
    const by = (managedCluster: typeof cluster) =>
      verdictOf('available', onHub({ managedCluster, lease: lease(4000) }));
    is(by(cluster), 'met');
    cluster.metadata.annotations = {
      'registration.open-cluster-management.io/skip-clock-sync-check': 'false',
    };
    is(by(cluster), 'failed', /^lease stopped/);
  });
  test('uses the time of the condition if the lease is not seen', () =>
    is(of({ available: 'unknown' }), 'failed', /^lease stopped; the ITS noticed it 60s ago$/));
  test("fails with the agent's message if its API server is not healthy", () =>
    is(of({ available: 'no' }, 5), 'failed', /its API server is not healthy$/));
  test('says why its API server does not answer its agent', () => {
    const cluster = managedCluster({ accepted: true, joined: true, available: 'no' });
    const [condition] =
      cluster.status?.conditions?.filter(({ status }) => status === 'False') ?? [];
    assert.ok(condition);
    condition.message =
      'The kube-apiserver is not ok, status code: 0, Get "https://10.0.0.1/livez": dial tcp 10.0.0.1:443: connect: connection refused';
    is(
      verdictOf('available', onHub({ managedCluster: cluster })),
      'failed',
      /not healthy \(connection refused\)$/,
    );
  });
  test('fails if the clocks differ', () => is(of({ clockSynced: false }, 5), 'failed', /clocks/));
  test('waits for the first report', () =>
    is(
      verdictOf(
        'available',
        onHub({ managedCluster: managedCluster({ accepted: true, joined: true }) }),
      ),
      'waiting',
    ));

  // The hub itself creates the lease when a cluster is accepted, and no agent renews it.
  test('waits for a cluster that was accepted long ago and never joined', () => {
    const registration = onHub({
      managedCluster: managedCluster({ accepted: true, available: 'unknown' }),
      requests: [pending],
      lease: lease(400),
    });
    is(verdictOf('available', registration), 'waiting');
    assert.deepEqual(described(registration), {
      text: 'request pending',
      problem: false,
      why: 'request cluster1-agent-a is pending',
    });
  });
  // A restarted agent has renewed its lease before it reports it.
  test('waits if the lease is fresh again', () => is(of({ available: 'unknown' }, 5), 'waiting'));
});

test('ages are relative to the clock of the ITS', () => {
  const stopped = { ...lease(0), spec: { renewTime: secondsAgo(-1000) } };
  is(
    verdictOf('available', {
      hub: hubEvidence({ managedCluster: joinedCluster(), lease: stopped }),
      now: now + 1_400_000,
    }),
    'failed',
    /^lease stopped 6m40s ago$/,
  );
});

test('connected waits for an agent whose certificate the hub has not accepted', () => {
  const notAccepted = { ...klusterlet('approved-not-accepted') };
  is(
    verdictOf('connected', { wec: wecEvidence([], { klusterlet: notAccepted }) }),
    'waiting',
    /connecting/,
  );
});

test("connected fails if the hub's certificate authority changed after the join", () => {
  const review =
    'Failed to create &SelfSubjectAccessReview{…} with hub config secret "open-cluster-management-agent"/"hub-kubeconfig-secret" to apiserver https://h:6443: Post "https://h:6443/apis": tls: x509: unknown';
  const conditions: Condition[] = [
    {
      type: 'HubConnectionDegraded',
      status: 'True',
      reason: 'BootstrapSecretFunctional,HubKubeConfigError',
      message: `Bootstrap secret … is configured correctly\n${review}`,
    },
  ];
  is(
    verdictOf('connected', { wec: wecEvidence(conditions, { hubSecret }) }),
    'failed',
    /^tls: x509: unknown$/,
  );
});

test('a rejection by the hub is shown without the review that it answers', () => {
  const recorded = recordedConditions['approved-not-accepted'] ?? [];
  const message = recorded.find(({ type }) => type === 'HubConnectionDegraded')?.message;
  assert.equal(
    wordsOf(message ?? ''),
    'it is not allowed to get certificatesigningrequests on the hub',
  );
});

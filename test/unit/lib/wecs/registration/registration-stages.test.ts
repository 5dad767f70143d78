import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { run } from '../../../../../src/lib/core/next-step.ts';
import type { Verdict } from '../../../../../src/lib/core/stages.ts';
import type { Condition, Pod, Secret } from '../../../../../src/lib/kube/client/objects.ts';
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
const described = (registration: Partial<Registration>) =>
  describeRegistration(judged(registration));
/** The verdicts in the order of the stages, by their first letters: m, w, f, u. */
const letters = (registration: Partial<Registration>) =>
  judged(registration)
    .map(({ verdict }) => verdict.state[0])
    .join('');

function is(verdict: Verdict, state: Verdict['state'], why?: RegExp) {
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
const onWec = (...wec: Parameters<typeof wecEvidence>): Partial<Registration> => ({
  wec: wecEvidence(...wec),
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
  assert.equal(letters(onWec('join-singleton', { hubSecret })), 'mmmmmmmmmmuu');
});

/** Tests of the verdicts of one stage. */
function areJudged(
  id: string,
  cases: [
    what: string,
    registration: Partial<Registration>,
    state: Verdict['state'],
    why?: RegExp,
    steps?: RegExp,
  ][],
) {
  describe(id, () => {
    for (const [what, registration, state, why, steps = /(?:)/] of cases)
      test(what, () => {
        const verdict = verdictOf(id, registration);
        is(verdict, state, why);
        assert.match(stepsOf(verdict), steps);
      });
  });
}

const operator = wecPod('klusterlet');
const agent = wecPod('klusterlet-agent');
const withPods = (...pods: Pod[]) => onWec('join-singleton', { pods });
const withAgent = (status: Parameters<typeof wecPod>[1]) =>
  withPods(operator, wecPod('klusterlet-agent', status));
const crashed = { name: 'a', restartCount: 4, lastState: { terminated: { exitCode: 1 } } };
const hosted = {
  ...klusterlet(),
  spec: { clusterName: 'cluster1', deployOption: { mode: 'Hosted' as const } },
};

const withoutPods = (labels: Record<string, string>) =>
  onWec('join-singleton', {
    pods: [],
    operator: { metadata: { name: 'klusterlet', labels }, spec: { replicas: 0 } },
  });

areJudged('klusterlet-applied', [
  ['waits for the Klusterlet', onWec([], { klusterlet: undefined }), 'waiting', /no Klusterlet/],
  [
    'waits for a starting operator',
    onWec([], { operator: undefined }),
    'waiting',
    /operator is starting/,
  ],
  ['waits for an idle operator', onWec([]), 'waiting', /has not acted/],
  [
    "fails with the operator's words",
    onWec([
      { type: 'Applied', status: 'False', reason: 'KlusterletApplyFailed', message: 'no right' },
    ]),
    'failed',
    /no right/,
  ],
  [
    'fails when an image cannot be pulled',
    withPods(wecPod('klusterlet', waitingFor('ImagePullBackOff'))),
    'failed',
    /pod klusterlet-1, container main: the image .* cannot be pulled \(ImagePullBackOff\)/,
  ],
  [
    'fails if the agent crashes',
    withAgent([{ ...crashed, state: { waiting: { reason: 'CrashLoopBackOff' } } }]),
    'failed',
    /it keeps crashing \(exit 1, restarted 4 times\)/,
  ],
  [
    'fails if the agent crashes, even during a retry',
    withAgent([{ ...crashed, ready: false, state: { running: {} } }]),
    'failed',
    /it keeps crashing/,
  ],
  [
    'is met by an agent that has crashed and is ready',
    withAgent([{ ...crashed, ready: true, state: { running: {} } }]),
    'met',
  ],
  [
    'waits for an agent that is starting',
    withAgent(waitingFor('ContainerCreating')),
    'waiting',
    /pod klusterlet-agent-1 .* is starting/,
  ],
  [
    'is met while another pod of the same agent runs',
    withPods(operator, wecPod('klusterlet-agent', waitingFor('ImagePullBackOff')), agent),
    'met',
  ],
  [
    'fails without a pod of the agent, whatever the conditions say',
    withPods(operator),
    'failed',
    /^the agent has no pod$/,
  ],
  [
    'fails without any pod, and scales the operator of another owner up',
    withoutPods({}),
    'failed',
    /^neither the operator nor the agent has a pod$/,
    /-n open-cluster-management scale deployment klusterlet --replicas 1/,
  ],
  [
    'fails without any pod, and has an operator of stellarctl installed again',
    withoutPods({ 'app.kubernetes.io/managed-by': 'stellarctl' }),
    'failed',
    /^neither the operator nor the agent has a pod$/,
    /wec join .*--accept/,
  ],
  [
    'is met if pods are unseen, which proves nothing',
    onWec('join-singleton', { pods: undefined }),
    'met',
  ],
  [
    'fails if the only pod of the agent is being deleted',
    withPods(operator, { ...agent, metadata: { ...agent.metadata, deletionTimestamp: 'now' } }),
    'failed',
    /^the agent has no pod$/,
  ],
  [
    'is met without pods in mode Hosted',
    onWec('join-singleton', { pods: [], klusterlet: hosted }),
    'met',
  ],
]);

const pendingLong = onHub({ requests: [{ ...pending, created: now - 600_000 }] });

areJudged('managed-cluster', [
  [
    'fails while the ManagedCluster is being deleted',
    onHub({ managedCluster: managedCluster({ deleting: true }) }),
    'failed',
    /being deleted/,
  ],
  [
    'fails at once for an agent that has its certificate: it does not announce itself again',
    onBothSides('join-singleton', { requests: [issued] }, { hubSecret }),
    'failed',
    /its agent has a certificate, and the ITS has no ManagedCluster of it/,
    /stellarctl wec join cluster1=cluster1$/,
  ],
  [
    'waits from the hub alone while the certificate is new',
    onHub({ requests: [issued] }),
    'waiting',
  ],
  [
    'fails the same way from the hub alone, once the certificate is a while old',
    {
      ...onHub({ requests: [{ ...issued, decided: now - 60_000 }] }),
      context: 'kind-1',
      its: 'its1',
    },
    'failed',
    /its agent has a certificate/,
    /wec join cluster1=kind-1 --its its1$/,
  ],
  [
    'waits for a webhook that does not answer, regardless of the age of the request',
    {
      ...pendingLong,
      webhook: {
        state: 'silent',
        why: "OCM's webhook does not answer",
        next: [run('x', 'Restart it')],
      },
    },
    'waiting',
    /webhook does not answer/,
    /^Restart it: x$/,
  ],
  [
    'fails for an old request otherwise',
    { ...pendingLong, context: 'kind-1', its: 'its1' },
    'failed',
    /could not announce itself$/,
    /^Register it again: stellarctl wec join cluster1=kind-1 --its its1$/,
  ],
]);

test('from the WEC alone, issued and connected, which it does not show, are not reported', () => {
  const requested = 'registration requested, no certificate yet';
  assert.equal(described(onWec('accepted-not-approved')).text, requested);
  assert.equal(described(onWec('approved-not-accepted', { hubSecret })).text, 'not connected yet');
  assert.equal(
    described(
      onBothSides('accepted-not-approved', { managedCluster: announced, requests: [issued] }),
    ).text,
    requested,
  );
});

/** An operator that reports this about the hub. */
const reporting = (
  reason: string,
  message: string,
  wec: Parameters<typeof wecEvidence>[1] = {},
): Partial<Registration> =>
  onWec([{ type: 'HubConnectionDegraded', status: 'True', reason, message }], wec);
const messageOf = (situation: string) =>
  recordedConditions[situation]?.find(({ type }) => type === 'HubConnectionDegraded')?.message ??
  assert.fail();
const noToken = 'BootstrapSecretError,HubKubeConfigSecretMissing';
const server = 'https://hub:443';
const written = bootstrapSecret(
  { server, certificateAuthority: 'CA', proxyUrl: undefined },
  't',
) as Secret;
/** A bootstrap secret that was created a while ago, and rewritten since unless both are one. */
const writtenBefore = (seconds: number, created = 100) => ({
  bootstrapSecret: {
    metadata: {
      ...written.metadata,
      creationTimestamp: secondsAgo(created),
      managedFields: [{ manager: 'stellarctl', time: secondsAgo(seconds) }],
    },
  },
});
const refusedBy = (tried: string) =>
  reporting(
    noToken,
    `Failed to create &SelfSubjectAccessReview{…} with bootstrap secret "open-cluster-management-agent"/"bootstrap-hub-kubeconfig" to apiserver ${tried}: Post "${tried}/apis": dial tcp 10.0.0.1:6443: connect: connection refused`,
    { bootstrapSecret: written },
  );

areJudged('hub-reachable', [
  ["waits for the operator's check", onWec([]), 'waiting'],
  [
    "waits while the operator's check is unknown",
    onWec([{ type: 'HubConnectionDegraded', status: 'Unknown' }]),
    'waiting',
  ],
  [
    'fails for a token without permissions, and names their source',
    reporting(
      'BootstrapSecretUnauthorized,HubKubeConfigSecretMissing',
      'Operation for resource … is not allowed',
    ),
    'failed',
    /not allowed to register/,
    /open-cluster-management:bootstrap/,
  ],
  [
    "is met if the hub's certificate authority changed after the join, and the bootstrap secret has the new one",
    reporting('BootstrapSecretFunctional,HubKubeConfigError', 'x509', { hubSecret }),
    'met',
  ],
  [
    'waits if the operator may have tried an earlier token',
    reporting(noToken, messageOf('garbage-token'), writtenBefore(50)),
    'waiting',
    /not tried the new/,
  ],
  [
    'fails if it has tried this one',
    reporting(noToken, messageOf('garbage-token'), writtenBefore(70)),
    'failed',
  ],
  [
    'fails at once if there was no other: of a join file, with a step to a new one',
    { ...reporting(noToken, messageOf('garbage-token'), writtenBefore(6, 6)), hub: undefined },
    'failed',
    /does not accept the bootstrap token/,
    /Ask the administrator of the ITS for a new one/,
  ],
  [
    'waits if the operator has tried the server of an earlier bootstrap secret',
    refusedBy('https://hub:31928'),
    'waiting',
    /not tried the new address/,
  ],
  [
    'fails if it has tried the server of this one',
    refusedBy(server),
    'failed',
    /connection refused$/,
  ],
  // The operator checks again only after minutes; the hub's state is newer.
  [
    'is met if the hub shows the cluster as available, whatever the Klusterlet said last',
    onBothSides('wrong-port', { managedCluster: joinedCluster(), lease: lease(10) }, { hubSecret }),
    'met',
  ],
  // The bootstrap token has expired while the cluster waits for its acceptance; its own certificate is answered.
  [
    "is met if the hub has answered the agent's own certificate",
    reporting(
      'BootstrapSecretError,HubKubeConfigUnauthorized',
      `${messageOf('garbage-token').split('\n')[0]}\n${messageOf('approved-not-accepted').split('\n')[1]}`,
      { hubSecret },
    ),
    'met',
  ],
]);

test('the transport error of a message is shown without the review that it answers', () => {
  const words: [message: string, words: string][] = [
    ['something else\nand more', 'something else'],
    ['', ''],
    [
      messageOf('approved-not-accepted'),
      'it is not allowed to get certificatesigningrequests on the hub',
    ],
  ];
  for (const [message, expected] of words)
    assert.equal(readHubConnection({ status: 'True', message }).error.words, expected);
});

const withRequests = async (...requests: Parameters<typeof request>[0][]) =>
  onHub({ managedCluster: announced, requests: await Promise.all(requests.map(request)) });
const approvedNow = await withRequests({ state: 'approved', decidedAgo: 2 });
const notIssued = await withRequests({ state: 'failed', decidedAgo: 1 });

areJudged('issued', [
  ['waits for a signer with a new request', approvedNow, 'waiting', /being issued/],
  [
    'fails if there is no signer',
    await withRequests({ state: 'approved', decidedAgo: 60 }),
    'failed',
    /does not sign/,
  ],
  ['fails if the signer refuses', notIssued, 'failed'],
  [
    'is met by another issued request',
    await withRequests({ state: 'issued' }, { state: 'approved', decidedAgo: 60 }),
    'met',
  ],
  ['uses the clock of the ITS', { ...approvedNow, now: now + 60_000 }, 'failed'],
]);

areJudged('approved', [
  [
    'waits for a new request after a denied one',
    await withRequests({ state: 'denied' }, { name: 'second' }),
    'waiting',
    /second is pending/,
  ],
  ['is met by a request that could not be issued', notIssued, 'met'],
  [
    'does not count renewals',
    await withRequests({
      state: 'issued',
      username: 'system:open-cluster-management:cluster1:agent-a',
    }),
    'waiting',
  ],
]);

areJudged('accepted', [
  // The hub keeps its condition True while ManifestWorks exist.
  [
    'is not met if the acceptance was withdrawn, although the condition remains',
    onHub({ managedCluster: managedCluster({ accepted: true, accepts: false }) }),
    'waiting',
    /not accepted/,
  ],
]);

const reported = (options: Parameters<typeof joinedCluster>[0], leaseAge?: number) =>
  onHub({
    managedCluster: joinedCluster(options),
    lease: leaseAge === undefined ? undefined : lease(leaseAge),
  });
const startedAgo = (seconds: number) =>
  wecPod('klusterlet-agent', [
    { name: 'a', state: { running: { startedAt: secondsAgo(seconds) } } },
  ]);
const reportedWith = (...pods: Pod[]) =>
  onBothSides(
    'join-singleton',
    { managedCluster: joinedCluster(), lease: lease(20) },
    { hubSecret, pods },
  );
const clusterTold = (skipsClockCheck: 'true' | 'false') => {
  const cluster = joinedCluster();
  cluster.metadata.annotations = {
    'registration.open-cluster-management.io/skip-clock-sync-check': skipsClockCheck,
  };
  return onHub({ managedCluster: cluster, lease: lease(4000) });
};
const unhealthy = managedCluster({ accepted: true, joined: true, available: 'no' });
Object.assign(unhealthy.status?.conditions?.at(-1) ?? assert.fail(), {
  message:
    'The kube-apiserver is not ok, status code: 0, Get "https://10.0.0.1/livez": dial tcp 10.0.0.1:443: connect: connection refused',
});
// The hub itself creates the lease when a cluster is accepted, and no agent renews it.
const neverJoined = onHub({
  managedCluster: managedCluster({ accepted: true, available: 'unknown' }),
  requests: [pending],
  lease: lease(400),
});

areJudged('available', [
  ['is met with a fresh lease', reported({}, 60), 'met'],
  ['is met without reading the lease', reported({}), 'met'],
  [
    'waits for the lease of the running agent: that of the previous one is fresh for minutes',
    reportedWith(operator, startedAgo(5)),
    'waiting',
    /was restarted and has not renewed its lease yet; after a kill it waits up to 2m43s for the lock of its predecessor$/,
  ],
  ['is met if the lease was renewed since', reportedWith(operator, startedAgo(60)), 'met'],
  [
    'is met if one of several agents may have renewed the lease',
    reportedWith(operator, startedAgo(5), startedAgo(60)),
    'met',
  ],
  [
    'names an operator without a pod, and what starts it: its agent reports without it',
    reportedWith(agent),
    'waiting',
    /^its operator has no pod$/,
    /wec join cluster1=cluster1 --accept/,
  ],
  [
    'fails if the hub has seen the lease stop',
    reported({ available: 'unknown' }, 400),
    'failed',
    /^lease stopped 6m40s ago$/,
  ],
  [
    'fails if the hub has not seen yet that the lease has stopped',
    reported({}, 301),
    'failed',
    /^lease stopped 5m1s ago$/,
  ],
  ['is met up to five times the period of the lease', reported({}, 299), 'met'],
  [
    'does not count the age of the lease where OCM was told that the clocks differ',
    clusterTold('true'),
    'met',
  ],
  ['counts it where OCM was told the opposite', clusterTold('false'), 'failed', /^lease stopped/],
  [
    'uses the time of the condition if the lease is not seen',
    reported({ available: 'unknown' }),
    'failed',
    /^lease stopped; the ITS noticed it 60s ago$/,
  ],
  [
    "fails with the agent's message if its API server is not healthy",
    reported({ available: 'no' }, 5),
    'failed',
    /its API server is not healthy$/,
  ],
  [
    'says why its API server does not answer its agent',
    onHub({ managedCluster: unhealthy }),
    'failed',
    /not healthy \(connection refused\)$/,
  ],
  ['fails if the clocks differ', reported({ clockSynced: false }, 5), 'failed', /clocks/],
  [
    'waits for the first report',
    onHub({ managedCluster: managedCluster({ accepted: true, joined: true }) }),
    'waiting',
  ],
  ['waits for a cluster that was accepted long ago and never joined', neverJoined, 'waiting'],
  // A restarted agent has renewed its lease before it reports it.
  ['waits if the lease is fresh again', reported({ available: 'unknown' }, 5), 'waiting'],
  [
    'counts ages from the clock of the ITS',
    { ...reported({}, -1000), now: now + 1_400_000 },
    'failed',
    /^lease stopped 6m40s ago$/,
  ],
]);

test('a cluster that was accepted long ago and never joined is described by its request', () =>
  assert.deepEqual(described(neverJoined), {
    text: 'request pending',
    problem: false,
    why: 'request cluster1-agent-a is pending',
  }));

areJudged('connected', [
  [
    'waits for an agent whose certificate the hub has not accepted',
    onWec('approved-not-accepted'),
    'waiting',
    /connecting/,
  ],
  [
    "fails if the hub's certificate authority changed after the join",
    reporting(
      'BootstrapSecretFunctional,HubKubeConfigError',
      `Bootstrap secret … is configured correctly
Failed to create &SelfSubjectAccessReview{…} with hub config secret "open-cluster-management-agent"/"hub-kubeconfig-secret" to apiserver https://h:6443: Post "https://h:6443/apis": tls: x509: unknown`,
      { hubSecret },
    ),
    'failed',
    /^tls: x509: unknown$/,
  ],
]);

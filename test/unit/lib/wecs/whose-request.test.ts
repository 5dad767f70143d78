import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  CertificateSigningRequest,
  KubeObject,
  Secret,
} from '../../../../src/lib/kube/client/objects.ts';
import { bootstrapSecret } from '../../../../src/lib/ocm/agent/klusterlet-agent.ts';
import { accessHub } from '../../../../src/lib/ocm/hub/hub-access.ts';
import { emptyEvidence, type HubEvidence } from '../../../../src/lib/ocm/hub/hub-evidence.ts';
import { followOnHub, newResult } from '../../../../src/lib/wecs/follow/follow-registration.ts';
import { followed } from '../../../../src/lib/wecs/join/join.ts';
import { type JoinPlan, planJoin } from '../../../../src/lib/wecs/join/join-plan.ts';
import { hubReads } from '../../../../src/lib/wecs/join/join-requirements.ts';
import { plannedJoin, startedJoin } from '../../../../src/lib/wecs/join/joining.ts';
import { makeAccount, removeAccount } from '../../../../src/lib/wecs/registration/own-requests.ts';
import {
  bootstrapUser,
  type CsrOptions,
  csr,
  fakeKube,
  klusterlet,
  managedCluster,
  now,
  run,
  tokenWith,
  wecEvidence,
  wecPod,
} from '../../support/builders.ts';
import { discoveryOf } from '../../support/discovery.ts';
import { kindOf, MemoryCluster } from '../../support/space-builders.ts';
import { matches } from '../../support/steps.ts';

const endpoint = { server: 'https://its1:6443', certificateAuthority: 'CA', proxyUrl: undefined };

/** A request for cluster2. @param jti the id of the token that it was sent with; undefined if the ITS does not record it */
async function sent(options: CsrOptions & { jti?: string }): Promise<CertificateSigningRequest> {
  const made = await csr({ cluster: 'cluster2', key: options.agent ?? 'own', ...options });
  if (options.jti !== undefined)
    made.spec.extra = { 'authentication.kubernetes.io/credential-id': [`JTI=${options.jti}`] };
  return kindOf('CertificateSigningRequest', {
    ...made,
    metadata: { ...made.metadata, uid: `uid-of-${made.metadata.name}` },
  });
}

function ofCluster2(mode: 'Default' | 'Singleton') {
  const present = klusterlet('denied', mode);
  return { ...present, spec: { ...present.spec, clusterName: 'cluster2' } };
}

/** Follows `wec join cluster2 --accept` for a moment. @returns what it wrote to the ITS and to the WEC, and its error */
async function joined(
  requests: CertificateSigningRequest[],
  {
    mode = 'Default',
    token = tokenWith({ jti: 'of-cluster2' }),
  }: { mode?: 'Default' | 'Singleton'; token?: string } = {},
) {
  const writes: string[] = [];
  const hub = new MemoryCluster(
    [kindOf('ManagedCluster', managedCluster({ name: 'cluster2' })), ...requests],
    {
      replace: async ({ kind }, object, subresource) => {
        writes.push(`${subresource} ${kind} ${object.metadata.name}`);
        return object;
      },
    },
  );
  const own = ofCluster2(mode);
  const secret = bootstrapSecret(endpoint, token, now - 600_000) as Secret;
  const apps = ['klusterlet', 'klusterlet-agent', 'klusterlet-registration-agent'];
  const wec = new MemoryCluster([
    kindOf('Klusterlet', own),
    kindOf('Secret', secret),
    ...apps.map((app) => kindOf('Pod', wecPod(app))),
  ]);
  const plan = {
    name: 'cluster2',
    kube: wec.kube,
    endpoint,
    reregister: undefined,
    uid: undefined,
    wecBefore: wecEvidence('denied', { klusterlet: own, bootstrapSecret: secret }),
    hubBefore: emptyEvidence('cluster2'),
    identity: { state: 'unseen', found: '' },
  } as unknown as JoinPlan;
  const access = { its: 'its1', kube: hub.kube, token: async () => 'another' };
  const options = { accept: true, labels: {} };
  const asked = { access, options, run: run(300), result: newResult('cluster2') };
  const planned = plannedJoin(asked as never, plan);
  const subject = followed(await startedJoin(planned));
  const read = (_: unknown, ofHub: HubEvidence | undefined) => subject.read(ofHub);
  const [{ error } = {}] = await followOnHub(hub.kube, [subject], read, run(300));
  const once = (each: readonly string[]) => [...new Set(each)];
  const accepted = once(hub.writes.filter((each) => each.startsWith('merge')));
  return { approved: once(writes), accepted, wec: wec.writes, error };
}

test('the bootstrap token of a WEC is made for it alone, when several join in one run', async () => {
  let count = 0;
  const create = (async () => ({ status: { token: `token-${++count}` } })) as never;
  const hub = new MemoryCluster([], { create, read: discoveryOf() });
  const context = {
    name: 'its1',
    server: 'https://its1',
    cluster: { server: 'https://its1' },
    user: {},
  };
  const access = await accessHub({ kube: hub.kube, context });
  assert.notEqual(await access.token(), await access.token());
});

const evil = { name: 'other', agent: 'evil' };
const ofOther = { ...evil, jti: 'of-cluster1' };
const ofToken = {
  ...{ name: 'token', agent: 'evil', username: 'system:bootstrap:abcdef' },
  groups: ['system:bootstrappers', 'system:bootstrappers:managedcluster', 'system:authenticated'],
};
const withToken = { name: 'own', agent: 'agent-2', jti: 'of-cluster2', age: 5 };
const user = 'system:serviceaccount:open-cluster-management:stellarctl-bootstrap-cluster2';
const account = { token: tokenWith({ sub: user }) };
const ofAccount = { ...bootstrapUser, agent: 'agent-2', age: 5 };
const singleton = { mode: 'Singleton' } as const;
const ofKlusterlet = { name: 'own', agent: 'agent-a', age: 5 };
const forged = { name: 'forged', agent: 'agent-a', key: 'evil', jti: 'of-cluster1' };

/** Of each, whether the request `own` is approved. */
const cases: [
  what: string,
  requests: Parameters<typeof sent>[0][],
  isApproved: boolean,
  options?: Parameters<typeof joined>[1],
][] = [
  ['in mode Default the request that was sent with the token of this WEC', [withToken], true],
  ['in mode Default no request of another WEC, which asks first', [ofOther], false],
  ['in mode Default no request of a holder of another bootstrap token', [ofToken], false],
  ['in mode Default only its own of several', [ofOther, ofToken, withToken], true],
  [
    'on a hub that does not record tokens the request of the service account that was made for this WEC, and no other',
    [evil, { ...ofAccount, name: 'own', username: user }],
    true,
    account,
  ],
  [
    'no request of the service account of another WEC',
    [{ ...ofAccount, name: 'other', username: user.replace('cluster2', 'cluster1') }],
    false,
    account,
  ],
  [
    'in mode Singleton no request that names its Klusterlet with the token of another WEC',
    [forged],
    false,
    singleton,
  ],
  [
    'in mode Singleton the request of its Klusterlet, if it was sent with the token of this WEC',
    [{ ...ofKlusterlet, jti: 'of-cluster2' }, forged],
    true,
    singleton,
  ],
  [
    'in mode Singleton the request of its Klusterlet on a hub that does not record tokens',
    [ofKlusterlet],
    true,
    singleton,
  ],
];

describe('a join approves', () => {
  for (const [what, requests, isApproved, options] of cases)
    test(what, async () => {
      const { approved, accepted } = await joined(await Promise.all(requests.map(sent)), options);
      assert.deepEqual(
        [approved, accepted],
        isApproved
          ? [['approval CertificateSigningRequest own'], ['merge ManagedCluster cluster2']]
          : [[], []],
      );
    });
  test('none of several agents with its token: it makes the agent ask again with another one', async () => {
    const requests = await Promise.all(
      ['agent-1', 'agent-2'].map((agent) =>
        sent({ name: `csr-${agent}`, agent, jti: 'of-cluster2' }),
      ),
    );
    const { approved, accepted, wec } = await joined(requests);
    assert.deepEqual([approved, accepted], [[], []]);
    assert.deepEqual(wec.slice(0, 1), ['apply Secret bootstrap-hub-kubeconfig']);
  });
  test('nothing on a hub that does not record tokens, and says why, unless it may wait for its own', async () => {
    const { approved, accepted, error } = await joined([await sent(evil)]);
    assert.deepEqual([approved, accepted], [[], []]);
    assert.equal(error?.code, 'identity-unproven');
    matches(error?.message, /does not record/);
    const waiting = await joined([await sent(evil)], account);
    assert.deepEqual([waiting.approved, waiting.error?.code], [[], 'timeout']);
  });
});

describe('before a join in mode Default with --accept writes anything', () => {
  const role = kindOf('ClusterRole', { metadata: { name: 'open-cluster-management:bootstrap' } });
  /** @param minor the version of the hub @param lacking what this user may not create there */
  async function planned(
    minor: string,
    { lacking = '', roles = [role], accept = true, token = '' } = {},
  ) {
    const hub = new MemoryCluster(
      [kindOf('Namespace', { metadata: { name: 'kube-system', uid: 'its' } }), ...roles],
      {
        read: async (path) => (path === '/version' ? { major: '1', minor } : {}),
        mayI: async ({ resource }) => resource !== lacking,
        // It accepts the token of the WEC.
        fork: () => fakeKube({ review: async () => ({}) }),
      },
    );
    const secret = bootstrapSecret(endpoint, token, now, token === '' ? undefined : true) as Secret;
    const wec = new MemoryCluster([
      kindOf('Namespace', { metadata: { name: 'kube-system', uid: 'wec' } }),
      kindOf('Secret', secret),
      kindOf('Klusterlet', ofCluster2('Default')),
    ]);
    const access = {
      its: 'its1',
      kube: hub.kube,
      external: endpoint,
      internal: undefined,
      ocmVersion: '1.3.1',
    };
    const options = { accept, labels: {}, mode: 'Default', hubApiserver: 'context' } as const;
    const checks = {
      hub: hubReads(hub.kube, []),
      verify: async () => undefined,
      recheckConnection: async () => false,
    };
    const plan = await planJoin(
      access as never,
      { name: 'cluster2', kube: wec.kube },
      options,
      checks,
    );
    assert.deepEqual([...hub.writes, ...wec.writes], []);
    return { account: plan.account, isTokenShared: plan.reregister?.code === 'token-shared' };
  }
  test('it knows whether the hub records tokens, or the WEC needs a service account of its own', async () => {
    const made = 'stellarctl-bootstrap-cluster2';
    assert.deepEqual(await planned('31+'), { account: undefined, isTokenShared: true });
    assert.deepEqual(await planned('27'), { account: made, isTokenShared: true });
    assert.deepEqual(await planned('27', { accept: false }), {
      account: undefined,
      isTokenShared: false,
    });
  });
  test('it keeps a token that was made for this WEC alone', async () => {
    assert.equal((await planned('31', { token: tokenWith({ jti: 'a' }) })).isTokenShared, false);
    assert.equal((await planned('27', account)).isTokenShared, false);
  });
  test('it refuses if the hub does neither, and says why', async () => {
    const refused = {
      code: 'identity-unproven',
      message: /does not record.*you may not create clusterrolebindings/,
    };
    await assert.rejects(planned('27', { lacking: 'clusterrolebindings' }), refused);
  });
});

test('the service account of a WEC is removed by UID, if stellarctl has made it', async () => {
  const hub = new MemoryCluster();
  await makeAccount(hub.kube, 'cluster2');
  assert.deepEqual(hub.writes, [
    'apply ServiceAccount stellarctl-bootstrap-cluster2',
    'apply ClusterRoleBinding stellarctl-bootstrap-cluster2',
  ]);
  const made = hub.bodies.map((body) => {
    const object = body as KubeObject & { kind: string };
    return { ...object, metadata: { ...object.metadata, uid: `uid-of-${object.kind}` } };
  });
  const joinedHub = new MemoryCluster(made);
  await removeAccount(joinedHub.kube, 'cluster2');
  assert.deepEqual(joinedHub.bodies, ['uid-of-ClusterRoleBinding', 'uid-of-ServiceAccount']);
  const theirs = new MemoryCluster(
    made.map((object) => ({ ...object, metadata: { ...object.metadata, labels: {} } })),
  );
  await removeAccount(theirs.kube, 'cluster2');
  assert.deepEqual(theirs.writes, []);
});

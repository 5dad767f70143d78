import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import type { Secret } from '../../../../../src/lib/kube/client/objects.ts';
import type { ShownRegistration } from '../../../../../src/lib/ocm/agent/registered-hub.ts';
import { clusterUidAnnotation, recordUid } from '../../../../../src/lib/ocm/hub/cluster-uid.ts';
import { type KnownWec, proveIdentity } from '../../../../../src/lib/wecs/registration/identity.ts';
import {
  agentKeyPair,
  base64,
  fakeKube,
  klusterlet,
  managedCluster,
  wecPod,
} from '../../../support/builders.ts';

const answer = (status: number) => apiError({ context: 'c', server: 'https://c' }, status, '');

/** A cluster with this kube-system UID; undefined if that may not be read. */
const cluster = (uid: string | undefined, methods: Partial<Kube> = {}): Kube =>
  fakeKube({
    get: async () => {
      if (uid === undefined) throw answer(403);
      return { metadata: { name: 'kube-system', uid } };
    },
    list: async () => undefined,
    ...methods,
  });

/** A hub that accepts a certificate for review. @param username the review's result; a number for an error */
const hubSaying = (username: string | number): Kube =>
  cluster('uid-of-its', {
    fork: ({ user }) => {
      assert.ok(
        user?.['client-certificate-data'] && user['client-key-data'],
        'presented with key and certificate',
      );
      assert.equal(user.token, undefined);
      return fakeKube({
        review: async () => {
          if (typeof username === 'number') throw answer(username);
          return { status: { userInfo: { username } } };
        },
        mayI: async () => false,
      });
    },
  });

const own = 'system:open-cluster-management:cluster1:agent-a';
const known = ({
  recordedUid,
  ...more
}: Partial<KnownWec> & { recordedUid?: string } = {}): KnownWec => ({
  name: 'cluster1',
  endpoints: [{ server: 'https://its1.example.com', certificateAuthority: undefined }],
  managedCluster: recordedUid
    ? { metadata: { name: 'cluster1', annotations: { [clusterUidAnnotation]: recordedUid } } }
    : undefined,
  ...more,
});

const its2 = {
  server: 'https://its2.example.com',
  certificateAuthority: undefined,
  published: true,
};

const kubeconfigOf = (server: string): string =>
  base64(JSON.stringify({ clusters: [{ cluster: { server } }], users: [] }));

let pair: Record<string, string>;
before(async () => {
  pair = await agentKeyPair('cluster1', 'agent-a');
});

const hubSecret = (
  server = 'https://its1.example.com',
  data: Record<string, string> = pair,
): Secret => ({
  metadata: { name: 'hub-kubeconfig-secret' },
  data: { ...data, kubeconfig: kubeconfigOf(server) },
});
const shown = (more: Partial<ShownRegistration> = {}): ShownRegistration => ({
  klusterlet: klusterlet(),
  hubSecret: hubSecret(),
  bootstrapSecret: undefined,
  pods: [],
  ...more,
});

describe('the cluster behind a context', () => {
  it('is proven by the certificate of its agent', async () => {
    assert.deepEqual(await proveIdentity(hubSaying(own), cluster('uid-1'), shown(), known()), {
      state: 'proven',
    });
  });

  it('is proven by its certificate if the hub has no review that returns names', async () => {
    const identity = await proveIdentity(hubSaying(404), cluster('uid-1'), shown(), known());
    assert.deepEqual(identity, { state: 'proven' });
  });

  it('is unseen, not another one, if the certificate does not reach the hub', async () => {
    const identity = await proveIdentity(hubSaying(403), cluster('uid-1'), shown(), known());
    assert.deepEqual(identity, {
      state: 'unseen',
      found: 'the ITS does not see the certificate of its agent',
    });
  });

  it('is proven by the recorded UID if its certificate is missing or expired', async () => {
    const proven = { state: 'proven' };
    const recorded = known({ recordedUid: 'uid-1' });
    assert.deepEqual(
      await proveIdentity(hubSaying(401), cluster('uid-1'), shown(), recorded),
      proven,
    );
    const empty = shown({ klusterlet: undefined, hubSecret: undefined });
    assert.deepEqual(
      await proveIdentity(hubSaying(own), cluster('uid-1'), empty, recorded),
      proven,
    );
  });

  const others: [string, Kube, Kube, ShownRegistration, KnownWec, RegExp][] = [];
  before(() => {
    others.push(
      [
        'the ITS itself',
        hubSaying(own),
        cluster('uid-of-its'),
        shown(),
        known(),
        /is the ITS itself/,
      ],
      [
        'registered under another name',
        hubSaying(own),
        cluster('uid-1'),
        shown(),
        known({ name: 'cluster2' }),
        /is registered as cluster1/,
      ],
      [
        'a duplicate with the same certificate',
        hubSaying(own),
        cluster('uid-2'),
        shown(),
        known({ recordedUid: 'uid-1' }),
        /uid-2… *, and uid-1… was recorded/,
      ],
      [
        'one whose certificate is of another name',
        hubSaying('system:open-cluster-management:cluster11:agent-a'),
        cluster('uid-1'),
        shown(),
        known(),
        /certificate of its agent is that of system:open-cluster-management:cluster11:agent-a/,
      ],
      [
        'registered with another hub under the same name',
        hubSaying(401),
        cluster('uid-1'),
        shown({ hubSecret: hubSecret('https://its2.example.com') }),
        known({ recordedUid: 'uid-1' }),
        /registered with the hub https:\/\/its2/,
      ],
      [
        'registered with another hub, if a proxy hides its certificate from the ITS that had its UID recorded before',
        hubSaying(403),
        cluster('uid-1'),
        shown({ hubSecret: hubSecret('https://its2.example.com') }),
        known({ recordedUid: 'uid-1' }),
        /registered with the hub https:\/\/its2/,
      ],
      [
        'connected with another hub, whose address the ITS publishes, and which had its UID recorded before',
        hubSaying(401),
        cluster('uid-1'),
        shown({
          hubSecret: hubSecret('https://its2.example.com'),
          pods: [wecPod('klusterlet'), wecPod('klusterlet-agent')],
        }),
        known({ recordedUid: 'uid-1', endpoints: [...known().endpoints, its2] }),
        /registered with the hub https:\/\/its2\S+, and connected there$/,
      ],
    );
  });

  it('is another one', async () => {
    for (const [what, hub, wec, registration, wanted, found] of others) {
      const identity = await proveIdentity(hub, wec, registration, wanted);
      assert.equal(identity.state, 'other', what);
      assert.match(identity.state === 'other' ? identity.found : '', found, what);
    }
  });

  it('cannot be determined', async () => {
    const unseen = async (
      hub: Kube,
      wec: Kube,
      registration: ShownRegistration,
      wanted: KnownWec,
      found: RegExp,
    ) => {
      const identity = await proveIdentity(hub, wec, registration, wanted);
      assert.equal(identity.state, 'unseen');
      assert.match(identity.state === 'unseen' ? identity.found : '', found);
    };
    const empty = shown({ klusterlet: undefined, hubSecret: undefined });
    await unseen(hubSaying(own), cluster('uid-1'), empty, known(), /no Klusterlet/);
    const lists = (plural: string) => ({
      list: (async (resource: { plural: string }) =>
        resource.plural === plural ? [{}] : undefined) as unknown as Kube['list'],
    });
    await unseen(
      hubSaying(own),
      cluster('u', lists('clustermanagers')),
      empty,
      known(),
      /is an OCM hub/,
    );
    await unseen(
      hubSaying(own),
      cluster('u', lists('controlplanes')),
      empty,
      known(),
      /is a hosting cluster/,
    );
    await unseen(
      hubSaying(own),
      cluster('u', lists('appliedmanifestworks')),
      empty,
      known(),
      /1 work of a hub/,
    );
    await unseen(
      hubSaying(401),
      cluster('uid-1'),
      shown(),
      known(),
      /does not accept the certificate/,
    );
    await unseen(
      hubSaying(own),
      cluster(undefined),
      shown(),
      known({ recordedUid: 'u' }),
      /kube-system may not be read/,
    );
    const published = { endpoints: [...known().endpoints, its2] };
    const away = shown({ hubSecret: hubSecret('https://its2.example.com') });
    for (const wanted of [known(), known(published)])
      await unseen(
        hubSaying(own),
        cluster('uid-1'),
        away,
        wanted,
        /https:\/\/its2\S+, and nothing proves/,
      );
    const garbled = shown({
      hubSecret: hubSecret(undefined, { 'tls.crt': 'AAAA', 'tls.key': 'AAAA' }),
    });
    await unseen(hubSaying(own), cluster('uid-1'), garbled, known(), /cannot be read/);
  });

  it('is not proven while the ITS answers otherwise', async () => {
    await assert.rejects(
      proveIdentity(hubSaying(500), cluster('uid-1'), shown(), known()),
      /HTTP 500/,
    );
  });
});

describe('the UID of a WEC', () => {
  it('is recorded once', async () => {
    const patches: unknown[] = [];
    const hub = fakeKube({ merge: async (_, __, patch) => patches.push(patch) });
    const cluster1 = managedCluster();
    assert.equal(await recordUid(hub, cluster1, 'uid-1'), true);
    cluster1.metadata.annotations = { 'stellarctl.kubestellar.io/kube-system-uid': 'uid-1' };
    assert.equal(await recordUid(hub, cluster1, 'uid-2'), false);
    assert.equal(patches.length, 1);
  });
});

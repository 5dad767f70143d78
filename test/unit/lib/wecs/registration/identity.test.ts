import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import type { Secret } from '../../../../../src/lib/kube/client/objects.ts';
import type { ShownRegistration } from '../../../../../src/lib/ocm/agent/registered-hub.ts';
import { clusterUidAnnotation, recordUid } from '../../../../../src/lib/ocm/hub/cluster-uid.ts';
import {
  type Identity,
  type KnownWec,
  proveIdentity,
} from '../../../../../src/lib/wecs/registration/identity.ts';
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

const kubeconfigOf = (server: string) =>
  base64(JSON.stringify({ clusters: [{ cluster: { server } }], users: [] }));

const pair = await agentKeyPair('cluster1', 'agent-a');

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

interface Given {
  hub?: Kube;
  wec?: Kube;
  shows?: Partial<ShownRegistration>;
  knows?: Parameters<typeof known>[0];
}

const identityOf = ({ hub = hubSaying(own), wec = cluster('uid-1'), shows, knows }: Given) =>
  proveIdentity(hub, wec, shown(shows), known(knows));
const recorded = { recordedUid: 'uid-1' };
const empty = { klusterlet: undefined, hubSecret: undefined };
const away = { hubSecret: hubSecret('https://its2.example.com') };
const published = { endpoints: [...known().endpoints, its2] };
const running = [wecPod('klusterlet'), wecPod('klusterlet-agent')];
const serving = (plural: string) =>
  cluster('u', {
    list: (async (resource: { plural: string }) =>
      resource.plural === plural ? [{}] : undefined) as unknown as Kube['list'],
  });

const cases: [what: string, given: Given, state: Identity['state'], found?: RegExp][] = [
  ['is proven by the certificate of its agent', {}, 'proven'],
  [
    'is proven by its certificate if the hub has no review that returns names',
    { hub: hubSaying(404) },
    'proven',
  ],
  [
    'is unseen, not another one, if the certificate does not reach the hub',
    { hub: hubSaying(403) },
    'unseen',
    /^the ITS does not see the certificate of its agent$/,
  ],
  [
    'is proven by the recorded UID if its certificate is expired',
    { hub: hubSaying(401), knows: recorded },
    'proven',
  ],
  [
    'is proven by the recorded UID if its certificate is missing',
    { shows: empty, knows: recorded },
    'proven',
  ],
  [
    'is another one if it is the ITS itself',
    { wec: cluster('uid-of-its') },
    'other',
    /is the ITS itself/,
  ],
  [
    'is another one if it is registered under another name',
    { knows: { name: 'cluster2' } },
    'other',
    /is registered as cluster1/,
  ],
  [
    'is another one if it is a duplicate with the same certificate',
    { wec: cluster('uid-2'), knows: recorded },
    'other',
    /uid-2… *, and uid-1… was recorded/,
  ],
  [
    'is another one if its certificate is of another name',
    { hub: hubSaying('system:open-cluster-management:cluster11:agent-a') },
    'other',
    /certificate of its agent is that of system:open-cluster-management:cluster11:agent-a/,
  ],
  [
    'is another one if it is registered with another hub under the same name',
    { hub: hubSaying(401), shows: away, knows: recorded },
    'other',
    /registered with the hub https:\/\/its2/,
  ],
  [
    'is another one if a proxy hides its certificate of another hub from the ITS that had its UID recorded before',
    { hub: hubSaying(403), shows: away, knows: recorded },
    'other',
    /registered with the hub https:\/\/its2/,
  ],
  [
    'is another one if it is connected with another hub, whose address the ITS publishes, and which had its UID recorded before',
    {
      hub: hubSaying(401),
      shows: { ...away, pods: running },
      knows: { ...recorded, ...published },
    },
    'other',
    /registered with the hub https:\/\/its2\S+, and connected there$/,
  ],
  ['is unseen if it has no Klusterlet', { shows: empty }, 'unseen', /no Klusterlet/],
  [
    'is unseen if it is a hub',
    { wec: serving('clustermanagers'), shows: empty },
    'unseen',
    /is an OCM hub/,
  ],
  [
    'is unseen if it is a hosting cluster',
    { wec: serving('controlplanes'), shows: empty },
    'unseen',
    /is a hosting cluster/,
  ],
  [
    'is unseen if it has works of a hub',
    { wec: serving('appliedmanifestworks'), shows: empty },
    'unseen',
    /1 work of a hub/,
  ],
  [
    'is unseen if its certificate is not accepted',
    { hub: hubSaying(401) },
    'unseen',
    /does not accept the certificate/,
  ],
  [
    'is unseen if its UID may not be read',
    { wec: cluster(undefined), knows: recorded },
    'unseen',
    /kube-system may not be read/,
  ],
  [
    'is unseen if any server may accept its certificate',
    { shows: away },
    'unseen',
    /https:\/\/its2\S+, and nothing proves/,
  ],
  [
    'is unseen if the server that accepts its certificate is only published by the ITS',
    { shows: away, knows: published },
    'unseen',
    /https:\/\/its2\S+, and nothing proves/,
  ],
  [
    'is unseen if its certificate cannot be read',
    { shows: { hubSecret: hubSecret(undefined, { 'tls.crt': 'AAAA', 'tls.key': 'AAAA' }) } },
    'unseen',
    /cannot be read/,
  ],
];

describe('the cluster behind a context', () => {
  for (const [what, given, state, found = /^$/] of cases)
    it(what, async () => {
      const identity = await identityOf(given);
      assert.equal(identity.state, state);
      assert.match('found' in identity ? identity.found : '', found);
    });

  it('is not proven while the ITS answers otherwise', () =>
    assert.rejects(identityOf({ hub: hubSaying(500) }), /HTTP 500/));
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

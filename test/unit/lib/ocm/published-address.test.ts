import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { runChecks } from '../../../../src/lib/core/checks.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { Fork, Kube } from '../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import type { UserEntry } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { hubChecks } from '../../../../src/lib/ocm/hub/hub-checks.ts';
import { base64, fakeKube } from '../../support/builders.ts';
import { FakeServer, identity } from '../../support/fake-server.ts';
import { clientOf } from '../../support/serving.ts';
import { MemoryCluster } from '../../support/space-builders.ts';

const check = hubChecks.filter(({ id }) => id === 'its-published-address');
const system = (uid: string) => ({ kind: 'Namespace', metadata: { name: 'kube-system', uid } });
const server = 'https://192.0.2.1:6443';
const kubeconfig = JSON.stringify({ clusters: [{ cluster: { server } }] });
const info = {
  kind: 'ConfigMap',
  metadata: { name: 'cluster-info', namespace: 'kube-public' },
  data: { kubeconfig },
};

/** @param there what answers at the published address */
async function outcome(there: () => Kube, objects: object[] = [info]) {
  const asked: Fork[] = [];
  const fork: Kube['fork'] = (changes) => {
    asked.push(changes);
    return there();
  };
  const hub = new MemoryCluster([system('its2'), ...(objects as never[])], { fork });
  const [finding] = await runChecks(check, hub.kube);
  assert.ok(finding);
  return {
    status: finding.status,
    code: 'problem' in finding ? finding.problem.code : undefined,
    asked,
  };
}
const throwing = (error: Error) => () =>
  fakeKube({
    get: async () => {
      throw error;
    },
  });

describe('the address that an ITS publishes', () => {
  test('leads to it, if the same kube-system is there', async () => {
    const { status, asked } = await outcome(() => new MemoryCluster([system('its2')]).kube);
    assert.deepEqual([status, asked[0]?.at?.server], ['pass', server]);
  });
  test('is wrong if another cluster is there, or one that does not know the user, or has another authority', async () => {
    const wrong = [
      () => new MemoryCluster([system('its1')]).kube,
      throwing(apiError({ context: 'its2', server }, 401, '')),
      throwing(new StellarError('tls-error', 'no')),
    ];
    for (const there of wrong) assert.equal((await outcome(there)).code, 'published-address-wrong');
  });
  test('is not judged if it is not reached from here, may not be read there, or there is none', async () => {
    const unseen = [
      throwing(new StellarError('unreachable', 'no')),
      throwing(new StellarError('credentials-failed', 'no')),
      throwing(apiError({ context: 'its2', server }, 403, '')),
    ];
    for (const there of unseen) assert.equal((await outcome(there)).status, 'skipped');
    assert.equal((await outcome(throwing(new Error('not asked')), [])).status, 'skipped');
  });
});

describe('another address of a cluster', () => {
  let other: FakeServer;
  before(async () => {
    other = await FakeServer.start(() => ({ body: system('its1') }));
  });
  after(() => other.stop());

  test('gets no token, only the certificate of the user', async () => {
    const at = { server: other.url, certificateAuthority: identity.cert };
    const of = (user: UserEntry) => {
      const context = { name: 'its2', server, cluster: { server }, user };
      return clientOf(context).kube.fork({ at });
    };
    assert.throws(() => of({ token: 'secret' }), { code: 'credentials-failed' });
    const pair = {
      'client-certificate-data': base64(identity.cert),
      'client-key-data': base64(identity.key),
    };
    const kube = of({ ...pair, token: 'secret', username: 'me', password: 'secret' });
    await kube.read('/api/v1/namespaces/kube-system');
    kube.close();
    assert.deepEqual(
      other.requests.map(({ headers, clientName }) => [headers.authorization, clientName]),
      [[undefined, 'fake']],
    );
  });
});

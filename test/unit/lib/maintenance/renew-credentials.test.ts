import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import { renewToken } from '../../../../src/lib/maintenance/renew-credentials.ts';
import { base64, fakeKube, now, tokenWith } from '../../support/builders.ts';
import {
  hostingCluster,
  inSpace,
  its,
  kubeconfigOf,
  MemoryCluster,
  restartable,
  restartWrites,
  soon,
  toolsOf,
  wds,
  wdsDeployments,
} from '../../support/space-builders.ts';

const tokenOf = (uid: string) =>
  tokenWith({ exp: now / 1000 + 60, 'kubernetes.io': { serviceaccount: { uid } } });
const kubeconfig = (token: string) => `# by KubeFlex
clusters: [{name: its7, cluster: {server: "https://ext:6443"}}]
users:
  - {name: its7, user: {token: ${token}}}
`;
const secret = (token: string) =>
  inSpace('Secret', 'its7', {
    metadata: { name: 'admin-kubeconfig', uid: 'uid-of-secret', resourceVersion: '42' },
    data: { 'kubeconfig-incluster': base64(kubeconfig(token)), other: 'eA==' },
  });
const account = {
  kind: 'ServiceAccount',
  metadata: { name: 'kubeflex', namespace: 'kube-system', uid: 'uid-of-account' },
};
const itsSeven = its('its7', { type: 'external' });
const controllers = wdsDeployments('its7').map((deployment) =>
  inSpace('Deployment', 'wds7', deployment),
);

interface Given {
  present?: string;
  /** Whether a context is known to refer to the external cluster. */
  isKnown?: boolean;
  /** The UID of the account on the cluster of the context. */
  uid?: string;
  /** The cluster's answer about the token that it has issued. */
  refuses?: boolean;
}

function installation({
  present = tokenOf('uid-of-account'),
  isKnown = true,
  uid = 'uid-of-account',
  ...given
}: Given) {
  const planes = [itsSeven, wds('wds7', 'its7')];
  const hosting = restartable([...planes, secret(present), ...controllers]);
  const review = async () => {
    if (given.refuses) throw apiError(hostingCluster, 401, '');
    return { status: { userInfo: { username: 'system:serviceaccount:kube-system:kubeflex' } } };
  };
  const ext = new MemoryCluster([{ ...account, metadata: { ...account.metadata, uid } }], {
    ...{
      cluster: { context: 'ext', server: 'https://ext:6443' },
      fork: () => fakeKube({ review }),
    },
  });
  const tools = toolsOf(hosting.kube, {
    kubeconfig: kubeconfigOf(
      isKnown
        ? { ext: { cluster: 'ext', user: 'ext', of: 'its7', hosting: hostingCluster.context } }
        : {},
    ),
    target: { file: '/no/such/kubeconfig', env: {}, dryRun: false },
    connect: ({ name }) => (name === 'wds7' ? hosting.kube : ext.kube),
  });
  tools.kubeconfig.clusters.set('ext', { server: 'https://ext:6443' });
  tools.kubeconfig.users.set('ext', {});
  return { hosting, ext, tools };
}

const renew = ({ tools }: ReturnType<typeof installation>) => renewToken('its7', tools, soon());

describe('the credentials of an external ITS', () => {
  test('are renewed: only the token is replaced, in this exact version of the Secret; its WDSes restart', async () => {
    const all = installation({});
    const { hosting, ext } = all;
    await renew(all);
    assert.deepEqual(ext.writes, ['create ServiceAccount/token kubeflex']);
    assert.deepEqual((ext.bodies[0] as { spec: object }).spec, { expirationSeconds: 365 * 86_400 });
    assert.deepEqual(hosting.bodies[0], {
      metadata: { uid: 'uid-of-secret', resourceVersion: '42' },
      data: { 'kubeconfig-incluster': base64(kubeconfig('minted-token')) },
    });
    assert.deepEqual(hosting.writes.slice(1), restartWrites('wds7'));
  });

  test('stay unchanged if the new token is not accepted', async () => {
    const refused = installation({ refuses: true });
    await assert.rejects(renew(refused), { code: 'credentials-failed' });
    assert.deepEqual(refused.hosting.writes, []);
  });

  test('are not requested from a cluster that may be another one, or that has no context', async () => {
    const other = installation({ uid: 'another' });
    await assert.rejects(renew(other), { code: 'identity-unproven' });
    const unknown = installation({ isKnown: false });
    await assert.rejects(renew(unknown), { code: 'unreachable' });
    assert.deepEqual([other.ext.writes, unknown.ext.writes], [[], []]);
  });
});

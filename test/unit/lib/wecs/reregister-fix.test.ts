import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Remedy } from '../../../../src/lib/core/remedy.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import type { KubeObject, Secret } from '../../../../src/lib/kube/client/objects.ts';
import type { HubAccess } from '../../../../src/lib/ocm/hub-access.ts';
import { bootstrapSecret } from '../../../../src/lib/ocm/klusterlet-agent.ts';
import type { Outdated } from '../../../../src/lib/wecs/reregister-causes.ts';
import { planFor, planReregistration, planRestart } from '../../../../src/lib/wecs/reregister-fix.ts';
import { hubHash } from '../../../../src/lib/workloads/applied-works.ts';
import {
  agentKeyPair,
  csr,
  fakeKube,
  joinedCluster,
  klusterlet,
  lease,
  managedCluster,
  now,
  run,
  secondsAgo,
  wecPod,
} from '../../support/builders.ts';
import { MemoryCluster } from '../../support/space-builders.ts';

const authority = 'CA';
const internal = { server: 'https://192.0.2.1:6443', certificateAuthority: authority };
const agentNamespace = 'open-cluster-management-agent';

const encoded = (claims: object) => Buffer.from(JSON.stringify(claims)).toString('base64url');
/** By the clocks of the clusters and ours. */
const longAgo = -1_000_000_000;
/** @param left seconds until it expires */
const token = (left: number) => `e30.${encoded({ exp: (Date.now() + left * 1000) / 1000, jti: 'own' })}.sig`;

const kindOf = <T extends KubeObject>(kind: string, object: T): T => ({ ...object, kind });
const secretOf = (object: KubeObject): Secret => ({
  ...(object as Secret),
  metadata: { ...object.metadata, uid: `uid-of-${object.metadata.name}` },
});
const bootstrap = (left: number, server = internal.server) =>
  secretOf(bootstrapSecret({ ...internal, server, proxyUrl: undefined }, token(left), now - 600_000));

const system = (uid: string) => kindOf('Namespace', { metadata: { name: 'kube-system', uid } });
const agentPod = (startedAgo: number) => ({
  ...kindOf(
    'Pod',
    wecPod('klusterlet-agent', [{ name: 'agent', state: { running: { startedAt: secondsAgo(startedAgo) } } } as never]),
  ),
});

let certificate: Record<string, string>;
before(async () => {
  certificate = await agentKeyPair('cluster1', 'agent-a');
});
const hubSecret = (): Secret => ({
  metadata: { name: 'hub-kubeconfig-secret', namespace: agentNamespace, uid: 'uid-of-certificate' },
  data: { ...certificate, kubeconfig: bootstrap(600).data?.kubeconfig ?? '' },
});

interface Given {
  hub?: readonly KubeObject[];
  wec?: readonly KubeObject[];
  situation?: string;
  /** The user name of the agent's certificate on the ITS. */
  holder?: string;
  /** The ITS rejects that certificate. */
  refused?: boolean;
}

/** Both clusters in memory, as a dry run sees them. */
function clusters({ hub = [], wec = [], situation = 'garbage-token', holder, refused }: Given) {
  const fork = (() =>
    fakeKube({
      review: (async () => {
        if (refused) throw apiError({ context: 'its1', server: '' }, 401, '');
        return { status: { userInfo: { username: holder ?? '' } } };
      }) as Kube['review'],
    })) as Kube['fork'];
  const its1 = new MemoryCluster([system('its'), ...hub], {
    ...{ dryRun: true, fork, cluster: { context: 'its1', server: 'https://127.0.0.1:1' } },
  });
  const own = kindOf('Klusterlet', klusterlet(situation));
  const cluster1 = new MemoryCluster([system('wec'), own, ...wec], {
    ...{ dryRun: true, cluster: { context: 'kind-1', server: 'https://kind-1' } },
  });
  const access: HubAccess = {
    ...{
      its: 'its1',
      kube: its1.kube,
      internal,
      internalForbidden: false,
      ocmVersion: '1.3.1',
      imageRegistry: undefined,
    },
    external: { server: 'https://127.0.0.1:1', certificateAuthority: authority },
    token: async () => 'token',
  };
  return { access, its1, cluster1, target: { name: 'cluster1', kube: cluster1.kube } };
}

const inWords = (remedy: Remedy | undefined) =>
  remedy?.writes.map(({ verb, object, on }) => `${verb} ${object} on ${on}`);

/** The plan, and the writes of its dry run. */
async function reregistered(what: Outdated, given: Given) {
  const { access, target, its1, cluster1 } = clusters(given);
  const plan = await planFor(access, target, run());
  const remedy = await planReregistration(access, plan, what, { ...run(), dryRun: true });
  assert.deepEqual([its1.writes, cluster1.writes], [[], []], 'planning only reads');
  await remedy?.apply();
  return { steps: inWords(remedy), hub: its1.writes, wec: cluster1.writes };
}

const writeSecret = `write Secret ${agentNamespace}/bootstrap-hub-kubeconfig on kind-1`;
const bootstrapped = (left: number, server?: string) => kindOf('Secret', bootstrap(left, server));

describe('the connection of an agent', () => {
  test('gets another token if its own has expired, and nothing else is written', async () => {
    assert.deepEqual(await reregistered('credentials', { wec: [bootstrapped(longAgo)] }), {
      ...{ steps: [writeSecret], hub: [], wec: ['apply Secret bootstrap-hub-kubeconfig'] },
    });
  });

  test('stays unchanged if its operator reports no error', async () => {
    const wec = [bootstrapped(3600), kindOf('Secret', hubSecret())];
    const hub = [kindOf('ManagedCluster', joinedCluster())];
    const holder = 'system:open-cluster-management:cluster1:agent-a';
    const result = await reregistered('credentials', { wec, hub, situation: 'join-singleton', holder });
    assert.deepEqual(result, { steps: undefined, hub: [], wec: [] });
  });

  test('gets the address known here, unless it has that already', async () => {
    const situation = 'wrong-port';
    const { steps } = await reregistered('address', { wec: [bootstrapped(3600, 'https://192.0.2.1:1')], situation });
    assert.deepEqual(steps, [writeSecret]);
    await assert.rejects(reregistered('address', { wec: [bootstrapped(3600)], situation }), {
      code: 'endpoint-unusable',
    });
  });

  const pending = (agent: string) =>
    Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const made = await csr({ agent, name: `csr-${index}`, key: `key-${index}`, age: 1000 });
        return kindOf('CertificateSigningRequest', { ...made, metadata: { ...made.metadata, uid: `uid-${index}` } });
      }),
    );
  test('is restarted if its requests have piled up, which are deleted by UID', async () => {
    const hub = [kindOf('ManagedCluster', managedCluster()), ...(await pending('agent-a'))];
    const { steps = [] } = await reregistered('requests', { hub, wec: [bootstrapped(3600)] });
    assert.equal(steps[0], writeSecret);
    assert.deepEqual(
      steps.slice(1).toSorted(),
      hub.slice(1).map(({ metadata: { name } }) => `delete CertificateSigningRequest ${name} on its1`),
    );
  });
  test('stays unchanged while its agent, which has sent a request since, waits for approval', async () => {
    const asked = kindOf('CertificateSigningRequest', await csr({ agent: 'agent-a', age: 500 }));
    const hub = [kindOf('ManagedCluster', managedCluster()), asked];
    const address = 'https://192.0.2.1:1';
    assert.equal((await reregistered('address', { hub, wec: [bootstrapped(3600, address)] })).steps, undefined);
    assert.equal((await reregistered('credentials', { hub, wec: [bootstrapped(longAgo)] })).steps?.length, 2);
  });
  test('stays unchanged if the requests may belong to another cluster', async () => {
    const hub = [kindOf('ManagedCluster', managedCluster()), ...(await pending('agent-b'))];
    await assert.rejects(reregistered('requests', { hub, wec: [bootstrapped(3600)] }), { code: 'identity-unproven' });
  });
});

describe('an agent whose ManagedCluster is missing', () => {
  const situation = 'join-singleton';
  const holder = 'system:open-cluster-management:cluster1:agent-a';
  test('loses its certificate by UID, and its pods', async () => {
    const wec = [bootstrapped(3600), kindOf('Secret', hubSecret()), agentPod(3000)];
    const result = await reregistered('credentials', { wec, situation, holder });
    assert.deepEqual(result.steps, [
      writeSecret,
      `delete Secret ${agentNamespace}/hub-kubeconfig-secret on kind-1`,
      `restart Pods in ${agentNamespace} on kind-1`,
    ]);
    assert.deepEqual(result.wec, [
      'apply Secret bootstrap-hub-kubeconfig',
      'delete Secret hub-kubeconfig-secret',
      'delete Pod klusterlet-agent-1',
    ]);
  });
  const work = kindOf('AppliedManifestWork', {
    metadata: { name: 'work' },
    spec: { hubHash: hubHash(internal.server), agentID: 'agent-a', manifestWorkName: 'nginx' },
  });
  test('keeps it if removal would cost workloads', async () => {
    const wec = [bootstrapped(3600), kindOf('Secret', hubSecret()), work];
    await assert.rejects(reregistered('credentials', { wec, situation, holder }), {
      ...{ code: 'has-dependents', message: /nginx/ },
    });
  });
  test('loses a rejected certificate only if the ITS has its works', async () => {
    const cluster = joinedCluster({ available: 'unknown' });
    cluster.metadata.annotations = { 'stellarctl.kubestellar.io/kube-system-uid': 'wec' };
    const hub = [kindOf('ManagedCluster', cluster)];
    const wec = [bootstrapped(3600), kindOf('Secret', hubSecret()), work];
    const sent = kindOf('ManifestWork', { metadata: { name: 'nginx', namespace: 'cluster1' } });
    const given = { wec, situation, refused: true };
    assert.equal((await reregistered('credentials', { ...given, hub: [...hub, sent] })).steps?.[0], writeSecret);
    await assert.rejects(reregistered('credentials', { ...given, hub }), { code: 'has-dependents' });
  });
});

describe('a silent agent', () => {
  const holder = 'system:open-cluster-management:cluster1:agent-a';
  async function restarted(startedAgo: number, as = holder) {
    const hub = [
      kindOf('ManagedCluster', joinedCluster({ available: 'unknown' })),
      kindOf('Lease', { ...lease(600), metadata: { name: 'managed-cluster-lease', namespace: 'cluster1' } }),
    ];
    const wec = [bootstrapped(3600), kindOf('Secret', hubSecret()), agentPod(startedAgo)];
    const { access, target, cluster1 } = clusters({ hub, wec, situation: 'join-singleton', holder: as });
    const remedy = await planRestart(access, await planFor(access, target, run()));
    await remedy?.apply();
    return { steps: inWords(remedy), writes: cluster1.writes };
  }
  test('is restarted', async () =>
    assert.deepEqual(await restarted(3000), {
      ...{ steps: [`restart Pods in ${agentNamespace} on kind-1`], writes: ['delete Pod klusterlet-agent-1'] },
    }));
  test('is not restarted twice', () => assert.rejects(restarted(60), { code: 'agent-dead' }));
  test('is not restarted if the cluster may be another one', () =>
    assert.rejects(restarted(3000, 'system:open-cluster-management:other:agent-x')));
});

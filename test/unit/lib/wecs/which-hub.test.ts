import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import type { Secret } from '../../../../src/lib/kube/client/objects.ts';
import type { UserEntry } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { bootstrapSecret } from '../../../../src/lib/ocm/agent/klusterlet-agent.ts';
import type { Endpoint } from '../../../../src/lib/ocm/hub/endpoint.ts';
import type { HubAccess } from '../../../../src/lib/ocm/hub/hub-access.ts';
import type { JoinOptions } from '../../../../src/lib/wecs/join/join-options.ts';
import { planJoin } from '../../../../src/lib/wecs/join/join-plan.ts';
import { hubReads } from '../../../../src/lib/wecs/join/join-requirements.ts';
import {
  agentKeyPair,
  fakeKube,
  joinedCluster,
  klusterlet,
  wecPod,
} from '../../support/builders.ts';
import { kindOf, MemoryCluster } from '../../support/space-builders.ts';
import { failsWith } from '../../support/steps.ts';

const agentNamespace = 'open-cluster-management-agent';
const holder = 'system:open-cluster-management:cluster1:agent-a';

/** The ITS as this machine reaches it, and as other clusters do. */
const external = { server: 'https://127.0.0.1:6443', certificateAuthority: 'CA of its2' };
const internal = { server: 'https://its2-control-plane:6443', certificateAuthority: 'CA of its2' };
const its1 = { server: 'https://192.0.2.1:6443', certificateAuthority: 'CA of its1' };

const valid = await agentKeyPair('cluster1', 'agent-a', 86_400);
const expired = await agentKeyPair('cluster1', 'agent-a', -60);

const pemOf = (pair: Record<string, string>) =>
  Buffer.from(pair['tls.crt'] ?? '', 'base64').toString();

interface Given {
  /** The hub in the WEC's secrets. */
  at: Endpoint;
  /** What the ITS publishes. */
  published?: Endpoint | undefined;
  /** The user name of the agent's certificate on the ITS; undefined if the ITS refuses it. */
  holder?: string;
  pair?: Record<string, string>;
  /** What the operator last said, and whether it says so again when asked. */
  situation?: string;
  still?: boolean;
  pods?: boolean;
  /** PEM of the authority from which the ITS accepts clients. */
  clientAuthority?: string;
  /** Whether the ITS has a ManagedCluster with the UID of this cluster. */
  recorded?: boolean;
  /** The agent has no certificate yet. */
  pending?: boolean;
  context?: Endpoint;
}

/** Both clusters in memory. Returns what a join would do, and the users that were presented to the ITS. */
async function planOf(given: Given, options: Partial<JoinOptions> = {}) {
  const { at, pods = true, still = true, recorded = false, context = external } = given;
  const presented: UserEntry[] = [];
  const fork = (({ user = {} }) => {
    presented.push(user);
    return fakeKube({
      review: async () => {
        if (given.holder === undefined) throw apiError({ context: 'its2', server: '' }, 401, '');
        return { status: { userInfo: { username: given.holder } } };
      },
    });
  }) as Kube['fork'];
  const system = (uid: string) => kindOf('Namespace', { metadata: { name: 'kube-system', uid } });
  const cluster = joinedCluster({ available: 'unknown' });
  cluster.metadata.annotations = { 'stellarctl.kubestellar.io/kube-system-uid': 'wec' };
  const authority = {
    ...kindOf('ConfigMap', {
      metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    }),
    data: { 'client-ca-file': given.clientAuthority ?? '' },
  };
  const hub = new MemoryCluster(
    [
      system('its'),
      recorded ? kindOf('ManagedCluster', cluster) : undefined,
      given.clientAuthority === undefined ? undefined : authority,
    ],
    { fork, cluster: { context: 'its2', server: context.server } },
  );
  const bootstrap = bootstrapSecret({ ...at, proxyUrl: undefined }, 'a-bootstrap-token') as Secret;
  const certificate: Secret = {
    metadata: {
      name: 'hub-kubeconfig-secret',
      namespace: agentNamespace,
      uid: 'uid-of-certificate',
    },
    data: { ...(given.pair ?? valid), kubeconfig: bootstrap.data?.kubeconfig ?? '' },
  };
  const wec = new MemoryCluster(
    [
      system('wec'),
      kindOf('Klusterlet', klusterlet(given.situation ?? 'join-singleton')),
      kindOf('Secret', bootstrap),
      given.pending ? undefined : kindOf('Secret', certificate),
      ...(pods
        ? [wecPod('klusterlet'), wecPod('klusterlet-agent')].map((pod) => kindOf('Pod', pod))
        : []),
    ],
    { cluster: { context: 'kind-1', server: 'https://kind-1' } },
  );
  const access = {
    its: 'its2',
    kube: hub.kube,
    external: context,
    internal: given.published,
    ocmVersion: '1.3.1',
    imageRegistry: undefined,
    token: async () => 'token',
  } as HubAccess;
  const checks = {
    hub: hubReads(hub.kube, [{ name: 'cluster1' }]),
    verify: async () => undefined,
    recheckConnection: async () => still,
  };
  const asked: JoinOptions = { accept: true, labels: {}, hubApiserver: 'context', ...options };
  const plan = await planJoin(access, { name: 'cluster1', kube: wec.kube }, asked, checks);
  assert.deepEqual([...hub.writes, ...wec.writes], [], 'it only reads');
  return { plan, presented };
}

const elsewhere = (given: Given) =>
  assert.rejects(
    planOf(given),
    failsWith({ code: 'registered-elsewhere', steps: /--replace-hub/ }),
  );

describe('a WEC of another hub is not moved without --replace-hub', () => {
  // As clusteradm init --context its2 writes it while its1 is the current context.
  const published = its1;
  test('if it is connected there, and this ITS publishes the address of that hub', async () => {
    await elsewhere({ at: its1, published });
    await elsewhere({ at: its1, published, clientAuthority: pemOf(expired) });
  });
  test('if it is connected there, and both hubs have one certificate authority', () =>
    elsewhere({ at: { ...its1, certificateAuthority: external.certificateAuthority } }));
  test('if it is connected there, and this ITS has recorded its UID before', () =>
    elsewhere({ at: its1, published, recorded: true }));
  test('if that hub is down, and this ITS publishes its address', async () => {
    await elsewhere({ at: its1, published, situation: 'wrong-ca' });
    await elsewhere({
      at: its1,
      published,
      situation: 'wrong-ca',
      clientAuthority: pemOf(expired),
    });
    await elsewhere({ at: its1, published, pods: false });
  });
  test('if this ITS has the address of that hub, with which it is still connected', () =>
    elsewhere({ at: { ...external, certificateAuthority: 'another' } }));
  test('if this ITS accepts its certificate, as a malicious one does with any', async () => {
    await elsewhere({ at: its1, holder });
    await elsewhere({ at: its1, published, holder });
  });
  test('and is moved with it', async () => {
    const { plan } = await planOf({ at: its1, published }, { replaceHub: async () => true });
    assert.equal(plan.former?.server, its1.server);
    assert.equal(plan.reregister?.by, 'certificate');
  });
});

describe('a WEC of this ITS registers again, as before', () => {
  const stays = async (given: Given, how: string | undefined) => {
    const { plan } = await planOf(given);
    const { code, by } = plan.reregister ?? {};
    assert.deepEqual([plan.former, code === 'address-given' ? undefined : by], [undefined, how]);
  };
  const published = internal;
  test('at the internal address of kind, with the authority of the context', () =>
    stays({ at: internal, published, holder, recorded: true }, undefined));
  test('behind another address and another authority, if its UID was recorded', () =>
    stays({ at: its1, holder, recorded: true }, undefined));
  test('behind an address that the user gives', async () => {
    const { plan } = await planOf(
      { at: { ...external, server: its1.server }, holder },
      { hubApiserver: its1.server },
    );
    assert.equal(plan.former, undefined);
  });
  test('if the ITS was rebuilt with another authority: at once when its operator is asked again', async () => {
    const before = { ...internal, certificateAuthority: 'CA before' };
    await stays({ at: before, published, still: false }, 'certificate');
    await stays({ at: before, published, situation: 'wrong-ca' }, 'certificate');
    await stays(
      { at: before, published, situation: 'wrong-ca', clientAuthority: pemOf(expired) },
      'certificate',
    );
    await stays({ at: before, published, pods: false }, 'certificate');
  });
  test('if its certificate has expired, wherever the ITS is now', async () => {
    const given = { pair: expired, clientAuthority: '', recorded: true };
    await stays({ ...given, at: internal, published, clientAuthority: pemOf(expired) }, 'token');
    await stays({ ...given, at: its1, clientAuthority: pemOf(expired) }, 'token');
    await stays(
      { at: internal, published, pair: expired, recorded: true, situation: 'wrong-ca' },
      'token',
    );
  });
  test('if its certificate was replaced by another one, and its UID was recorded', () =>
    stays(
      {
        at: internal,
        published,
        recorded: true,
        situation: 'wrong-ca',
        clientAuthority: pemOf(expired),
      },
      'certificate',
    ));
});

describe('a bootstrap token', () => {
  const tokens = async (given: Given, options: Partial<JoinOptions> = {}) =>
    (
      await planOf({ pending: true, situation: 'garbage-token', ...given }, options)
    ).presented.flatMap(({ token }) => token ?? []);
  test('is presented to the ITS that it was issued by', async () => {
    assert.deepEqual(await tokens({ at: external }), ['a-bootstrap-token']);
    assert.deepEqual(await tokens({ at: internal, published: internal }), ['a-bootstrap-token']);
  });
  test('of another hub is not, although neither has a certificate authority', async () => {
    const at = { server: 'https://its1.example.com', certificateAuthority: undefined };
    const context = { server: 'https://its2.example.com', certificateAuthority: undefined };
    assert.deepEqual(await tokens({ at, context, published: at }), []);
    assert.deepEqual(await tokens({ at, context }, { replaceHub: async () => true }), []);
  });
  test('is not, without TLS', async () => {
    const context = {
      server: 'http://its2.example.com',
      certificateAuthority: external.certificateAuthority,
    };
    assert.deepEqual(
      await tokens({ at: internal, context }, { hubApiserver: internal.server }),
      [],
    );
  });
});

test('before it writes, a join notes nothing if agents trust what the ITS publishes', async () => {
  const options: Partial<JoinOptions> = { hubApiserver: 'published', replaceHub: async () => true };
  const { plan } = await planOf({ at: internal, published: internal, holder }, options);
  assert.deepEqual(plan.notes, []);
});

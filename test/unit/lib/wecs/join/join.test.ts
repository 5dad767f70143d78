import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import type { KubeObject } from '../../../../../src/lib/kube/objects.ts';
import type { HubAccess } from '../../../../../src/lib/wecs/hub/hub-access.ts';
import { followJoin } from '../../../../../src/lib/wecs/join/follow-join.ts';
import { join } from '../../../../../src/lib/wecs/join/join.ts';
import type { JoinOptions } from '../../../../../src/lib/wecs/join/options.ts';
import { type JoinPlan, preflight } from '../../../../../src/lib/wecs/join/preflight.ts';
import { managedBy, managedByLabel } from '../../../../../src/lib/wecs/klusterlet/operator.ts';
import { WebhookProbe } from '../../../../../src/lib/wecs/registration/hub-webhook.ts';
import {
  csr,
  hubEvidence,
  klusterlet,
  managedCluster,
  recordingProgress,
  run,
  wecEvidence,
} from '../../../support/builders.ts';
import { MemoryCluster } from '../../../support/space-builders.ts';

const kindOf = <T extends KubeObject>(kind: string, object: T): T => ({ ...object, kind });
const system = (uid: string) => kindOf('Namespace', { metadata: { name: 'kube-system', uid } });

/** The ITS, as a dry run sees it. */
function hub(objects: readonly KubeObject[] = [], kube: Partial<Kube> = {}): MemoryCluster {
  const cluster = { context: 'its1', server: 'https://its1.example.com:6443' };
  return new MemoryCluster([system('uid-of-its1'), ...objects], { dryRun: true, cluster, ...kube });
}

/** A cluster that is not registered, as a dry run sees it. @param uid of its kube-system, which may not be read without it */
function wec(name: string, uid: string | undefined, objects: readonly KubeObject[] = []): MemoryCluster {
  const definition = kindOf('CustomResourceDefinition', {
    metadata: { name: 'klusterlets.operator.open-cluster-management.io' },
    status: { conditions: [{ type: 'Established', status: 'True' }] },
  });
  const namespaces = uid === undefined ? [] : [system(uid)];
  const memory = new MemoryCluster([definition, ...namespaces, ...objects], {
    ...{ dryRun: true, cluster: { context: `kind-${name}`, server: `https://${name}.example.com:6443` } },
  });
  const { get, list } = memory.kube;
  memory.kube.get = (async (resource, of, options) => {
    if (of === 'kube-system' && uid === undefined) throw apiError(memory.kube.cluster, 403, '');
    return get(resource, of, options);
  }) as Kube['get'];
  // KubeFlex is not installed on it.
  memory.kube.list = (async (resource, options) =>
    resource.kind === 'ControlPlane' ? undefined : list(resource, options)) as Kube['list'];
  return memory;
}

const accessTo = ({ kube }: MemoryCluster): HubAccess => ({
  ...{ its: 'its1', kube, internal: undefined, internalForbidden: false },
  ...{ ocmVersion: '1.3.1', imageRegistry: undefined },
  external: { server: 'https://its1.example.com:6443', certificateAuthority: 'CA' },
  token: async () => 'token',
  anotherToken: async () => 'token',
});
const options: JoinOptions = { accept: false, labels: {}, forceInternalEndpointLookup: false };

/** A dry run of a join, by name. @param unverified what is said about the address for agents */
async function joined(wecs: Record<string, MemoryCluster>, unverified?: string) {
  const its1 = hub();
  const progress = recordingProgress();
  const targets = Object.entries(wecs).map(([name, { kube }]) => ({ name, kube }));
  const verified: string[] = [];
  const results = await join(
    accessTo(its1),
    targets,
    options,
    { ...run(5000, progress), dryRun: true },
    async (its, { server }) => {
      verified.push(`${its} ${server}`);
      return unverified;
    },
  );
  return {
    errors: Object.fromEntries(results.map(({ name, error }) => [name, error])),
    writes: [its1, ...Object.values(wecs)].map(({ writes }) => writes.length),
    notes: progress.lines.filter((line) => line.startsWith('note ')).map((line) => line.slice('note '.length)),
    verified,
  };
}

describe('two names of one cluster', () => {
  test('are both refused, and nothing is written; other clusters are joined', async () => {
    const same = 'uid-of-both';
    const { errors, writes } = await joined({ a: wec('a', same), b: wec('b', same) });
    for (const [name, other] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      assert.equal(errors[name]?.code, 'same-cluster');
      assert.equal(errors[name]?.message, `${name} and ${other} are the same cluster; neither was joined.`);
    }
    assert.deepEqual(writes, [0, 0, 0]);

    const beside = await joined({ a: wec('a', same), b: wec('b', same), c: wec('c', 'uid-of-c') });
    assert.deepEqual(
      [beside.errors.a?.code, beside.errors.b?.code, beside.errors.c],
      ['same-cluster', 'same-cluster', undefined],
    );
    assert.deepEqual(beside.writes.slice(1, 3), [0, 0]);
    assert.ok((beside.writes[3] ?? 0) > 0);
  });

  test('are not seen where kube-system may not be read', async () => {
    const { errors, writes, notes } = await joined({ a: wec('a', undefined), b: wec('b', undefined) });
    assert.deepEqual(errors, { a: undefined, b: undefined });
    assert.ok(writes.slice(1).every((count) => count > 0));
    assert.equal(notes.filter((note) => note.includes('different clusters was not checked')).length, 2);
  });
});

describe('the address for agents', () => {
  const both = () => ({ a: wec('a', 'uid-of-a'), b: wec('b', 'uid-of-b') });
  const why = 'https://its1.example.com:6443 is not reached from here';

  test('is verified once for all WECs, and the plan of each says why it could not be', async () => {
    const { errors, notes, verified } = await joined(both(), why);
    assert.deepEqual(errors, { a: undefined, b: undefined });
    assert.deepEqual(verified, ['its1 https://its1.example.com:6443']);
    assert.deepEqual(
      notes.filter((note) => note === why),
      [why, why],
    );
  });

  test('is not mentioned again if it is verified', async () => {
    const { notes, verified } = await joined(both());
    assert.equal(verified.length, 1);
    assert.equal(notes.length, 1);
    assert.match(notes[0] ?? '', /^ITS its1 .* agents will use https:\/\/its1\.example\.com:6443 \(kubeconfig\)$/);
  });
});

describe('the plan of a join', () => {
  const notesWith = async (labels?: Record<string, string>) => {
    const operator = kindOf('Deployment', {
      metadata: { name: 'klusterlet', namespace: 'open-cluster-management', ...(labels && { labels }) },
    });
    const { kube } = wec('cluster1', 'uid-of-cluster1', labels === undefined ? [] : [operator]);
    const checks = { verify: async () => undefined, isStillConnected: async () => false };
    const { notes, versions } = await preflight(accessTo(hub()), { name: 'cluster1', kube }, options, checks);
    return { notes, installsOperator: versions.installOperator };
  };

  test('leaves the operator of another owner as it is, and says so', async () =>
    assert.deepEqual(await notesWith({ app: 'klusterlet' }), {
      notes: ['cluster1 has a klusterlet operator that stellarctl did not install; it is left as it is.'],
      installsOperator: false,
    }));

  test('has nothing to say about an operator of stellarctl, or none', async () => {
    const nothing = { notes: [], installsOperator: true };
    assert.deepEqual(await notesWith({ [managedByLabel]: managedBy }), nothing);
    assert.deepEqual(await notesWith(), nothing);
  });
});

describe("the hub's webhook", () => {
  /** How often it is tried while a join follows an agent with these objects on the ITS. */
  async function tries(...objects: KubeObject[]): Promise<number> {
    let tried = 0;
    const its1 = hub(objects, {
      tryCreate: async () => {
        tried += 1;
      },
    });
    const { kube } = wec('cluster1', 'uid-of-cluster1', [kindOf('Klusterlet', klusterlet())]);
    const plan = { name: 'cluster1', kube, wecBefore: wecEvidence('join-singleton'), hubBefore: hubEvidence() };
    const started = { changed: true, renewed: false, started: Date.now() };
    const { error } = await followJoin(
      accessTo(its1),
      plan as JoinPlan,
      options,
      { ...started, webhook: new WebhookProbe(its1.kube, run()) },
      run(300),
    );
    assert.equal(error, undefined);
    return tried;
  }
  const sent = async (age: number) => kindOf('CertificateSigningRequest', await csr({ age }));

  test('is tried only for an agent that is slow to announce itself after its request', async () => {
    assert.equal(await tries(await sent(1)), 0);
    assert.equal(await tries(await sent(3)), 1);
  });

  test('is not tried before a request, or once the agent has announced itself', async () => {
    assert.equal(await tries(), 0);
    assert.equal(await tries(await sent(3), kindOf('ManagedCluster', managedCluster())), 0);
  });
});

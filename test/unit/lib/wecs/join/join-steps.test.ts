import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noForecast } from '../../../../../src/lib/forecast/read-forecast.ts';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import type { KubeObject, Secret } from '../../../../../src/lib/kube/client/objects.ts';
import { bootstrapSecret } from '../../../../../src/lib/ocm/agent/klusterlet-agent.ts';
import type { HubAccess } from '../../../../../src/lib/ocm/hub/hub-access.ts';
import { type JoinStep, join, joinSteps } from '../../../../../src/lib/wecs/join/join.ts';
import type { JoinOptions } from '../../../../../src/lib/wecs/join/join-options.ts';
import { type PlanStep, planSteps } from '../../../../../src/lib/wecs/join/join-plan.ts';
import {
  csr,
  hubSecret,
  joinedCluster,
  klusterlet,
  managedCluster,
  now,
  recordingProgress,
  run,
  wecPod,
} from '../../../support/builders.ts';
import { kindOf, MemoryCluster } from '../../../support/space-builders.ts';

const namespaceOf = (name: string, metadata: object = {}) =>
  kindOf('Namespace', { metadata: { name, ...metadata } });
/** Nothing listens there, which is known at once. */
const endpoint = { server: 'https://127.0.0.1:1', certificateAuthority: 'CA', proxyUrl: undefined };
const secretOf = (hub = endpoint, ageMs = 600_000) =>
  kindOf('Secret', bootstrapSecret(hub, 'token', now - ageMs) as Secret);
const certificate = kindOf('Secret', {
  ...hubSecret,
  metadata: { ...hubSecret.metadata, namespace: 'open-cluster-management-agent' },
});
const pods = ['klusterlet', 'klusterlet-agent'].map((app) => kindOf('Pod', wecPod(app)));
const present = kindOf('Klusterlet', klusterlet('join-singleton'));
const served = {
  ...kindOf('CustomResourceDefinition', {
    metadata: { name: 'klusterlets.operator.open-cluster-management.io' },
  }),
  status: { conditions: [{ type: 'Established', status: 'True' }] },
};

const node = kindOf('Node', { metadata: { name: 'node' } });

/** A join, of which a step is taken out. */
interface Scene {
  hub?: (KubeObject | undefined)[];
  wec?: (KubeObject | undefined)[];
  onHub?: Partial<Kube>;
  onWec?: Partial<Kube>;
  options?: Partial<JoinOptions>;
  /** A dry run ends before it follows the registration. */
  isReal?: boolean;
}

/** @returns what it shows and writes, and its error */
async function joined({ hub = [], wec = [], onHub, onWec, options, isReal }: Scene) {
  const dryRun = !isReal;
  const read = async (path: string) =>
    (path === '/version'
      ? { major: '1', minor: '27' }
      : { resources: [{ name: 'managedclusters' }] }) as never;
  const its = new MemoryCluster([namespaceOf('kube-system', { uid: 'its' }), ...hub], {
    review: async () => ({ status: { user: {} } }),
    dryRun,
    read,
    cluster: { context: 'its1', server: endpoint.server },
    replace: async ({ kind }, object) => {
      its.writes.push(`replace ${kind} ${object.metadata.name}`);
      return object;
    },
    ...onHub,
  });
  const cluster = new MemoryCluster(
    [namespaceOf('kube-system', { uid: 'wec' }), served, node, ...wec],
    { dryRun, cluster: { context: 'c1', server: 'https://c1:6443' }, ...onWec },
  );
  const { list } = cluster.kube;
  const ofOtherRoles = ['ControlPlane', 'BindingPolicy', 'ManagedCluster'];
  Object.assign(cluster.kube, {
    read: async () => ({ resources: [] }),
    list: async (...of: Parameters<Kube['list']>) =>
      ofOtherRoles.includes(of[0].kind) ? undefined : list(...of),
  });
  const access = {
    its: 'its1',
    kube: its.kube,
    external: endpoint,
    internal: undefined,
    ocmVersion: '1.3.1',
    imageRegistry: undefined,
    token: async () => 'token',
  } as HubAccess;
  const given = { accept: true, labels: {}, hubApiserver: 'context', ...options };
  const asked = { ...given, effects: noForecast };
  const progress = recordingProgress();
  const wecs = [{ name: 'cluster1', kube: cluster.kube }];
  const [result] = await join(access, wecs, asked, run(400, progress));
  const writes = [...new Set([...its.writes, ...cluster.writes])];
  const [titles, lines] = [true, false].map((isTitle) =>
    progress.lines.filter((line) => line.startsWith('waiting ') === isTitle),
  ) as [string[], string[]];
  const ofSteps = titles.map((line) => line.replace('waiting cluster1 ', ''));
  return { writes, error: result?.error?.message, lines, titles: ofSteps };
}

const refused = async () => {
  throw apiError(
    { context: 'its1', server: '' },
    500,
    'failed calling webhook "managedclustervalidators.admission.cluster.open-cluster-management.io": no route',
  );
};
const request = kindOf('CertificateSigningRequest', await csr({ cluster: 'cluster1', age: 600 }));

/** For each step, a join that needs it. */
const scenes: Record<string, Scene> = {
  rights: { onWec: { mayI: async () => false } },
  cluster: { wec: [kindOf('Klusterlet', { ...present, spec: { clusterName: 'another' } })] },
  identity: { hub: [kindOf('ManagedCluster', joinedCluster())] },
  'former-hub': {
    wec: [
      present,
      secretOf({ ...endpoint, server: 'https://other:6443', certificateAuthority: 'another' }),
      certificate,
      ...pods,
    ],
  },
  labels: {
    hub: [
      kindOf('ManagedCluster', {
        ...managedCluster(),
        metadata: { ...managedCluster().metadata, labels: { tier: 'b' } },
      }),
    ],
    options: { labels: { tier: 'a' } },
  },
  namespace: {
    wec: [
      namespaceOf('open-cluster-management-agent', {
        uid: 'old',
        deletionTimestamp: new Date(now).toISOString(),
      }),
    ],
  },
  admission: { onHub: { tryCreate: refused } },
  eviction: { wec: [present, secretOf(), certificate, ...pods], options: { holdWorks: true } },
  token: {
    hub: [kindOf('ClusterRole', { metadata: { name: 'open-cluster-management:bootstrap' } })],
    options: { mode: 'Default' },
  },
  operator: {},
  'bootstrap-secret': {},
  klusterlet: {},
  pods: {
    wec: [
      kindOf(
        'Pod',
        wecPod('klusterlet', [
          { name: 'k', state: { waiting: { reason: 'ImagePullBackOff' } } },
        ] as never),
      ),
    ],
  },
  certificate: { wec: [present, secretOf(), certificate, ...pods] },
  request: { isReal: true, wec: [present, secretOf(endpoint, 60_000), ...pods], hub: [request] },
  records: { options: { labels: { tier: 'a' } } },
  agent: { isReal: true, wec: [present, secretOf(endpoint, 60_000), ...pods] },
  acceptance: {},
};

describe('a join without one of its steps', () => {
  test('has a scene for each', () =>
    assert.deepEqual(
      Object.keys(scenes),
      joinSteps.map(({ name }) => name),
    ));
  for (const { name, title, write } of [...joinSteps])
    test(`writes, shows or refuses something else: ${name}`, async () => {
      const scene = scenes[name] ?? {};
      const { titles, ...whole } = await joined(scene);
      const lists: { name: string }[][] = [joinSteps as JoinStep[], planSteps as PlanStep[]];
      const before = lists.map((list) => [...list]);
      for (const list of lists)
        list.splice(0, list.length, ...list.filter((step) => step.name !== name));
      const { titles: others, ...rest } = await joined(scene).finally(() => {
        for (const [index, list] of lists.entries())
          list.splice(0, list.length, ...(before[index] ?? []));
      });
      assert.notDeepEqual(rest, whole);
      assert.deepEqual(
        titles.filter((each) => each === title && !others.includes(each)),
        write ? [title] : [],
      );
    });
});

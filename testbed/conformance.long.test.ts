/** Compares the stand-ins of Open Cluster Management with records of the real programs (expected/). */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { differences } from './conformance/compare.ts';
import { type Installation, installKlusterlet } from './conformance/installer.ts';
import { inventory, recordedInventory, without } from './conformance/inventory.ts';
import { type Observed, Recorder } from './conformance/recorder.ts';
import * as expected from './expected/sequences.ts';
import * as recorded from './expected/works.ts';
import { pods } from './faults/fault.ts';
import { requestBootstrapToken } from './helpers/tokens.ts';
import { wipeWec } from './helpers/wipe.ts';
import { bindWorkload, untilApplied } from './helpers/workload.ts';
import { type Bed, startBed } from './index.ts';
import { findCondition } from './kube/conditions.ts';
import type {
  AnyObject,
  AppliedManifestWork,
  CertificateSigningRequest,
  Deployment,
  Klusterlet,
  Lease,
  ManagedCluster,
  ManifestWork,
  Pod,
  Secret,
} from './kube/objects.ts';
import {
  pods as agentPods,
  appliedManifestWorks,
  certificateSigningRequests,
  clusterRoles,
  configMaps,
  deployments,
  klusterlets,
  leases,
  managedClusters,
  manifestWorks,
  namespaces,
  secrets,
} from './kube/resources.ts';
import { until } from './kube/until.ts';
import { agentNamespace } from './ocm/names.ts';
import type { Rule } from './ocm/rbac.ts';
import type { Plane } from './plane/plane.ts';

const wecs = ['cluster1', 'cluster2', 'cluster3'];

/** Nothing may change any more in this time. */
const settling = 1_500;

let bed: Bed;
let hub: Plane;
const free: Plane[] = [];

before(async () => {
  bed = await startBed({
    planes: [{ name: 'its1', hub: true }, ...wecs.map((name) => ({ name }))],
    log: console.error,
    isCopy: true,
  });
  hub = bed.plane('its1');
  free.push(...wecs.map((name) => bed.plane(name)));
});

after(() => bed?.stop());

interface Case {
  /** Also the name of the cluster. */
  name: string;
  expected: (place: expected.Place) => expected.Sequences;
  mode?: Installation['mode'];
  /** What differs from a valid bootstrap kubeconfig; false for none at all. */
  bootstrap?: false | Partial<NonNullable<Installation['bootstrap']>>;
  act?: ('approve' | 'deny' | 'accept')[];
  alsoCheck?: (wec: Plane, before: { hub: Set<string>; wec: Set<string> }) => Promise<void>;
}

describe('a hub', () => {
  it('has the recorded objects', async () => {
    const [plain, made] = await Promise.all([inventory(bed.plane('cluster1')), inventory(hub)]);
    const recorded = await recordedInventory('objects-of-a-hub.txt');
    // Made by the hub a moment after the list was recorded.
    recorded.add('cluster.open-cluster-management.io/v1beta2 ManagedClusterSet /default');
    assertSame(withoutNamespaceDefaults(without(made, plain)), recorded);
  });

  it('publishes its internal address', async () => {
    const { data } = await hub.admin.get<AnyObject & { data: { kubeconfig: string } }>(
      configMaps,
      'kube-public/cluster-info',
    );
    const { clusters } = parse(data.kubeconfig) as { clusters: { cluster: Record<string, string> }[] };
    assert.equal(clusters[0]?.cluster.server, 'https://its1-control-plane:6443');
    assert.equal(clusters[0]?.cluster['certificate-authority-data'], Buffer.from(hub.caPem).toString('base64'));
  });
});

describe('a registration', { concurrency: wecs.length }, () => {
  const cases: Case[] = [
    {
      name: 'cluster1',
      expected: expected.joinSingleton,
      act: ['approve', 'accept'],
      alsoCheck: checkJoined,
    },
    {
      name: 'joins-default',
      expected: expected.joinDefault,
      mode: 'Default',
      act: ['approve', 'accept'],
      alsoCheck: checkUndone,
    },
    {
      name: 'works',
      expected: expected.joinDefault,
      mode: 'Default',
      act: ['approve', 'accept'],
      alsoCheck: checkWorks,
    },
    { name: 'denied', expected: expected.denied, act: ['deny'], alsoCheck: checkDenied },
    { name: 'approved-not-accepted', expected: expected.approvedNotAccepted, act: ['approve'] },
    { name: 'accepted-not-approved', expected: expected.acceptedNotApproved, act: ['accept'] },
    { name: 'wrong-port', expected: expected.wrongPort, bootstrap: { server: 'https://127.0.0.1:1' } },
    {
      name: 'unresolvable-name',
      expected: expected.unresolvableName,
      bootstrap: { server: 'https://hub.invalid:6443' },
    },
    { name: 'wrong-ca', expected: expected.wrongCa, bootstrap: {} },
    { name: 'garbage-token', expected: expected.garbageToken, bootstrap: { token: 'garbage' } },
    { name: 'no-bootstrap-secret', expected: expected.noBootstrapSecret, bootstrap: false },
  ];
  for (const each of cases) it(each.name === 'cluster1' ? 'joins-singleton' : each.name, () => run(each));

  it('given a new Secret in Default mode', async () => {
    const wec = await takeWec();
    const name = 'renewed-default';
    try {
      await install(wec, name, 'Default');
      await until(() => theRequest(name).catch(() => undefined), 'request');
      await checkSilenced(wec, name, { mode: 'Default', lease: 'registration-agent-lock', exitCode: 1 });
    } finally {
      await wipeWec(hub, wec, name);
      free.push(wec);
    }
  });
});

/** Lets one registration happen on a free managed cluster, and compares what happened with the record. */
async function run({
  name,
  expected: sequences,
  mode = 'Singleton',
  bootstrap = {},
  act = [],
  alsoCheck,
}: Case): Promise<void> {
  const wec = await takeWec();
  const before = { hub: await inventory(hub), wec: await inventory(wec) };
  const recorder = new Recorder(hub, wec, name);
  try {
    const caPem = name === 'wrong-ca' ? wec.caPem : hub.caPem;
    const right = { server: hub.internalServer, caPem, token: await requestBootstrapToken(hub) };
    await installKlusterlet(wec, {
      clusterName: name,
      mode,
      bootstrap: bootstrap ? { ...right, ...bootstrap } : undefined,
    });
    if (act.length > 0) await untilWaiting(recorder.observed);
    for (const action of act) await actions[action](name);
    await untilConforms(recorder.observed, sequences({ hub: hub.internalServer }));
    await alsoCheck?.(wec, before);
  } finally {
    recorder.stop();
    await wipeWec(hub, wec, name);
    free.push(wec);
  }
}

async function takeWec(): Promise<Plane> {
  for (;;) {
    const wec = free.shift();
    if (wec) return wec;
    await sleep(50);
  }
}

/** As in the records: no decision before the agent has sent its request and the operator has checked. */
async function untilWaiting(observed: Observed): Promise<void> {
  const isWaiting = () =>
    observed.request.length > 0 &&
    observed.managedCluster.length > 1 &&
    observed.klusterlet.HubConnectionDegraded !== undefined;
  await until(async () => isWaiting(), 'request');
}

async function untilConforms(observed: Observed, sequences: expected.Sequences): Promise<void> {
  // If it never does, the differences show more.
  await until(async () => differences(observed, sequences).length === 0).catch(() => {});
  await sleep(settling);
  assert.deepEqual(differences(observed, sequences), []);
}

const actions = {
  approve: (cluster: string) => decide(cluster, 'Approved'),
  deny: (cluster: string) => decide(cluster, 'Denied'),
  accept: async (cluster: string) => {
    await hub.admin.patch(managedClusters, cluster, { spec: { hubAcceptsClient: true } });
  },
};

async function decide(cluster: string, type: 'Approved' | 'Denied'): Promise<void> {
  const request = await theRequest(cluster);
  const conditions = [{ type, status: 'True' as const, reason: 'Test', message: 'by the test' }];
  await hub.admin.update(certificateSigningRequests, { ...request, status: { conditions } }, 'approval');
}

async function theRequest(cluster: string): Promise<CertificateSigningRequest> {
  const labelSelector = `open-cluster-management.io/cluster-name=${cluster}`;
  const { items } = await hub.admin.list<CertificateSigningRequest>(certificateSigningRequests, { labelSelector });
  const [request] = items;
  assert.ok(request && items.length === 1, `one request for ${cluster}, not ${items.length}`);
  return request;
}

/** What a registration in Singleton mode leaves: objects, permissions, request, Secret, lease, arguments. */
async function checkJoined(wec: Plane, before: { hub: Set<string>; wec: Set<string> }): Promise<void> {
  const added = { hub: without(await inventory(hub), before.hub), wec: without(await inventory(wec), before.wec) };
  assertSame(added.wec, await recordedInventory('objects-added-on-wec.txt'));
  const recorded = await recordedInventory('objects-added-on-hub.txt');
  // The roles that all clusters share may exist already, and other registrations run in parallel.
  const shared = /managedcluster:(registration|work)$/;
  const isOwn = (line: string) => /cluster1(\/|:|$)/.test(line) && !shared.test(line);
  assertSame(new Set([...added.hub].filter(isOwn)), new Set([...recorded].filter((line) => !shared.test(line))));

  const roles = JSON.parse(await readFile(join(import.meta.dirname, 'expected', 'hub-roles.json'), 'utf8')) as Record<
    string,
    Rule[]
  >;
  for (const [role, rules] of Object.entries(roles)) {
    const present = await hub.admin.get<AnyObject & { rules: Rule[] }>(clusterRoles, role);
    assert.deepEqual(present.rules.map(canonical), rules.map(canonical), role);
  }
  await checkRequest();
  await checkHubSecret(wec);
  await checkCluster();
  await checkAgentDeployment(wec);
}

async function checkRequest(): Promise<void> {
  const { metadata, spec } = await theRequest('cluster1');
  assert.match(metadata.name, /^cluster1-[a-z0-9]{5}$/);
  assert.deepEqual(metadata.labels, { 'open-cluster-management.io/cluster-name': 'cluster1' });
  assert.equal(spec.signerName, 'kubernetes.io/kube-apiserver-client');
  assert.deepEqual(spec.usages, ['digital signature', 'key encipherment', 'client auth']);
  assert.equal(spec.expirationSeconds, 31_536_000);
  assert.equal(spec.username, 'system:serviceaccount:open-cluster-management:agent-registration-bootstrap');
  assert.deepEqual(spec.groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:open-cluster-management',
    'system:authenticated',
  ]);
}

async function checkHubSecret(wec: Plane): Promise<void> {
  const { data = {} } = await wec.admin.get<Secret>(secrets, 'open-cluster-management-agent/hub-kubeconfig-secret');
  assert.deepEqual(Object.keys(data).sort(), ['agent-name', 'cluster-name', 'kubeconfig', 'tls.crt', 'tls.key']);
  const kubeconfig = parse(Buffer.from(data.kubeconfig ?? '', 'base64').toString());
  assert.equal(kubeconfig['current-context'], 'default-context');
  assert.deepEqual(kubeconfig.users, [
    { name: 'default-auth', user: { 'client-certificate': 'tls.crt', 'client-key': 'tls.key' } },
  ]);
  assert.equal(kubeconfig.clusters[0].cluster.server, hub.internalServer);
}

async function checkCluster(): Promise<void> {
  const { metadata, spec, status } = await hub.admin.get<ManagedCluster>(managedClusters, 'cluster1');
  assert.deepEqual(metadata.labels, { 'cluster.open-cluster-management.io/clusterset': 'default' });
  // Two controllers of the hub add theirs, in either order.
  assert.deepEqual(metadata.finalizers?.toSorted(), [
    'cluster.open-cluster-management.io/api-resource-cleanup',
    'cluster.open-cluster-management.io/resource-cleanup',
  ]);
  assert.equal(metadata.generation, 4);
  assert.deepEqual(spec, { hubAcceptsClient: true, leaseDurationSeconds: 60 });
  assert.match(status?.version?.kubernetes ?? '', /^v1\.36\./);
  const lease = await hub.admin.get<Lease>(leases, 'cluster1/managed-cluster-lease');
  assert.equal(lease.spec.holderIdentity, 'managed-cluster-lease');
  assert.deepEqual(lease.metadata.labels, { 'open-cluster-management.io/cluster-name': 'cluster1' });
}

async function checkAgentDeployment(wec: Plane): Promise<void> {
  const { spec } = await wec.admin.get<Deployment>(deployments, 'open-cluster-management-agent/klusterlet-agent');
  const { metadata } = await wec.admin.get<Klusterlet>(klusterlets, 'klusterlet');
  const [container] = spec.template.spec.containers;
  assert.equal(spec.template.spec.serviceAccountName, 'klusterlet-work-sa');
  assert.deepEqual(container?.args, [
    '/registration-operator',
    'agent',
    '--spoke-cluster-name=cluster1',
    '--bootstrap-kubeconfig=/spoke/bootstrap/kubeconfig',
    `--agent-id=${metadata.uid}`,
    '--workload-source-driver=kube',
    '--workload-source-config=/spoke/hub-kubeconfig/kubeconfig',
    '--status-sync-interval=60s',
    '--client-cert-expiration-seconds=31536000',
    '--kube-api-qps=50',
    '--kube-api-burst=100',
  ]);
}

/** A denied request silences the agent for as long as the request exists. So does another bootstrap Secret. */
async function checkDenied(wec: Plane): Promise<void> {
  const name = async () => (await theRequest('denied').catch(() => undefined))?.metadata.name;
  const untilAnother = (before: string | undefined) =>
    until(async () => ![undefined, before].includes(await name()), 'another request');
  const remove = async (request: string | undefined) => hub.admin.delete(certificateSigningRequests, request ?? '');
  const denied = await name();
  await sleep(settling);
  assert.equal(await name(), denied);
  await remove(denied);
  await untilAnother(denied);

  const pending = await name();
  await checkSilenced(wec, 'denied', { mode: 'Singleton', lease: 'klusterlet-agent-lock', exitCode: 255 });
  await wec.admin.delete(leases, `${agentNamespace}/klusterlet-agent-lock`);
  await wec.admin.delete(agentPods, `${agentNamespace}/${(await agentOf(wec))?.metadata.name}`);
  await remove(pending);
  await untilAnother(pending);
}

/** A waiting agent with a new bootstrap Secret: its process ends without releasing its Lease, and the next one waits for that. */
async function checkSilenced(
  wec: Plane,
  name: string,
  { mode, lease, exitCode }: { mode: Installation['mode']; lease: string; exitCode: number },
): Promise<void> {
  const { metadata: pending } = await theRequest(name);
  const holder = async () => (await wec.admin.get<Lease>(leases, `${agentNamespace}/${lease}`)).spec.holderIdentity;
  const before = await holder();
  await install(wec, name, mode);
  const ended = async () => (await agentOf(wec))?.status?.containerStatuses?.[0]?.lastState.terminated;
  await until(ended, 'another start');
  assert.equal((await ended())?.exitCode, exitCode);
  await sleep(settling);
  assert.equal((await theRequest(name)).metadata.name, pending.name);
  assert.equal(await holder(), before);
}

async function agentOf(wec: Plane): Promise<Pod | undefined> {
  return (await wec.admin.list<Pod>(agentPods, { namespace: agentNamespace })).items[0];
}

/** Installs the klusterlet with a valid bootstrap kubeconfig, or only gives it a new token. */
async function install(wec: Plane, clusterName: string, mode: Installation['mode']): Promise<void> {
  const bootstrap = { server: hub.internalServer, caPem: hub.caPem, token: await requestBootstrapToken(hub) };
  await installKlusterlet(wec, { clusterName, mode, bootstrap });
}

/**
 * The deletion of a Klusterlet: both namespaces are deleted, the operator's own objects and the CRDs stay, and the hub does not
 * notice.
 */
async function checkUndone(wec: Plane, before: { wec: Set<string> }): Promise<void> {
  await wec.admin.delete(klusterlets, 'klusterlet');
  const isGone = async () => (await wec.admin.find(klusterlets, 'klusterlet')) === undefined;
  await until(isGone, 'end of the Klusterlet');
  const agentNamespaces = ['open-cluster-management-agent', 'open-cluster-management-agent-addon'];
  const areGone = async () =>
    (await Promise.all(agentNamespaces.map((name) => wec.admin.find(namespaces, name)))).every((found) => !found);
  await until(areGone, 'end of its namespaces');
  const left = withoutNamespaceDefaults(without(await inventory(wec), before.wec));
  // kube-controller-manager may recreate it, empty, if it notices too late that it is deleted with what it aggregates.
  left.delete('rbac.authorization.k8s.io/v1 ClusterRole /open-cluster-management:klusterlet-work:aggregate');
  assertSame(
    left,
    new Set([
      'apiextensions.k8s.io/v1 CustomResourceDefinition /appliedmanifestworks.work.open-cluster-management.io',
      'apiextensions.k8s.io/v1 CustomResourceDefinition /clusterclaims.cluster.open-cluster-management.io',
      'apiextensions.k8s.io/v1 CustomResourceDefinition /klusterlets.operator.open-cluster-management.io',
      'apps/v1 Deployment open-cluster-management/klusterlet',
      'apps/v1 ReplicaSet open-cluster-management/klusterlet',
      'rbac.authorization.k8s.io/v1 ClusterRole /klusterlet',
      'rbac.authorization.k8s.io/v1 ClusterRoleBinding /klusterlet',
      'v1 Namespace /open-cluster-management',
      'v1 Pod open-cluster-management/klusterlet',
      'v1 Secret open-cluster-management/open-cluster-management-image-pull-credentials',
      'v1 ServiceAccount open-cluster-management/klusterlet',
    ]),
  );
}

/** A work as recorded, and what happens to it when its cluster is deleted: while the agent is dead, and afterwards. */
async function checkWorks(wec: Plane): Promise<void> {
  const cluster = 'works';
  const hello: AnyObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'hello', namespace: 'default' } };
  const transport = bindWorkload(hub, { matchLabels: { works: 'here' }, manifests: [hello] });
  await hub.admin.patch(managedClusters, cluster, { metadata: { labels: { works: 'here' } } });
  const [work] = await untilApplied(hub, cluster, 1);
  transport.stop();
  const { name = '', annotations, finalizers, generation, labels } = work?.metadata ?? {};
  assert.match(name, recorded.workName);
  const status = JSON.parse(JSON.stringify(work?.status), (key, value) =>
    key === 'lastTransitionTime' ? undefined : value,
  );
  assert.deepEqual({ annotations, finalizers, generation, labels, status }, recorded.work);

  const hash = createHash('sha256').update(hub.internalServer).digest('hex');
  const find = () => wec.admin.find<AppliedManifestWork>(appliedManifestWorks, `${hash}-${name}`);
  // The agent writes it after it has reported the work as applied.
  const applied = await until(async () => {
    const found = await find();
    return found?.status?.appliedResources?.length ? found : undefined;
  }, 'what the agent has applied');
  const { uid: owner } = applied.metadata;
  const { metadata: object } = await wec.admin.get<AnyObject>(configMaps, 'default/hello');
  const { metadata: klusterlet } = await wec.admin.get<Klusterlet>(klusterlets, 'klusterlet');
  assert.deepEqual(
    {
      finalizers: applied.metadata.finalizers,
      generation: applied.metadata.generation,
      labels: applied.metadata.labels,
      resource: applied.status?.appliedResources?.[0],
    },
    { ...recorded.appliedWork, resource: { ...recorded.appliedWork.resource, uid: object.uid } },
  );
  assert.deepEqual(applied?.spec, { hubHash: hash, agentID: klusterlet.uid, manifestWorkName: name });
  const { apiVersion, kind } = appliedManifestWorks;
  assert.deepEqual(object.ownerReferences, [{ apiVersion, kind, name: `${hash}-${name}`, uid: owner }]);

  const mend = await bed.fault({ kind: 'dead', plane: wec.name, pod: pods.agents });
  await hub.admin.delete(managedClusters, cluster);
  await until(async () => (await deletingOf(cluster))?.message === recorded.remaining.message, 'word of what remains');
  const { type, status: deleting, reason, message } = (await deletingOf(cluster)) ?? {};
  assert.deepEqual({ type, status: deleting, reason, message }, recorded.remaining);
  const held = await hub.admin.get<ManifestWork>(manifestWorks, `${cluster}/${name}`);
  assert.ok(held.metadata.deletionTimestamp);
  assert.deepEqual(held.metadata.finalizers, recorded.work.finalizers);
  assert.ok(await find());
  assert.ok(await wec.admin.find(configMaps, 'default/hello'));

  await mend();
  const isGone = async () => !(await hub.admin.find(managedClusters, cluster));
  await until(isGone, 'end of the ManagedCluster');
  assert.equal(await find(), undefined);
  assert.equal(await wec.admin.find(configMaps, 'default/hello'), undefined);
  assert.ok(await hub.admin.find(namespaces, cluster));
}

async function deletingOf(cluster: string) {
  const { status } = await hub.admin.get<ManagedCluster>(managedClusters, cluster);
  return findCondition(status?.conditions, 'Deleting');
}

/** Without the objects that kube-controller-manager creates in every namespace. */
function withoutNamespaceDefaults(lines: Set<string>): Set<string> {
  return new Set(
    [...lines].filter((line) => !/^v1 (ConfigMap .*\/kube-root-ca\.crt|ServiceAccount .*\/default)$/.test(line)),
  );
}

function assertSame(observed: Set<string>, recorded: Set<string>): void {
  const difference = {
    tooMany: [...without(observed, recorded)].sort(),
    missing: [...without(recorded, observed)].sort(),
  };
  assert.deepEqual(difference, { tooMany: [], missing: [] });
}

function canonical({ apiGroups, resources, verbs, resourceNames = [] }: Rule) {
  return { apiGroups: apiGroups.toSorted(), resources: resources.toSorted(), verbs: verbs.toSorted(), resourceNames };
}

import { resources as kinds, type Resource } from '../../../src/lib/kube/client/objects.ts';
import { hubHash } from '../../../src/lib/workloads/delivery/applied-works.ts';
import { agentKeyPair, base64, joinedCluster, wecPod } from './builders.ts';
import { FakeClusters, type Held, widgets } from './fake-clusters.ts';
import { binding, workOf } from './policy-builders.ts';
import { its, wds } from './space-builders.ts';

const ofHub = [
  kinds.managedClusters,
  kinds.manifestWorks,
  kinds.managedClusterAddOns,
  kinds.clusterManagers,
];
const ofWds = [kinds.bindingPolicies, kinds.bindings, widgets];
const ofWec = [kinds.klusterlets, kinds.appliedManifestWorks, kinds.clusterClaims, widgets];
/** The clusters, each with the kinds that it defines. */
const clusters: Record<string, readonly Resource[]> = {
  hosting: [kinds.controlPlanes],
  hosting2: [kinds.controlPlanes],
  its1: ofHub,
  its2: ofHub,
  its3: ofHub,
  wds1: ofWds,
  wds2: ofWds,
  alien: ofWds,
  c1: ofWec,
  c2: ofWec,
  c9: [],
};
const agentNamespace = 'open-cluster-management-agent';
const operatorNamespace = 'open-cluster-management';
const ours = { 'app.kubernetes.io/managed-by': 'stellarctl' };
const ofKlusterlet = { 'open-cluster-management.io/created-by-klusterlet': 'klusterlet' };
const named = (name: string, more: object = {}) => ({ metadata: { name, ...more } });
const ownedBy = (cluster: string, kind: string, name: string) => ({
  ownerReferences: [{ apiVersion: 'x', kind, name, uid: `${cluster} ${kind} ${name}` }],
});

/**
 * Two hosting clusters. On `hosting`: its1 with wds1 and wds2, which have policies of the same name, and its2 and its3. On `hosting2`:
 * `alien`, another WDS of the name wds1, which sends through its2. The cluster c1 is the WEC c1 of its1, c2 the WEC c1 of its2, c9 is
 * none; c3 and c5 have no cluster. Where something may be destroyed, there are objects of others, called `bystander`.
 */
export async function destroyWorld(): Promise<FakeClusters> {
  const world = new FakeClusters();
  for (const [cluster, defined] of Object.entries(clusters)) {
    for (const name of ['kube-system', 'default'])
      world.put(cluster, kinds.namespaces, named(name));
    for (const { plural, apiVersion } of defined)
      world.put(
        cluster,
        kinds.customResourceDefinitions,
        named(`${plural}.${apiVersion.split('/')[0]}`),
      );
    if (defined === ofHub) world.put(cluster, kinds.clusterManagers, named('cluster-manager'));
  }
  const space = (hosting: string, plane: ReturnType<typeof its>, cluster: string) => {
    const { name } = plane.metadata;
    const namespace = `${name}-system`;
    const labels = { 'kflex.kubestellar.io/cptype': name.slice(0, 3) };
    world.put(hosting, kinds.controlPlanes, { ...plane, ...named(name, { labels }) });
    world.put(hosting, kinds.namespaces, named(namespace, ownedBy(hosting, 'ControlPlane', name)));
    const kubeconfig = base64(world.kubeconfig({ [name]: cluster }));
    world.put(hosting, kinds.secrets, {
      ...named('admin-kubeconfig', { namespace }),
      data: { kubeconfig },
    });
  };
  for (const name of ['its1', 'its2', 'its3']) space('hosting', its(name, { type: 'k8s' }), name);
  for (const name of ['wds1', 'wds2']) space('hosting', wds(name, 'its1', { type: 'k8s' }), name);
  space('hosting2', its('its2', { type: 'k8s' }), 'its2');
  space('hosting2', wds('wds1', 'its2', { type: 'k8s' }), 'alien');
  for (const [hub, name] of [
    ['its1', 'c1'],
    ['its1', 'c3'],
    ['its1', 'c5'],
    ['its2', 'c1'],
  ] as const) {
    const labels = { 'open-cluster-management.io/cluster-name': name };
    const cluster = joinedCluster({ name });
    world.put(hub, kinds.managedClusters, {
      ...cluster,
      ...named(name, { labels: { env: 'edge', region: 'eu' } }),
    });
    world.put(hub, kinds.namespaces, named(name, { labels }));
    // No agent renews it, and the runs of a release take minutes.
    const spec = { renewTime: new Date(Date.now() + 3_600_000).toISOString() };
    world.put(hub, kinds.leases, { ...named('managed-cluster-lease', { namespace: name }), spec });
    world.put(hub, kinds.configMaps, named(name, { namespace: 'customization-properties' }));
    world.put(hub, kinds.certificateSigningRequests, {
      ...named(`request-${name}`, { labels }),
      spec: {},
    });
    if (name === 'c1') world.put(hub, kinds.configMaps, named('bystander', { namespace: name }));
  }
  await addWec(world, 'c1', 'its1');
  await addWec(world, 'c2', 'its2');
  send(world, 'wds1', 'shop', ['c1', 'c3'], 'its1');
  send(world, 'wds1', 'other', ['c1'], 'its1');
  send(world, 'wds2', 'shop', ['c3'], 'its1');
  send(world, 'alien', 'shop', ['c1'], 'its2', 'wds1');
  world.hasIssued = (cluster, commonName) => commonName.endsWith(`c1:${cluster}`);
  world.react = (...event) => react(world, ...event);
  return world;
}

/** A cluster that is registered as c1, with another hub's work, an object in the operator's namespace, and granted rights. */
async function addWec(world: FakeClusters, cluster: string, hub: string) {
  const put = (resource: Resource, object: object) => world.put(cluster, resource, object);
  for (const name of [agentNamespace, `${agentNamespace}-addon`])
    put(kinds.namespaces, named(name, { labels: ofKlusterlet }));
  put(kinds.namespaces, named(operatorNamespace, { labels: ours }));
  const conditions = [{ type: 'HubConnectionDegraded', status: 'False' }];
  const spec = { clusterName: 'c1', deployOption: { mode: 'Singleton' } };
  put(kinds.klusterlets, {
    ...named('klusterlet', { labels: ours }),
    spec,
    status: { conditions },
  });
  const data = { kubeconfig: base64(world.kubeconfig({ [hub]: hub })) };
  const inAgent = { namespace: agentNamespace };
  put(kinds.secrets, { ...named('bootstrap-hub-kubeconfig', inAgent), data });
  put(kinds.secrets, {
    ...named('hub-kubeconfig-secret', inAgent),
    data: { ...data, ...(await agentKeyPair('c1', hub)) },
  });
  put(kinds.deployments, named('klusterlet', { namespace: operatorNamespace, labels: ours }));
  for (const { metadata, status } of ['klusterlet', 'klusterlet-agent'].map((app) => wecPod(app))) {
    const ready = { ...status, conditions: [{ type: 'Ready', status: 'True' }] };
    put(kinds.pods, {
      metadata: { ...metadata, labels: { ...metadata.labels, ...ofKlusterlet } },
      status: ready,
    });
  }
  for (const kind of [kinds.clusterRoles, kinds.clusterRoleBindings])
    put(kind, named('klusterlet', { labels: ours }));
  const rules = ['gears', 'gadgets'].map((kind) => ({
    apiGroups: ['example.com'],
    resources: [kind],
    verbs: ['get'],
  }));
  put(kinds.clusterRoles, { ...named('stellarctl:work-agent', { labels: ours }), rules });
  put(kinds.configMaps, named('bystander', { namespace: operatorNamespace }));
  apply(world, cluster, 'https://another-hub', 'w', 'bystander');
}

/** An object that a work has applied on a WEC. */
function apply(world: FakeClusters, cluster: string, hub: string, work: string, object: string) {
  const name = `${hubHash(hub)}-${work}`;
  const spec = { hubHash: hubHash(hub), manifestWorkName: work };
  const entry = {
    group: 'example.com',
    version: 'v1',
    resource: 'widgets',
    namespace: 'default',
    name: object,
  };
  world.put(cluster, kinds.appliedManifestWorks, {
    ...named(name),
    spec,
    status: { appliedResources: [entry] },
  });
  const owner = ownedBy(cluster, 'AppliedManifestWork', name);
  world.put(cluster, widgets, named(object, { namespace: 'default', ...owner }));
}

/** A policy, its Binding, its works in the mailboxes, and what they have applied. The works expand the label `region`. */
function send(
  world: FakeClusters,
  cluster: string,
  policy: string,
  wecs: string[],
  hub: string,
  sender = cluster,
) {
  const clusterSelectors = [{ matchLabels: { env: 'edge' } }];
  world.put(cluster, kinds.bindingPolicies, { ...named(policy), spec: { clusterSelectors } });
  const object = `${cluster}-${policy}`;
  const bound = {
    group: 'example.com',
    version: 'v1',
    resource: 'widgets',
    namespace: 'default',
    name: object,
  };
  const { spec } = binding(policy, { destinations: wecs, objects: [bound] });
  const metadata = named(policy, { ...ownedBy(cluster, 'BindingPolicy', policy) });
  world.put(cluster, kinds.bindings, { ...metadata, spec, status: { observedGeneration: 1 } });
  world.put(cluster, widgets, { ...named(object, { namespace: 'default' }), spec: '' });
  const conditions = [{ type: 'Applied', status: 'True', observedGeneration: 1 }];
  const manifests = [
    { apiVersion: 'example.com/v1', kind: 'Widget', ...named(object, { namespace: 'default' }) },
  ];
  const reported = [{ resourceMeta: { ordinal: 0, kind: 'Widget', ...bound }, conditions }];
  for (const wec of wecs) {
    const name = `${policy}-${sender}-1`;
    const finalizers = ['cluster.open-cluster-management.io/manifest-work-cleanup'];
    const work = { ...workOf(policy, sender, wec).metadata, name, finalizers };
    const status = { conditions, resourceStatus: { manifests: reported } };
    world.put(hub, kinds.manifestWorks, {
      metadata: work,
      spec: { workload: { manifests } },
      status,
    });
    const at = clusterOf(hub, wec);
    if (at !== undefined) apply(world, at, `https://127.0.0.1:6443/${hub}`, name, object);
  }
}

const clusterOf = (hub: string, wec = '') => ({ its1c1: 'c1', its2c1: 'c2' })[hub + wec];

/** What Kubernetes, KubeFlex, OCM and KubeStellar do after a deletion or a change. */
function react(world: FakeClusters, event: 'deleted' | 'changed', held: Held, orphan: boolean) {
  const { cluster, resource, object } = held;
  const { name, uid } = object.metadata;
  if (resource === kinds.manifestWorks && event === 'changed') runAgent(world, held);
  const [hub, sender] = cluster === 'alien' ? ['its2', 'wds1'] : ['its1', cluster];
  const sendsNothing = (object as { spec?: { workload?: object } }).spec?.workload === undefined;
  if (resource === kinds.bindings && (event === 'deleted' || sendsNothing))
    for (const work of world.in(hub, kinds.manifestWorks))
      if (work.object.metadata.name === `${name}-${sender}-1`) world.remove(work);
  if (event === 'changed') return;
  const lose = (lost: Held[]) => {
    for (const each of lost) {
      delete each.object.metadata.finalizers;
      world.remove(each);
    }
  };
  for (const { object: other, ...rest } of world.in(cluster)) {
    const owners = other.metadata.ownerReferences ?? [];
    if (!owners.some((owner) => owner.uid === uid)) continue;
    other.metadata.ownerReferences = owners.filter((owner) => owner.uid !== uid);
    if (!orphan && owners.length === 1) world.remove({ object: other, ...rest });
  }
  const inNamespace = (namespace: string) =>
    world.in(cluster).filter((each) => each.object.metadata.namespace === namespace);
  if (resource === kinds.namespaces) lose(inNamespace(name));
  if (resource === kinds.managedClusters)
    for (const each of inNamespace(name)) if (ofHub.includes(each.resource)) world.remove(each);
  if (resource === kinds.customResourceDefinitions)
    lose(
      world
        .in(cluster)
        .filter(({ resource: kind }) => name === `${kind.plural}.${kind.apiVersion.split('/')[0]}`),
    );
  if (resource === kinds.controlPlanes)
    for (const [id, each] of world.held)
      if (each.cluster === (cluster === 'hosting2' ? 'alien' : name)) world.held.delete(id);
  if (resource === kinds.klusterlets && isRunning(world, cluster, 'klusterlet'))
    for (const each of world.in(cluster, kinds.namespaces))
      if (each.object.metadata.name.startsWith(agentNamespace)) world.remove(each);
}

const isRunning = (world: FakeClusters, cluster: string, app: string) =>
  world.in(cluster, kinds.pods).some(({ object }) => object.metadata.name === `${app}-1`);

/** The work agent: reports that it has applied a work, releases what is orphaned, and removes what a deleted work has applied. */
function runAgent(world: FakeClusters, { cluster, object, resource }: Held) {
  const { name, namespace, generation, deletionTimestamp } = object.metadata;
  const wec = clusterOf(cluster, namespace);
  if (wec !== undefined && !isRunning(world, wec, 'klusterlet-agent')) return;
  const { spec, status } = object as {
    spec?: { deleteOption?: object };
    status?: { conditions: object[] };
  };
  for (const condition of status?.conditions ?? [])
    Object.assign(condition, { observedGeneration: generation });
  for (const work of world.in(wec ?? '', kinds.appliedManifestWorks)) {
    if (!work.object.metadata.name.endsWith(`-${name}`)) continue;
    const owns = ({ metadata }: Held['object']) =>
      metadata.ownerReferences?.some(({ uid }) => uid === work.object.metadata.uid);
    if (spec?.deleteOption)
      for (const each of world.in(work.cluster, widgets))
        if (owns(each.object)) delete each.object.metadata.ownerReferences;
    if (deletionTimestamp !== undefined) world.remove(work);
  }
  if (deletionTimestamp === undefined) return;
  delete object.metadata.finalizers;
  world.remove({ cluster, object, resource });
}

import type { Bed } from '../bed.ts';
import type { Api } from '../kube/api.ts';
import type {
  AnyObject,
  CertificateSigningRequest,
  Condition,
  ContainerStatus,
  Klusterlet,
  KubeObject,
  Lease,
  ManagedCluster,
  ManifestWork,
  Namespace,
  Pod,
} from '../kube/objects.ts';
import {
  events,
  klusterlets,
  leases,
  managedClusterAddOns,
  managedClusters,
  manifestWorks,
  namespaces,
  nodes,
  pods,
  type Resource,
} from '../kube/resources.ts';
import { agentNamespace, clusterLease, operatorNamespace } from '../ocm/names.ts';
import { Scene } from './scene.ts';

/** The state of a managed cluster's objects: one line each, in words that a test can match. */
export interface Evidence {
  /** What is visible on the hub alone. */
  hub: string[];
  wec: string[];
}

/** Everything that hub and managed cluster show about a registration. */
export async function evidenceOf(bed: Bed, wec = 'cluster1'): Promise<Evidence> {
  const scene = new Scene(bed, wec);
  const [hub, own] = await Promise.all([hubSide(scene), wecSide(scene.wec.admin)]);
  return { hub, wec: own };
}

async function hubSide(scene: Scene): Promise<string[]> {
  const { admin } = scene.hub;
  const { name } = scene;
  const cluster = await admin.find<ManagedCluster>(managedClusters, name);
  const lease = await admin.find<Lease>(leases, `${name}/${clusterLease}`);
  const works = await items<ManifestWork>(admin, manifestWorks, name);
  const addons = await items<AnyObject>(admin, managedClusterAddOns, name);
  return [
    ...(cluster ? clusterLines(cluster) : ['no ManagedCluster']),
    ...(await scene.requests()).map(requestLine),
    ...(await namespaceLines(admin, name)),
    ...(lease ? [`lease: renewed ${age(lease.spec.renewTime)} ago`] : []),
    ...works.flatMap((work) => objectLines('ManifestWork', work, work.status?.conditions)),
    ...addons.flatMap((addon) => objectLines('ManagedClusterAddOn', addon, undefined)),
  ];
}

async function wecSide(admin: Api): Promise<string[]> {
  try {
    await admin.send('GET', '/livez');
  } catch (error) {
    return [`GET /livez: ${(error as Error).message}`];
  }
  const klusterlet = await admin.find<Klusterlet>(klusterlets, 'klusterlet').catch(() => undefined);
  const found: string[] = klusterlet
    ? [`Klusterlet: clusterName ${klusterlet.spec?.clusterName}`, ...lines('Klusterlet', klusterlet.status?.conditions)]
    : ['no Klusterlet'];
  for (const node of await items<Namespace>(admin, nodes)) found.push(...lines('Node', node.status?.conditions));
  for (const namespace of [operatorNamespace, agentNamespace]) {
    found.push(...(await namespaceLines(admin, namespace)));
    for (const pod of await items<Pod>(admin, pods, namespace)) found.push(...(await podLines(admin, pod)));
    for (const event of await items<AnyObject>(admin, events, namespace))
      if (event.type === 'Warning') found.push(`Event ${namespace}: ${event.reason}: ${event.message}`);
  }
  return found;
}

async function items<T extends KubeObject>(admin: Api, resource: Resource, namespace?: string): Promise<T[]> {
  return (await admin.list<T>(resource, namespace === undefined ? {} : { namespace }).catch(() => ({ items: [] })))
    .items;
}

function clusterLines({ metadata, spec, status }: ManagedCluster): string[] {
  const { deletionTimestamp, finalizers } = metadata;
  return [
    `ManagedCluster: hubAcceptsClient ${spec.hubAcceptsClient}, taints ${JSON.stringify(
      (spec as { taints?: { key: string }[] }).taints?.map(({ key }) => key) ?? [],
    )}${deletionTimestamp ? `, deleted, finalizers ${finalizers}` : ''}`,
    ...lines('ManagedCluster', status?.conditions),
  ];
}

function requestLine({ metadata, spec, status }: CertificateSigningRequest): string {
  const states = status?.conditions?.map(({ type, reason }) => `${type} (${reason})`) ?? ['pending'];
  const issued = status?.certificate ? 'issued' : 'not issued';
  return `request ${metadata.name}: ${states.join(', ')}, ${issued}, by ${spec.username}`;
}

async function namespaceLines(admin: Api, name: string): Promise<string[]> {
  const namespace = await admin.find<Namespace>(namespaces, name).catch(() => undefined);
  if (!namespace) return [`Namespace ${name}: none`];
  const troubles = namespace.status?.conditions?.filter(({ status }) => status === 'True');
  return [`Namespace ${name}: ${namespace.status?.phase}`, ...lines(`Namespace ${name}`, troubles)];
}

async function podLines(admin: Api, pod: Pod): Promise<string[]> {
  const { namespace = '', name } = pod.metadata;
  const status = pod.status as { phase?: string; reason?: string; conditions?: Condition[] } & Pod['status'];
  const troubles = status?.conditions?.filter(
    ({ reason, type }) => reason && type !== 'Ready' && type !== 'ContainersReady',
  );
  const log = await admin
    .send<string>('GET', `/api/v1/namespaces/${namespace}/pods/${name}/log?tailLines=1`)
    .catch((error: Error) => `(${error.message})`);
  return [
    `Pod ${namespace}/${name}: ${status?.phase} ${status?.reason ?? ''} ${(status?.containerStatuses ?? []).map(containerState)}`,
    ...lines(`Pod ${namespace}/${name}`, troubles),
    `Log ${namespace}/${name}: ${log.trim()}`,
  ];
}

function containerState({ state, lastState, ready, restartCount }: ContainerStatus): string {
  const { waiting, running, terminated } = state;
  const last = lastState.terminated ? `, last exit ${lastState.terminated.exitCode}` : '';
  const now = waiting
    ? `waiting ${waiting.reason}: ${waiting.message ?? ''}`
    : running
      ? `running, ready ${ready}`
      : '';
  return `${now}${terminated ? `ended ${terminated.exitCode} ${terminated.reason}` : ''}, restarts ${restartCount}${last}`;
}

function objectLines(kind: string, { metadata }: KubeObject, conditions: Condition[] | undefined): string[] {
  const { name, deletionTimestamp, finalizers = [] } = metadata;
  const deleted = deletionTimestamp ? 'deleted' : 'not deleted';
  return [`${kind} ${name}: ${deleted}, finalizers ${finalizers}`, ...lines(`${kind} ${name}`, conditions)];
}

function lines(of: string, conditions: readonly Condition[] | undefined): string[] {
  return (conditions ?? []).map(({ type, status, reason, message }) => `${of} ${type}=${status} ${reason}: ${message}`);
}

function age(time: string | undefined): string {
  return time === undefined ? 'never' : `${Math.round((Date.now() - Date.parse(time)) / 1000)} s`;
}

import { count } from '../../../engine/counts.ts';
import type { Run } from '../../../engine/run.ts';
import { tryRead } from '../../../kube/access.ts';
import type { Kube } from '../../../kube/client/client.ts';
import type { Deployment, KubeObject } from '../../../kube/objects.ts';
import { type Resource, resources } from '../../../kube/resources.ts';
import { listIfDefined, listServed } from '../../../kube/served.ts';
import { untilGone } from '../../../kube/until-gone.ts';
import { deleteObjects } from '../../../kube/writes.ts';
import {
  addonNamespace,
  agentNamespace,
  klusterletCrdName,
  klusterletName,
  operatorName,
  operatorNamespace,
} from '../../../model/ocm-names.ts';
import { isOurs, madeByRegistration } from '../../klusterlet/operator.ts';
import { foreignObjectsIn, listed } from '../inspect/foreign-objects.ts';
import type { CleanupRecord } from './cleanup-record.ts';

/** Why the operator, its kinds and namespaces must stay; undefined if nothing else needs them. */
export async function whyOperatorStays(wec: Kube): Promise<string | undefined> {
  const [operator, klusterlets, managers] = await Promise.all([
    wec.get<Deployment>(resources.deployments, operatorName, { namespace: operatorNamespace }),
    listIfDefined(wec, resources.klusterlets),
    listIfDefined(wec, resources.clusterManagers),
  ]);
  if (operator !== undefined && !isOurs(operator)) return 'stellarctl did not install it';
  const other = otherKlusterlet(wec, klusterlets);
  if (other !== undefined) return `the Klusterlet ${other.metadata.name} needs it`;
  return managers?.length ? 'the cluster is an OCM hub as well' : undefined;
}

/** A Klusterlet of another registration. The Klusterlet of this one is already removed, except in a dry run. */
const otherKlusterlet = (wec: Kube, klusterlets: readonly KubeObject[] | undefined): KubeObject | undefined =>
  klusterlets?.find(({ metadata }) => !wec.dryRun || metadata.name !== klusterletName);

/** Another Klusterlet may be registered with the same hub: then the hub's hash does not identify the owner of a work. */
export const sharesHash = async (wec: Kube): Promise<boolean> =>
  otherKlusterlet(wec, await listIfDefined(wec, resources.klusterlets)) !== undefined;

/**
 * Kinds that the operator installs, each with what would be lost with it. Deleting the kind of a kept AppliedManifestWork would
 * remove its workloads.
 */
const broughtKinds: { crd: string; instances: Resource }[] = [
  { crd: 'appliedmanifestworks.work.open-cluster-management.io', instances: resources.appliedManifestWorks },
  { crd: 'clusterclaims.cluster.open-cluster-management.io', instances: resources.clusterClaims },
  { crd: klusterletCrdName, instances: resources.klusterlets },
];

/**
 * Removes operator, rights, kinds and namespaces that nothing else uses, and reports what stays.
 * @returns whether anything was removed
 */
export async function removeOperator(wec: Kube, record: CleanupRecord, run: Run): Promise<boolean> {
  // Without rights or a Deployment from stellarctl here, the kinds may belong to an operator that is installed elsewhere.
  const role = await wec.get(resources.clusterRoles, operatorName);
  const operator = await wec.get<Deployment>(resources.deployments, operatorName, { namespace: operatorNamespace });
  const isOurOperator = [role, operator].some((object) => object !== undefined && isOurs(object));
  let removed = false;
  const remove = async (resource: Resource, ...objects: KubeObject[]) => {
    removed = (await deleteObjects(wec, resource, objects)) || removed;
  };
  // First: while kinds are being removed, discovery names them and does not say what they are.
  const namespaces = await removableNamespaces(wec, record, run);
  if (operator !== undefined) await remove(resources.deployments, operator);
  if (isOurOperator) for (const kind of broughtKinds) await removeKind(wec, kind, remove, run);
  // A controller of Kubernetes may have recreated it, empty, after the operator had deleted it with the roles that it aggregates.
  const aggregate = await wec.get(resources.clusterRoles, `open-cluster-management:${klusterletName}-work:aggregate`);
  if (aggregate !== undefined && namespaces.length > 0) await remove(resources.clusterRoles, aggregate);
  run.progress.waiting(record.name, 'its namespaces are being removed');
  // The last namespace holds the record of this clean-up; rights are deleted before it, or the next run would miss them.
  const binding = await wec.get(resources.clusterRoleBindings, operatorName);
  if (binding !== undefined && isOurs(binding)) await remove(resources.clusterRoleBindings, binding);
  const isLast = ({ metadata }: KubeObject) => metadata.name === operatorNamespace;
  await remove(resources.namespaces, ...namespaces.filter((namespace) => !isLast(namespace)));
  if (role !== undefined && isOurs(role)) await remove(resources.clusterRoles, role);
  await remove(resources.namespaces, ...namespaces.filter(isLast));
  await Promise.all(namespaces.map((namespace) => untilGone(wec, resources.namespaces, namespace, run)));
  return removed;
}

async function removeKind(
  wec: Kube,
  { crd, instances }: (typeof broughtKinds)[number],
  remove: (resource: Resource, object: KubeObject) => Promise<void>,
  run: Run,
): Promise<void> {
  const definition = await wec.get(resources.customResourceDefinitions, crd);
  if (definition === undefined) return;
  // In a dry run they still exist.
  const left = wec.dryRun ? [] : await listServed(wec, instances);
  if (left.length > 0)
    run.progress.note(
      `The kind ${crd} stays on ${wec.cluster.context}: ${count(left.length, 'object')} of it ${left.length === 1 ? 'remains' : 'remain'}.`,
    );
  else await remove(resources.customResourceDefinitions, definition);
}

/** The existing namespaces of a registration that contain nothing else. */
async function removableNamespaces(wec: Kube, record: CleanupRecord, run: Run): Promise<KubeObject[]> {
  const removable: KubeObject[] = [];
  for (const name of [agentNamespace, addonNamespace, operatorNamespace]) {
    const namespace = await wec.get(resources.namespaces, name);
    if (namespace === undefined) continue;
    const reason = namespace.metadata.deletionTimestamp ? undefined : await whyItStays(wec, namespace, record);
    if (reason === undefined) removable.push(namespace);
    else run.progress.note(`Namespace ${name} stays on ${wec.cluster.context}: ${reason}.`);
  }
  return removable;
}

async function whyItStays(wec: Kube, namespace: KubeObject, { hubHash }: CleanupRecord): Promise<string | undefined> {
  if (!madeByRegistration(namespace)) return 'it was not created by the registration';
  const others = await tryRead(() => foreignObjectsIn(wec, namespace.metadata.name, hubHash));
  if (others.state !== 'seen') return `what it holds cannot be seen (${others.why})`;
  return others.value.length === 0 ? undefined : `it holds ${listed(others.value)}`;
}

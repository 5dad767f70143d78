import { StellarError } from '../../core/errors.ts';
import { command, run as nextStep } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { jsonObject } from '../../core/text/formats.ts';
import { count, few } from '../../core/text/words.ts';
import type { Kube } from '../../kube/client/client.ts';
import {
  type KubeObject,
  type PlainResource,
  type Resource,
  resources,
} from '../../kube/client/objects.ts';
import { isScaledToNone } from '../../kube/pods.ts';
import { listIfDefined, listServed, type Proving } from '../../kube/served.ts';
import { untilGone } from '../../kube/until-gone.ts';
import { deleteObjects, deletePresent } from '../../kube/writes.ts';
import { madeByRegistration, startOperator } from '../../ocm/agent/klusterlet-operator.ts';
import { readKlusterlet, readOperator } from '../../ocm/agent/wec-evidence.ts';
import {
  addonNamespace,
  agentNamespace,
  bootstrapSecretName,
  hubSecretName,
  isOurs,
  klusterletCrdName,
  klusterletName,
  operatorName,
  operatorNamespace,
} from '../../ocm/model/ocm-names.ts';
import type { Klusterlet } from '../../ocm/model/ocm-objects.ts';
import { removeApplied } from '../../workloads/delivery/applied-works.ts';
import { grantRoleName } from '../registration/grant.ts';
import { foreignObjectsIn } from './foreign-objects.ts';

/**
 * Removes what a registration has created on a WEC, with or without the workloads that an agent has left there, and only what has
 * the label, the owner or the hub hash of this registration. The operator cleans up a Klusterlet, and is started for that. This function
 * never deletes the agent's namespaces while the Klusterlet exists: the operator would recreate them broken. The identity of the
 * cluster is already proven.
 * @returns whether anything was removed
 */
export async function cleanUpWec(
  wec: Proving,
  record: CleanupRecord,
  keepWorkloads: boolean | undefined,
  run: Run,
): Promise<boolean> {
  const { name } = record;
  const hash = record.hubHash ?? undefined;
  const klusterlet = await readKlusterlet(wec);
  let changed = false;
  await writeCleanupRecord(wec, record);
  if (klusterlet !== undefined && klusterlet.spec?.clusterName === name) {
    await removeKlusterlet(wec, klusterlet, run);
    changed = true;
    run.progress.changed(name, 'klusterlet removed');
  }
  const isShared = await sharesHash(wec);
  const applied = isShared ? 0 : await removeApplied(wec, hash, keepWorkloads);
  if (applied > 0)
    run.progress.changed(name, keepWorkloads ? 'workloads kept' : 'workloads removed');
  // The agent of another Klusterlet uses the granted rights as well.
  if (!isShared) await removeGrant(wec);
  const reason = await whyOperatorStays(wec);
  if (reason !== undefined) {
    run.progress.note(`The klusterlet operator on ${wec.cluster.context} stays: ${reason}.`);
    // Without a record the next run would take leftovers in them for parts of a registration.
    for (const namespace of [agentNamespace, addonNamespace]) {
      const present = await wec.get(resources.namespaces, namespace);
      if (present?.metadata.deletionTimestamp !== undefined)
        await untilGone(wec, resources.namespaces, present, run);
    }
  }
  const removed = reason === undefined && (await removeOperator(wec, record, run));
  await writeCleanupRecord(wec, null);
  return removed || changed || applied > 0;
}

/** Rights granted to the work agent are removed with it. */
async function removeGrant(wec: Kube) {
  const role = await wec.get(resources.clusterRoles, grantRoleName);
  if (isOurs(role)) await wec.delete(resources.clusterRoles, role);
}

/** Only the operator removes the agent. It is started after the deletion: before, it would restore the agent first. */
async function removeKlusterlet(wec: Kube, klusterlet: Klusterlet, run: Run) {
  const { name } = klusterlet.metadata;
  const { context } = wec.cluster;
  await wec.delete(resources.klusterlets, klusterlet);
  await startScaledOperator(wec, run);
  const wait = {
    ...run,
    name: klusterlet.spec?.clusterName ?? name,
    why: 'the operator is removing the agent',
  };
  await untilGone(wec, resources.klusterlets, klusterlet, wait).catch((error: unknown) => {
    if (!(error instanceof StellarError) || error.code !== 'timeout') throw error;
    const unfinished = JSON.stringify({ metadata: { finalizers: null } });
    const see = command`kubectl --context ${context} -n ${operatorNamespace} get pods`;
    const patch = command`kubectl --context ${context} patch klusterlet ${name} --type merge -p ${unfinished}`;
    const next = [
      nextStep(see, 'See whether the operator runs'),
      nextStep(
        patch,
        'If it never will, remove the finalizer of the Klusterlet, and rerun the command',
      ),
    ];
    throw error.with({ next });
  });
}

/** Starts an operator that stellarctl has installed, and that was scaled to zero. */
async function startScaledOperator(wec: Kube, { progress, dryRun }: Run) {
  const { context } = wec.cluster;
  const operator = await readOperator(wec);
  if (operator === undefined)
    progress.note(
      `${context} has no klusterlet operator in ${operatorNamespace}: one elsewhere must remove the agent.`,
    );
  if (!isOurs(operator) || !isScaledToNone(operator)) return;
  await startOperator(wec, operator);
  if (!dryRun)
    progress.note(`The klusterlet operator on ${context} is started again: it removes the agent.`);
}

/** Why the operator, its kinds and namespaces must stay; undefined if nothing else needs them. */
export async function whyOperatorStays(wec: Kube): Promise<string | undefined> {
  const [operator, klusterlets, managers] = await Promise.all([
    readOperator(wec),
    listIfDefined(wec, resources.klusterlets),
    listIfDefined(wec, resources.clusterManagers),
  ]);
  if (operator !== undefined && !isOurs(operator)) return 'stellarctl did not install it';
  const other = otherKlusterlet(wec, klusterlets);
  if (other !== undefined) return `the Klusterlet ${other.metadata.name} needs it`;
  return managers?.length ? 'the cluster is an OCM hub as well' : undefined;
}

/** A Klusterlet of another registration. The Klusterlet of this one is already removed, except in a dry run. */
const otherKlusterlet = (
  wec: Kube,
  klusterlets: readonly KubeObject[] | undefined,
): KubeObject | undefined =>
  klusterlets?.find(({ metadata }) => !wec.dryRun || metadata.name !== klusterletName);

/** Another Klusterlet may be registered with the same hub: then the hub's hash does not identify the owner of a work. */
const sharesHash = async (wec: Kube) =>
  otherKlusterlet(wec, await listIfDefined(wec, resources.klusterlets)) !== undefined;

/**
 * Kinds that the operator installs, each with what would be lost with it. Deleting the kind of a kept AppliedManifestWork would
 * remove its workloads.
 */
const installedKinds: { crd: string; instances: Resource }[] = [
  {
    crd: 'appliedmanifestworks.work.open-cluster-management.io',
    instances: resources.appliedManifestWorks,
  },
  { crd: 'clusterclaims.cluster.open-cluster-management.io', instances: resources.clusterClaims },
  { crd: klusterletCrdName, instances: resources.klusterlets },
];

/** The definitions of installed kinds of which nothing is left; reports the others, which stay. */
async function unusedKinds(wec: Kube, { progress }: Run): Promise<KubeObject[]> {
  const unused: KubeObject[] = [];
  for (const { crd, instances } of installedKinds) {
    const definition = await wec.get(resources.customResourceDefinitions, crd);
    if (definition === undefined) continue;
    // In a dry run they still exist.
    const { length } = wec.dryRun ? [] : await listServed(wec, instances);
    const remaining = count(length, 'object of it remains', 'objects of it remain');
    if (length === 0) unused.push(definition);
    else progress.note(`The kind ${crd} stays on ${wec.cluster.context}: ${remaining}.`);
  }
  return unused;
}

/**
 * Removes operator, rights, kinds and namespaces that nothing else uses, and reports what stays.
 * @returns whether anything was removed
 */
export async function removeOperator(wec: Kube, record: CleanupRecord, run: Run): Promise<boolean> {
  // Without rights or a Deployment from stellarctl here, the kinds may belong to an operator that is installed elsewhere.
  const role = await wec.get(resources.clusterRoles, operatorName);
  const operator = await readOperator(wec);
  const isOurOperator = [role, operator].some(isOurs);
  let removed = false;
  const remove = async (resource: PlainResource, ...objects: KubeObject[]) => {
    removed = (await deleteObjects(wec, resource, objects)) || removed;
  };
  // First: while kinds are being removed, discovery names them and does not say what they are.
  const namespaces = await removableNamespaces(wec, record, run).catch(async (error: unknown) => {
    // A token and a key do not stay with a namespace.
    for (const name of [hubSecretName, bootstrapSecretName])
      await deletePresent(wec, resources.secrets, name, agentNamespace);
    throw error;
  });
  if (operator !== undefined) await remove(resources.deployments, operator);
  if (isOurOperator)
    await remove(resources.customResourceDefinitions, ...(await unusedKinds(wec, run)));
  // A controller of Kubernetes may have recreated it, empty, after the operator had deleted it with the roles that it aggregates.
  const aggregate = await wec.get(
    resources.clusterRoles,
    `open-cluster-management:${klusterletName}-work:aggregate`,
  );
  if (aggregate !== undefined && namespaces.length > 0)
    await remove(resources.clusterRoles, aggregate);
  run.progress.waiting(record.name, 'its namespaces are being removed');
  // The last namespace holds the record of this clean-up; rights are deleted before it, or the next run would miss them.
  const binding = await wec.get(resources.clusterRoleBindings, operatorName);
  if (isOurs(binding)) await remove(resources.clusterRoleBindings, binding);
  const isLast = ({ metadata }: KubeObject) => metadata.name === operatorNamespace;
  await remove(resources.namespaces, ...namespaces.filter((namespace) => !isLast(namespace)));
  if (isOurs(role)) await remove(resources.clusterRoles, role);
  // All that a next run could do is asked for: each namespace takes Kubernetes at least five seconds.
  await remove(resources.namespaces, ...namespaces.filter(isLast));
  await Promise.all(
    namespaces.map((namespace) => untilGone(wec, resources.namespaces, namespace, run)),
  );
  return removed;
}

/** The existing namespaces of a registration that contain nothing else. @throws StellarError for what cannot be seen */
async function removableNamespaces(
  wec: Kube,
  { hubHash }: CleanupRecord,
  run: Run,
): Promise<KubeObject[]> {
  const removable: KubeObject[] = [];
  for (const name of [agentNamespace, addonNamespace, operatorNamespace]) {
    const namespace = await wec.get(resources.namespaces, name);
    if (namespace === undefined) continue;
    const why = namespace.metadata.deletionTimestamp
      ? undefined
      : await whyItStays(wec, namespace, hubHash);
    if (why === undefined) removable.push(namespace);
    else run.progress.note(`Namespace ${name} stays on ${wec.cluster.context}: ${why}.`);
  }
  return removable;
}

async function whyItStays(wec: Kube, namespace: KubeObject, hubHash: string | null) {
  if (!madeByRegistration(namespace)) return 'it was not created by the registration';
  const others = await foreignObjectsIn(wec, namespace.metadata.name, hubHash);
  return others.length === 0 ? undefined : `it holds ${few(others).join(', ')}`;
}

/**
 * The record that is written to the cluster before its ManagedCluster and its Klusterlet are deleted: the proof of identity is
 * deleted with them, and the next run must be able to finish an interrupted one. The record is deleted with its namespace, which is deleted last.
 */
const recordAnnotation = 'stellarctl.kubestellar.io/clean-up';

export interface CleanupRecord {
  /** The WEC's name. */
  name: string;
  /** Identifies the ITS, see hubId; null if the clean-up ran without an ITS. */
  hub: string | null;
  /** Identifies the AppliedManifestWorks of this registration; null if the agent had no hub yet. */
  hubHash: string | null;
}

export async function readCleanupRecord(wec: Kube): Promise<CleanupRecord | undefined> {
  const text = (await recordHolder(wec))?.metadata.annotations?.[recordAnnotation] ?? '';
  const { name, hub = null, hubHash = null } = (jsonObject(text) ?? {}) as Partial<CleanupRecord>;
  return typeof name === 'string' ? { name, hub, hubHash } : undefined;
}

/** @param record null once nothing is left to clean up, if the namespace stays because others use it */
export async function writeCleanupRecord(wec: Kube, record: CleanupRecord | null): Promise<void> {
  const holder = await recordHolder(wec);
  const { name, uid, annotations = {} } = holder?.metadata ?? { name: '' };
  const text = record && JSON.stringify(record);
  if (holder === undefined || (annotations[recordAnnotation] ?? null) === text) return;
  await wec.merge(resources.namespaces, name, {
    metadata: { uid, annotations: { [recordAnnotation]: text } },
  });
}

/** The namespace that is deleted last. */
const recordHolder = (wec: Kube): Promise<KubeObject | undefined> =>
  wec.get(resources.namespaces, operatorNamespace);

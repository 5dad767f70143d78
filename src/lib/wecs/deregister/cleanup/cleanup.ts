import { monotonic } from '../../../engine/clock.ts';
import type { Run } from '../../../engine/run.ts';
import type { Kube } from '../../../kube/client/client.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { type Resource, resources } from '../../../kube/resources.ts';
import { listServed } from '../../../kube/served.ts';
import { untilGone } from '../../../kube/until-gone.ts';
import { deleteObjects, deletePresent, withoutFinalizers } from '../../../kube/writes.ts';
import {
  addonNamespace,
  agentNamespace,
  bootstrapSecretName,
  hubSecretName,
  klusterletName,
} from '../../../model/ocm-names.ts';
import type { Klusterlet } from '../../../model/ocm-objects.ts';
import { appliedWorksOf, removeApplied, takeAppliedFinalizer } from '../../../workloads/applied-works.ts';
import { grantRoleName } from '../../grant/role.ts';
import { createdByKlusterlet, isOurs } from '../../klusterlet/operator.ts';
import { operatorRuns } from '../inspect/running.ts';
import { type CleanupRecord, removeCleanupRecord, writeCleanupRecord } from './cleanup-record.ts';
import { removeOperator, sharesHash, whyOperatorStays } from './remove-operator.ts';

/** The finalizer with which the operator cleans up a Klusterlet (ocm pkg/operator/operators/klusterlet). */
const klusterletFinalizer = 'operator.open-cluster-management.io/klusterlet-cleanup';
/** A working operator begins to clean up a Klusterlet within seconds. */
const operatorGraceMs = 15_000;

/**
 * Removes what a registration has created on a WEC, with or without the workloads that an agent has left there, and only what has
 * the label, the owner or the hub hash of this registration. The operator cleans up a Klusterlet; without a running operator this
 * function does the same. It never deletes the agent's namespaces while the Klusterlet exists: the operator would recreate them
 * broken. The identity of the cluster is already proven.
 * @returns whether anything was removed
 */
export async function cleanUpWec(
  wec: Kube,
  record: CleanupRecord,
  keepWorkloads: boolean | undefined,
  run: Run,
): Promise<boolean> {
  const { name } = record;
  const hash = record.hubHash ?? undefined;
  const klusterlet = await wec.get<Klusterlet>(resources.klusterlets, klusterletName);
  let changed = false;
  await writeCleanupRecord(wec, record);
  if (klusterlet !== undefined && klusterlet.spec?.clusterName === name) {
    await removeKlusterlet(wec, klusterlet, hash, run);
    changed = true;
    if (!run.dryRun) run.progress.changed(name, 'klusterlet removed');
  }
  const applied = (await sharesHash(wec)) ? 0 : await removeApplied(wec, hash, keepWorkloads);
  if (applied > 0 && !run.dryRun) run.progress.changed(name, keepWorkloads ? 'workloads kept' : 'workloads removed');
  await removeGrant(wec);
  const reason = await whyOperatorStays(wec);
  if (reason !== undefined) {
    run.progress.note(`The klusterlet operator on ${wec.cluster.context} stays: ${reason}.`);
    await removeCleanupRecord(wec);
    return changed || applied > 0;
  }
  const removed = await removeOperator(wec, record, run);
  await removeCleanupRecord(wec);
  return removed || changed || applied > 0;
}

/** Rights granted to the work agent are removed with it, unless the agent of another Klusterlet uses them as well. */
async function removeGrant(wec: Kube): Promise<void> {
  if (await sharesHash(wec)) return;
  const role = await wec.get(resources.clusterRoles, grantRoleName);
  if (role !== undefined && isOurs(role)) await deleteObjects(wec, resources.clusterRoles, [role]);
}

async function removeKlusterlet(wec: Kube, klusterlet: Klusterlet, hash: string | undefined, run: Run): Promise<void> {
  const { name, uid } = klusterlet.metadata;
  await wec.delete(resources.klusterlets, name, { uid });
  const started = monotonic();
  let isUndone = false;
  await untilGone(wec, resources.klusterlets, klusterlet, run, {
    name: klusterlet.spec?.clusterName ?? name,
    why: 'the operator is removing the agent',
    act: async (present) => {
      const runs = await operatorRuns(wec);
      // Without its Deployment the operator may be installed elsewhere: then the elapsed time decides.
      const isAbsent = runs === false || (runs === undefined && monotonic() - started > operatorGraceMs);
      if (!isAbsent || isUndone) return;
      run.progress.note(`No klusterlet operator runs on ${wec.cluster.context}: stellarctl removes the agent itself.`);
      await undoKlusterlet(wec, present, hash);
      isUndone = true;
    },
  });
  // The operator has deleted them before; the next run would take leftovers in them for parts of a registration.
  for (const namespace of [agentNamespace, addonNamespace]) {
    const present = await wec.get(resources.namespaces, namespace);
    if (present?.metadata.deletionTimestamp !== undefined) await untilGone(wec, resources.namespaces, present, run);
  }
}

/** Does what the operator does when a Klusterlet is deleted (ocm pkg/operator/operators/klusterlet, cleanup controller). */
async function undoKlusterlet(wec: Kube, klusterlet: KubeObject, hash: string | undefined): Promise<void> {
  for (const work of await appliedWorksOf(wec, hash)) await takeAppliedFinalizer(wec, work);
  await removeOwn(wec, resources.deployments, agentNamespace);
  for (const name of [hubSecretName, bootstrapSecretName])
    await deletePresent(wec, resources.secrets, name, agentNamespace);
  for (const resource of [resources.clusterRoleBindings, resources.clusterRoles]) await removeOwn(wec, resource);
  for (const resource of [resources.roleBindings, resources.roles]) await removeOwn(wec, resource, 'kube-system');
  await withoutFinalizers(wec, resources.klusterlets, klusterlet.metadata, [klusterletFinalizer]);
}

/** Removes the objects of a kind that the operator has created for this Klusterlet. */
async function removeOwn(wec: Kube, resource: Resource, namespace?: string): Promise<void> {
  const objects = await listServed(wec, resource, { namespace });
  await deleteObjects(wec, resource, objects.filter(createdByKlusterlet));
}

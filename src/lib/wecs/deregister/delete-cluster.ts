import { monotonic, rfc3339 } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { untilMet } from '../../core/follow.ts';
import { command, run } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { met, waiting } from '../../core/stages.ts';
import type { Kube } from '../../kube/client/client.ts';
import { unlessStatus } from '../../kube/client/errors.ts';
import { annotateCluster, type ForeseenKube } from '../../kube/client/foreseen.ts';
import {
  conditionOf,
  type KubeObject,
  type Lease,
  type Pod,
  type Resource,
  resources,
} from '../../kube/client/objects.ts';
import { isRunning } from '../../kube/pods.ts';
import { listServed } from '../../kube/served.ts';
import { isPresent } from '../../kube/until-gone.ts';
import { withoutFinalizers } from '../../kube/writes.ts';
import { renewedAt } from '../../ocm/agent/agent-life.ts';
import { isMadeByHand, toSeeHolders, workFinalizer } from '../../ocm/model/manifest-works.ts';
import { describeObject } from '../../ocm/model/object-ref.ts';
import {
  hubNamespace,
  leaseName,
  registrationController,
  registrationLock,
} from '../../ocm/model/ocm-names.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { removeLabels } from '../registration/saved-labels.ts';
import { type HubState, toDeregister } from './leftovers.ts';

/** The last finalizers; the hub's registration controller removes them (ocm pkg/registration/hub). */
const hubFinalizers = [
  'cluster.open-cluster-management.io/api-resource-cleanup',
  'cluster.open-cluster-management.io/resource-cleanup',
];

/**
 * Deletes a ManagedCluster and waits until it is gone: the hub removes its add-ons and works, and the agent removes what those
 * applied.
 * @param before identifies the ManagedCluster to delete
 * @param force remove the finalizers that only the agent would remove, if nothing makes progress
 * @throws StellarError `timeout`, with the objects that block it and the hub's controllers that do not run
 */
export async function deleteCluster(
  hub: ForeseenKube,
  before: HubState,
  force: Force | undefined,
  run: Run,
): Promise<void> {
  const {
    name,
    reread,
    managedCluster: { object: present },
  } = before;
  if (present === undefined) return;
  await hub.delete(resources.managedClusters, present);
  if (run.dryRun) return;
  let triggeredAt = monotonic();
  let patience = triggerAfterMs;
  await untilMet(
    {
      name,
      check: ({ managedCluster }) =>
        isPresent(managedCluster, present)
          ? waiting(
              deletingMessage(managedCluster.object) ?? 'the hub is removing its ManagedCluster',
            )
          : met,
      read: reread,
      act: async (hubState) => {
        const { object } = hubState.managedCluster;
        if (object === undefined) return;
        await releaseLateWorks(hub, hubState, object);
        if (force !== undefined && (await force.isDue(hubState)))
          await removeFinalizers(hub, hubState, force);
        if (!isMailboxEmpty(hubState) || monotonic() - triggeredAt <= patience) return;
        // A busy hub should not check the same object again and again.
        triggeredAt = monotonic();
        patience *= 2;
        await requeueCluster(hub, object);
      },
      unmet: (last) => deletionTimeout(hub, last),
    },
    run,
  );
  run.progress.changed(name, 'ManagedCluster deleted');
}

const deletingMessage = (cluster: ManagedCluster | undefined) =>
  conditionOf(cluster, 'Deleting')?.message;

/**
 * If there was no work before the deletion, the labels have stayed. Works of a WDS that arrive now show that a policy selects the
 * WEC by them (just joined, or labels just restored): KubeStellar would recreate each work as long as the labels exist.
 */
async function releaseLateWorks(hub: ForeseenKube, { works }: HubState, cluster: ManagedCluster) {
  if (works.every(isMadeByHand)) return;
  await unlessStatus(removeLabels(hub, cluster), 404, 409);
}

/** A hub with nothing left to wait for is done within this time, unless its next check is later. */
const triggerAfterMs = 3000;

const isMailboxEmpty = (hubState: HubState) => contentsOf(hubState).length === 0;

/**
 * Makes the hub check a ManagedCluster now: after failures OCM 1.0 checks ever more rarely (seen: 40 s after the last work was
 * gone), and any change triggers a check at once.
 */
async function requeueCluster(hub: Kube, { metadata: { name, uid } }: ManagedCluster) {
  const key = 'stellarctl.kubestellar.io/requeued';
  const requeued = annotateCluster(hub, { name, uid }, key, rfc3339(hub.now()));
  await unlessStatus(requeued, 404, 409);
}

/** Only of objects that are being deleted. The hub's own finalizers stay while its controller may run and remove them. */
async function removeFinalizers(hub: Kube, last: HubState, force: Force) {
  await force.take(resources.manifestWorks, [...last.works, ...last.addonWorks], [workFinalizer]);
  await force.take(resources.managedClusterAddOns, last.addons, addonFinalizers);
  const { object } = last.managedCluster;
  if (object === undefined || !isMailboxEmpty(last)) return;
  const controller = await controllerState(hub);
  if (controller.runs !== false || controller.holdsLease) return;
  await force.take(resources.managedClusters, [object], hubFinalizers);
}

async function deletionTimeout(hub: Kube, hubState: HubState) {
  const {
    name,
    works,
    addonWorks,
    managedCluster: { object: managedCluster },
  } = hubState;
  const blocking = [contentsOf(hubState), managedCluster ?? []].flat();
  const isStopped = (await controllerState(hub)).runs === false;
  const { context } = hub.cluster;
  const message = `${name} was not deleted in time: ${deletingMessage(managedCluster) ?? 'its ManagedCluster is being deleted'}.`;
  const details = blocking
    .filter(({ metadata }) => metadata.finalizers?.length)
    .map(({ kind = 'object', metadata }) => {
      return `${describeObject({ kind, ...metadata })} is blocked by finalizer ${metadata.finalizers?.join(', ')}`;
    });
  if (isStopped) {
    details.push(`The registration controller of ${context} is not running.`);
    return new StellarError(
      'timeout',
      message,
      run(
        command`kubectl --context ${context} -n ${hubNamespace} get deployments,pods`,
        'Start it',
      ),
    ).with({ details });
  }
  return new StellarError(
    'timeout',
    message,
    ...toSeeHolders([...works, ...addonWorks], context),
    run(
      toDeregister(hub, name, '--force'),
      'The agent removes manifest-work-cleanup, the hub the others. Without the agent',
    ),
  ).with({ details });
}

/** The finalizers of add-ons that programs on the WEC remove (open-cluster-management.io/api addon/v1alpha1 and v1beta1). */
export const addonFinalizers = [
  'addon.open-cluster-management.io/addon-pre-delete',
  'addon.open-cluster-management.io/hosting-addon-pre-delete',
  'addon.open-cluster-management.io/hosting-manifests-cleanup',
  'cluster.open-cluster-management.io/addon-pre-delete',
  'cluster.open-cluster-management.io/hosting-addon-pre-delete',
  'cluster.open-cluster-management.io/hosting-manifests-cleanup',
];

/** Anything that still works makes progress within this time. */
const progressMs = 15_000;

/**
 * The user's confirmation in place of the proof that a WEC's agent is gone. It counts only while nothing makes progress; if the
 * agent renews its Lease after the deletion has begun, the user is asked again.
 */
export type Force = ReturnType<typeof forceOf>;

/**
 * @param askAgain returns if the user confirms again, and throws otherwise
 * @param note is told what was removed
 */
export function forceOf(
  hub: ForeseenKube,
  before: HubState,
  askAgain: (why: string) => Promise<void>,
  note: (text: string) => void,
) {
  const { name } = before;
  let seen = '';
  let since = monotonic();
  let isAsked = false;
  return {
    /** Whether finalizers may be removed now: nothing has changed for some time, and the agent has not renewed its Lease. */
    async isDue(hubState: HubState) {
      // The agent acts only once an object is being deleted: its time counts from then.
      const state = JSON.stringify(
        contentsOf(hubState).map(({ metadata }) => [
          metadata.uid,
          metadata.deletionTimestamp,
          metadata.finalizers,
        ]),
      );
      if (state !== seen) {
        seen = state;
        since = monotonic();
      }
      if (monotonic() - since < progressMs) return false;
      const lease = await hub.get<Lease>(resources.leases, leaseName, { namespace: name });
      if (!isAsked && lease?.spec?.renewTime !== before.lease?.spec?.renewTime) {
        await askAgain(
          `The agent of ${name} is running: it has renewed its lease since the deletion began.`,
        );
        isAsked = true;
      }
      return true;
    },
    /** Removes finalizers of objects that are being deleted. */
    async take(resource: Resource, objects: readonly KubeObject[], removable: readonly string[]) {
      for (const { metadata } of objects.filter(
        (object) => object.metadata.deletionTimestamp !== undefined,
      )) {
        const finalizers = await withoutFinalizers(hub, resource, metadata, removable);
        if (finalizers.length > 0)
          note(
            `${name}: removed finalizer ${finalizers.join(', ')} of ${resource.kind} ${metadata.name}`,
          );
      }
    },
  };
}

const contentsOf = ({ works, addonWorks, addons }: HubState): KubeObject[] => [
  ...works,
  ...addonWorks,
  ...addons,
];

/** Whether the hub's registration controller is running: from its pods, and from the Lease that one of them must hold. */
export async function controllerState(hub: Kube) {
  const namespace = hubNamespace;
  const [object, pods, lease] = await Promise.all([
    hub.get(resources.deployments, registrationController, { namespace }),
    listServed<Pod>(hub, resources.pods, { namespace }),
    hub.get<Lease>(resources.leases, registrationLock, { namespace }),
  ]);
  const { holderIdentity, leaseDurationSeconds = 0 } = lease?.spec ?? {};
  /** Whether its leader has renewed its Lease in time. A Lease without a holder was released. */
  const holdsLease =
    Boolean(holderIdentity) && hub.now() - renewedAt(lease) < leaseDurationSeconds * 1000;
  const own = pods.filter(({ metadata }) => metadata.name.startsWith(`${registrationController}-`));
  const leads = lease === undefined ? undefined : holdsLease;
  /** Undefined if neither its pods nor its Lease can be read. */
  const runs = object === undefined ? leads : own.some(isRunning) && leads !== false;
  return { runs, holdsLease };
}

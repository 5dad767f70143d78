import { forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { advice, command, run as nextStep } from '../core/next-step.ts';
import { type Confirm, readConfirmed } from '../core/read-confirmed.ts';
import type { Run } from '../core/run.ts';
import { unreached } from '../core/stages.ts';
import { count } from '../core/text/words.ts';
import { type Access, ifSeen, seen, through, whyUnseen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { type KubeObject, namesOf, resources, type Secret } from '../kube/client/objects.ts';
import { removeContext, setContext } from '../kube/kubeconfig/contexts.ts';
import type { Kubeconfig } from '../kube/kubeconfig/kubeconfig.ts';
import { listServed, type Proven, prove } from '../kube/served.ts';
import { untilGone } from '../kube/until-gone.ts';
import { namespaceOf, type SpaceRole } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import { isOurs } from '../ocm/model/ocm-names.ts';
import type { ManagedCluster } from '../ocm/model/ocm-objects.ts';
import { forgetSpace } from './choose/its-choice.ts';
import { findSpace } from './get-space.ts';
import { forNoControlPlane, type SpaceTools } from './hosting/hosting.ts';
import { accessSpace, contextsCertainlyOf, contextsOf, openSpace } from './space/space-access.ts';
import { bootstrapSecretOf } from './space/space-manifests.ts';
import { itsOfWds, roleOf, typeOf } from './space/spaces.ts';
import { entriesOf, type SpaceResult } from './space-work.ts';

/** The space to delete, as common to ITSes and WDSes. */
export interface ControlPlaneToDelete {
  name: string;
  role: SpaceRole;
  controlPlane: Proven<ControlPlane>;
  /** For a WDS: keep the workloads running. */
  keep?: boolean | undefined;
}

export interface DeletionOptions {
  /** Delete even if dependents exist or cannot be determined. */
  force?: boolean;
  /** For a WDS: keep the workloads running. */
  keepWorkloads?: boolean;
}

export interface DeletionRequest<Reading> extends DeletionOptions {
  name: string;
  confirm: Confirm<Reading>;
}

/** The control plane itself, as part of the loss. */
export const lossOf = ({ name, controlPlane: { object } }: ControlPlaneToDelete) =>
  object === undefined ? [] : [{ object: `control plane ${name}`, uid: object.metadata.uid }];

/**
 * Deletes the control plane of a space, waits until all its objects are gone from the hosting cluster, and removes its context from
 * the kubeconfig and from the choices of `its use` and `wds use`. A rerun resumes; already deleted objects are no error.
 */
export async function deleteControlPlane(
  space: ControlPlaneToDelete,
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult> {
  const {
    name,
    controlPlane: { object: controlPlane },
  } = space;
  const { hosting, hostingContext, kubeconfig, target } = tools;
  const type = controlPlane === undefined ? '' : typeOf(controlPlane);
  const result: SpaceResult = { name, type, ...unreached, changed: false, context: null };
  await forName(result, run, async () => {
    const contextsToGo = await contextsToRemove(space, tools);
    if (controlPlane !== undefined)
      result.changed = await hosting.delete(resources.controlPlanes, controlPlane);
    if (await removeBootstrap(space, hosting)) result.changed = true;
    if (!run.dryRun) await untilDeleted(space, hosting, run);
    const removed = contextsToGo.filter((context) => !isLastContext(context, name, kubeconfig));
    for (const context of contextsToGo)
      if (removed.includes(context)) await removeContext(target, context, run, hostingContext.name);
      else
        await setContext(
          target,
          { context, ...entriesOf(context, kubeconfig), makeCurrent: false, ...forNoControlPlane },
          run,
        );
    if (removed.length > 0) result.changed = true;
    const contexts = removed.length === 0 ? '' : `, and context ${removed.join(', ')} with it`;
    if (run.dryRun) return;
    for (const context of contextsToGo) await forgetSpace(space.role, context, hosting);
    if (!result.changed) run.progress.done(name, 'not found; nothing to do');
    else run.progress.done(name, `deleted${contexts}`, true);
  });
  if (result.error !== undefined && result.changed)
    result.error = resumable(
      result.error,
      space,
      hosting,
      `The deletion of ${name} is in progress.`,
    );
  return result;
}

/** An external space that never became ready, or was never created, may have left a kubeconfig with cluster-admin rights. */
async function removeBootstrap(
  { name, role, controlPlane: { object: controlPlane } }: ControlPlaneToDelete,
  hosting: Kube,
) {
  if (role !== 'its' || (controlPlane !== undefined && typeOf(controlPlane) !== 'external'))
    return false;
  const { name: secret, namespace } = bootstrapSecretOf(name);
  const { object: present } = await prove<Secret>(hosting, resources.secrets, secret, {
    namespace,
  });
  // Without its control plane, only our label shows the owner.
  if (present === undefined || (controlPlane === undefined && !isOurs(present))) return false;
  return hosting.delete(resources.secrets, present);
}

/** Waits until the control plane is gone, then its namespace with all contents. @throws StellarError `timeout` */
async function untilDeleted(
  { name, controlPlane: { object: controlPlane } }: ControlPlaneToDelete,
  hosting: Kube,
  run: Run,
) {
  if (controlPlane !== undefined) {
    const read = () => prove(hosting, resources.controlPlanes, name);
    await untilGone(hosting, resources.controlPlanes, controlPlane, { ...run, name, read });
    run.progress.changed(name, 'control plane deleted; its namespace is being emptied');
  }
  const { object: namespace } = await prove(hosting, resources.namespaces, namespaceOf(name));
  if (namespace === undefined || !isOwnedBy(name, namespace)) return;
  // The garbage collector does the same, but may start half a minute later; users without the permission wait for it.
  if (namespace.metadata.deletionTimestamp === undefined)
    await hosting.delete(resources.namespaces, namespace).catch(() => {});
  const why = `namespace ${namespace.metadata.name} is being emptied`;
  await untilGone(hosting, resources.namespaces, namespace, { ...run, name, why });
}

const isOwnedBy = (controlPlane: string, { metadata }: KubeObject) =>
  metadata.ownerReferences?.some(
    ({ kind, name }) => kind === 'ControlPlane' && name === controlPlane,
  ) === true;

/**
 * The contexts proven to belong to the control plane. Others of that name may belong to another hosting cluster's control plane.
 */
async function contextsToRemove(
  { name, controlPlane: { object: controlPlane } }: ControlPlaneToDelete,
  tools: SpaceTools,
) {
  const { kubeconfig, hosting } = tools;
  const { context } = hosting.cluster;
  if (contextsOf(kubeconfig, name, context).length === 0) return [];
  const server = controlPlane && ifSeen(await accessSpace(controlPlane, tools))?.server;
  return contextsCertainlyOf(kubeconfig, name, context, server);
}

/**
 * Whether a context is the user's only one for a cluster that remains. Removing it would also remove the user's own credentials.
 */
function isLastContext(context: string, name: string, { contexts }: Kubeconfig) {
  const { cluster, user } = contexts.get(context) ?? {};
  if (cluster === `${name}-cluster` && user === `${name}-admin`) return false;
  const others = [...contexts].filter(([other]) => other !== context);
  return !others.some(([, other]) => other.cluster === cluster && other.user === user);
}

/** The command that deletes a space, with what the user chose for its workloads. */
export const toDelete = (
  { name, role, keep }: Pick<ControlPlaneToDelete, 'name' | 'role' | 'keep'>,
  { cluster }: Kube,
  ...options: readonly string[]
) =>
  command`stellarctl ${role} delete ${[name, ...(keep ? ['--keep-workloads'] : []), ...options]} --hosting-context ${cluster.context}`;

/** Adds to an error how to resume the deletion. @param state the current state, in words */
export function resumable(
  error: StellarError,
  space: ControlPlaneToDelete,
  hosting: Kube,
  state: string,
) {
  const resume = nextStep(toDelete(space, hosting), 'To continue');
  const isOpen = error.code === 'interrupted' || error.next.length === 0;
  return error.with({ details: [state], next: isOpen ? [resume] : error.next });
}

/** An ITS to delete, and its dependents. */
export interface ItsToDelete extends ControlPlaneToDelete {
  role: 'its';
  /** Its context. */
  context: string;
  /** The WECs that are registered with it. */
  wecs: Access<readonly string[]>;
  /** The WDSes that send their workloads through it. */
  wdses: readonly string[];
}

/** @throws StellarError `not-found` if the name belongs to something else, and what refuseDependents throws */
export async function inspectIts(
  name: string,
  { force }: DeletionOptions,
  tools: SpaceTools,
): Promise<ItsToDelete> {
  const { controlPlane, all } = await findSpace(name, 'its', tools.hosting);
  const wdses = namesOf(all.filter((other) => roleOf(other) === 'wds')).filter(
    (wds) => itsOfWds(wds, all)?.metadata.name === name,
  );
  const { object } = controlPlane;
  const wecs = object === undefined ? seen([]) : await wecsOfIts(object, tools);
  const [context = name] = contextsOf(tools.kubeconfig, name, tools.hosting.cluster.context);
  const its: ItsToDelete = { name, role: 'its', context, controlPlane, wecs, wdses };
  if (!force) refuseDependents(its, tools.hosting.cluster.context);
  return its;
}

const wecsOfIts = async (
  controlPlane: ControlPlane,
  tools: SpaceTools,
): Promise<ItsToDelete['wecs']> =>
  through(await openSpace(controlPlane, tools), async (its) =>
    namesOf(await listServed<ManagedCluster>(its, resources.managedClusters)),
  );

/** @throws StellarError `has-dependents` if it has dependents, or if they cannot be determined */
function refuseDependents({ name, context, wdses, ...its }: ItsToDelete, hosting: string) {
  const unseen = whyUnseen(its.wecs);
  const wecs = ifSeen(its.wecs) ?? [];
  const anyway = command`stellarctl its delete ${name} --force --hosting-context ${hosting}`;
  if (unseen !== undefined)
    throw new StellarError(
      'has-dependents',
      `Whether WECs are registered with ${name} is unknown: ${unseen}`,
      nextStep(anyway, 'If it is not needed'),
    );
  if (wecs.length > 0) {
    throw new StellarError(
      'has-dependents',
      `${count(wecs.length, 'WEC is', 'WECs are')} registered with ${name}: ${wecs.join(', ')}.`,
      nextStep(
        command`stellarctl deregister ${wecs} --its ${context}`,
        'Deregister them first; NAME=CONTEXT --cleanup also removes their agents',
      ),
      advice('Or abandon them: --force'),
    );
  }
  if (wdses.length > 0) {
    const deletions = wdses.map((wds) =>
      nextStep(
        command`stellarctl wds delete ${wds} --hosting-context ${hosting}`,
        `Delete ${wds} first`,
      ),
    );
    throw new StellarError(
      'has-dependents',
      `WDSes send their workloads through ${name}: ${wdses.join(', ')}.`,
      ...deletions,
      advice('Or leave them without an ITS: --force'),
    );
  }
}

const lossesOfIts = (its: ItsToDelete) => [
  ...lossOf(its),
  ...(ifSeen(its.wecs) ?? []).map((wec) => ({ object: 'its registration', wec })),
  ...its.wdses.map((wds) => ({ object: `the ITS of ${wds}` })),
];

/**
 * Deletes an ITS.
 * @throws StellarError before any write: what inspectIts throws, `not-confirmed`; afterwards the error is in the result
 */
export async function deleteIts(
  { name, confirm, ...options }: DeletionRequest<ItsToDelete>,
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult> {
  const its = await readConfirmed({
    read: () => inspectIts(name, options, tools),
    effects: lossesOfIts,
    confirm,
  });
  return deleteControlPlane(its, tools, run);
}

import { isDeepStrictEqual } from 'node:util';
import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { poll } from '../../engine/poll.ts';
import type { Run } from '../../engine/run.ts';
import { unreached } from '../../engine/stages.ts';
import { ifSeen } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { type ContextToSet, removeContext, setContext } from '../../kube/kubeconfig/contexts.ts';
import type { Kubeconfig } from '../../kube/kubeconfig/kubeconfig.ts';
import type { KubeObject, Secret } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { accessSpace, contextsCertainlyOf, contextsOf } from '../access.ts';
import { bootstrapLabels, bootstrapSecretOf } from '../create/manifests.ts';
import { forNoControlPlane } from '../kubeconfig-extension.ts';
import { aSpace, namespaceOf, type SpaceRole } from '../names.ts';
import type { ControlPlane } from '../objects.ts';
import type { SpaceResult } from '../space-result.ts';
import { roleOf, typeOf } from '../spaces.ts';
import type { SpaceTools } from '../tools.ts';

/** What deleting a space is about, as far as both kinds have it in common. */
export interface SpaceToDelete {
  name: string;
  role: SpaceRole;
  /** The context of the hosting cluster. */
  hosting: string;
  /** Undefined where it is gone already. */
  controlPlane: ControlPlane | undefined;
}

/** @throws StellarError `name-taken` where a control plane is something else than what is to be deleted */
export function refuseOtherRole(controlPlane: ControlPlane, wanted: SpaceRole, { cluster }: Kube): void {
  const { name } = controlPlane.metadata;
  const role = roleOf(controlPlane);
  if (role === wanted) return;
  throw role === undefined
    ? new StellarError('name-taken', `${name} is a control plane, but neither an ITS nor a WDS.`, {
        hint: command`If it is the one that you mean: kubectl --context ${cluster.context} delete controlplane ${name}`,
      })
    : new StellarError('name-taken', `${name} is ${aSpace(role)}.`, {
        hint: command`stellarctl ${role} delete ${name} --hosting-context ${cluster.context}`,
      });
}

/**
 * Deletes the control plane of a space, waits until everything of it is gone from the hosting cluster, and takes its context out of the
 * kubeconfig. Run again it goes on; what is gone is no error.
 * @param started when the work began, milliseconds since the epoch
 */
export async function deleteSpace(
  space: SpaceToDelete,
  tools: SpaceTools,
  run: Run,
  started: number = Date.now(),
): Promise<SpaceResult> {
  const { name, controlPlane } = space;
  const { hosting } = tools;
  const type = controlPlane === undefined ? '' : typeOf(controlPlane);
  const result: SpaceResult = { name, type, ...unreached, changed: false, context: null };
  try {
    const contextsToGo = await contextsToRemove(space, tools);
    if (controlPlane !== undefined) {
      const deleted = await hosting.delete(resources.controlPlanes, name, { uid: controlPlane.metadata.uid });
      result.changed = deleted && !hosting.dryRun;
    }
    if (await removeBootstrap(space, hosting)) result.changed = !hosting.dryRun;
    if (!hosting.dryRun) await untilGone(space, tools, run);
    const removed = await removeContexts(contextsToGo, space, tools, run);
    if (removed.length > 0) result.changed = !hosting.dryRun;
    const contexts = removed.length === 0 ? '' : `, and context ${removed.join(', ')} with it`;
    if (hosting.dryRun) return result;
    if (!result.changed) run.progress.done(name, 'is not there; nothing to do');
    else run.progress.done(name, `deleted${contexts}`, Date.now() - started);
    return result;
  } catch (error) {
    if (!(error instanceof StellarError)) throw error;
    run.progress.failed(name, error.message);
    return { ...result, error: withWayOn(error, space, result.changed) };
  }
}

/** An external space that has never come up, or that was not even made, may have left a kubeconfig with all rights. */
async function removeBootstrap({ name, role, controlPlane }: SpaceToDelete, hosting: Kube): Promise<boolean> {
  if (role !== 'its' || (controlPlane !== undefined && typeOf(controlPlane) !== 'external')) return false;
  const { name: secret, namespace } = bootstrapSecretOf(name);
  const present = await hosting.get<Secret>(resources.secrets, secret, { namespace });
  const { uid, labels } = present?.metadata ?? {};
  // Without its control plane nothing but our own mark tells whose it is.
  const isOurs = controlPlane !== undefined || isDeepStrictEqual(labels, bootstrapLabels);
  return present !== undefined && isOurs && hosting.delete(resources.secrets, secret, { namespace, uid });
}

/** The control plane goes at once, its namespace with everything in it after that. */
async function untilGone({ name, controlPlane }: SpaceToDelete, { hosting }: SpaceTools, run: Run): Promise<void> {
  let kept = '';
  let wasControlPlane = controlPlane !== undefined;
  let isOrphanDeleted = false;
  const gone = await poll(async () => {
    const [present, namespace] = await Promise.all([
      hosting.get<ControlPlane>(resources.controlPlanes, name),
      hosting.get<KubeObject>(resources.namespaces, namespaceOf(name)),
    ]);
    const ownNamespace = namespace !== undefined && isOf(name, namespace) ? namespace : undefined;
    if (present === undefined && wasControlPlane) {
      wasControlPlane = false;
      run.progress.changed(name, 'control plane gone; its namespace is being emptied');
    }
    if (present === undefined && ownNamespace === undefined) return true;
    if (present === undefined && ownNamespace !== undefined && !isOrphanDeleted) {
      isOrphanDeleted = true;
      await deleteOrphan(hosting, ownNamespace);
    }
    kept =
      present === undefined
        ? `namespace ${namespaceOf(name)} is being emptied`
        : `the control plane is kept by finalizer ${present.metadata.finalizers?.join(', ') ?? '(none)'}`;
    run.progress.waiting(name, kept);
    return undefined;
  }, run);
  if (gone) return;
  throw new StellarError('timeout', `${name} was not gone in time: ${kept}.`, {
    hint: command`See what keeps it: kubectl --context ${hosting.cluster.context} get controlplane/${name} namespace/${namespaceOf(name)} -o yaml`,
  });
}

/**
 * Deletes the namespace of a control plane that is gone, as the garbage collector does, which may take half a minute to notice. Whoever
 * may not do that waits for it.
 */
async function deleteOrphan(hosting: Kube, { metadata: { name, uid, deletionTimestamp } }: KubeObject): Promise<void> {
  if (deletionTimestamp === undefined) await hosting.delete(resources.namespaces, name, { uid }).catch(() => {});
}

const isOf = (controlPlane: string, { metadata }: KubeObject): boolean =>
  metadata.ownerReferences?.some(({ kind, name }) => kind === 'ControlPlane' && name === controlPlane) === true;

/** What leads to it without doubt: contexts of that name may be those of another hosting cluster's control plane. */
export async function contextsToRemove(
  { name, hosting, controlPlane }: SpaceToDelete,
  tools: SpaceTools,
): Promise<string[]> {
  const { kubeconfig } = tools;
  if (contextsOf(kubeconfig, name, hosting).length === 0) return [];
  const server = controlPlane && ifSeen(await accessSpace(controlPlane, tools))?.server;
  return contextsCertainlyOf(kubeconfig, name, hosting, server);
}

async function removeContexts(
  contexts: readonly string[],
  { name }: SpaceToDelete,
  { kubeconfig, target, hostingContext }: SpaceTools,
  run: Run,
): Promise<string[]> {
  const removed: string[] = [];
  for (const context of contexts) {
    if (isOnlyWay(context, name, kubeconfig)) {
      await setContext(target, unmarked(context, kubeconfig), run);
      continue;
    }
    await removeContext(target, context, { restore: hostingContext.name }, run);
    removed.push(context);
  }
  return removed;
}

/** Whether a context is the user's own for a cluster that stays: with it the credentials would go that nobody made for the space. */
function isOnlyWay(context: string, name: string, { contexts }: Kubeconfig): boolean {
  const { cluster, user } = contexts.get(context) ?? {};
  if (cluster === `${name}-cluster` && user === `${name}-admin`) return false;
  const others = [...contexts].filter(([other]) => other !== context);
  return !others.some(([, other]) => other.cluster === cluster && other.user === user);
}

function unmarked(context: string, { contexts }: Kubeconfig): ContextToSet {
  const { cluster = '', user = '' } = contexts.get(context) ?? {};
  return { context, cluster: { name: cluster }, user: { name: user }, makeCurrent: false, ...forNoControlPlane };
}

function withWayOn(error: StellarError, { name, role, hosting }: SpaceToDelete, hasBegun: boolean): StellarError {
  if (!hasBegun) return error;
  const { code, message, hint, details, cause } = error;
  return new StellarError(code, message, {
    details: [...details, `The deletion of ${name} has begun and goes on.`],
    hint:
      code === 'interrupted' || hint === undefined
        ? command`To go on: stellarctl ${role} delete ${name} --hosting-context ${hosting}`
        : hint,
    cause,
  });
}

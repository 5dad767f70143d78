import { StellarError } from '../../errors.ts';
import type { Kube } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import { conditionOf, type KubeObject, type ObjectMeta } from '../../kube/objects.ts';
import { type Resource, resourceOf, resources } from '../../kube/resources.ts';
import { propertiesNamespace } from '../../kubestellar/names.ts';
import { poll } from '../../poll.ts';
import type { Run } from '../../run.ts';
import { type Inspection, inspect } from './inspect.ts';

/** A finalizer that force takes away, with what it guarded. */
export interface TakenFinalizer {
  object: string;
  finalizers: string[];
}

/**
 * Deletes a ManagedCluster and waits until it is gone: the hub removes its add-ons and works, and the agent what those applied.
 * @param force take away the finalizers that only the agent, or a hub that does not act, would remove
 * @throws StellarError `timeout`, naming the objects that keep it and their finalizers
 */
export async function removeCluster(hub: Kube, name: string, force: boolean, run: Run): Promise<TakenFinalizer[]> {
  const taken: TakenFinalizer[] = [];
  await hub.delete(resources.managedClusters, name);
  if (hub.dryRun) return taken;
  const started = Date.now();
  let last: Inspection | undefined;
  const gone = await poll(async () => {
    last = await inspect(hub, name);
    if (last.managedCluster === undefined) return true;
    run.progress.waiting(
      name,
      conditionOf(last.managedCluster, 'Deleting')?.message ?? 'the hub is removing its ManagedCluster',
    );
    if (force) taken.push(...(await takeFinalizers(hub, last, Date.now() - started > hubGraceMs)));
    return undefined;
  }, run);
  if (gone === undefined && last !== undefined) throw stillThere(last);
  run.progress.changed(name, 'ManagedCluster deleted');
  return taken;
}

/** A hub that lives removes its own finalizers within seconds. */
const hubGraceMs = 15_000;

/** Takes finalizers off what is being deleted: works and add-ons, and after a while the ManagedCluster itself. */
async function takeFinalizers(
  hub: Kube,
  { works, addonWorks, addons, managedCluster }: Inspection,
  hubIsLate: boolean,
): Promise<TakenFinalizer[]> {
  const guarded: [Resource, KubeObject][] = [
    ...[...works, ...addonWorks].map((work): [Resource, KubeObject] => [resources.manifestWorks, work]),
    ...addons.map((addon): [Resource, KubeObject] => [resources.managedClusterAddOns, addon]),
    ...(hubIsLate && managedCluster !== undefined
      ? [[resources.managedClusters, managedCluster] as [Resource, KubeObject]]
      : []),
  ];
  const taken: TakenFinalizer[] = [];
  for (const [resource, { metadata }] of guarded) {
    const finalizers = metadata.finalizers ?? [];
    if (metadata.deletionTimestamp === undefined || finalizers.length === 0) continue;
    if (!(await withoutFinalizers(hub, resource, metadata))) continue;
    taken.push({ object: `${resource.kind} ${metadata.name}`, finalizers });
  }
  return taken;
}

/** @returns false where the object had gone by itself meanwhile, or another one has taken its name */
async function withoutFinalizers(
  hub: Kube,
  resource: Resource,
  { name, namespace, uid }: ObjectMeta,
): Promise<boolean> {
  try {
    await hub.merge(resource, name, { metadata: { uid, finalizers: null } }, { namespace });
    return true;
  } catch (error) {
    if (error instanceof ApiError && [404, 409].includes(error.status)) return false;
    throw error;
  }
}

function stillThere(inspection: Inspection): StellarError {
  const { name, works, addonWorks, addons, managedCluster } = inspection;
  const keeping = [...works, ...addonWorks, ...addons, ...(managedCluster === undefined ? [] : [managedCluster])];
  return new StellarError(
    'timeout',
    `${name} was not gone in time: ${conditionOf(managedCluster, 'Deleting')?.message ?? 'its ManagedCluster is being deleted'}.`,
    {
      details: keeping
        .filter(({ metadata }) => metadata.finalizers?.length)
        .map((object) => `${nameOf(object)} is kept by finalizer ${object.metadata.finalizers?.join(', ')}`),
      hint: 'The agent removes manifest-work-cleanup, the hub the others. To go on without them: --force',
    },
  );
}

const nameOf = ({ kind, metadata }: KubeObject): string =>
  `${kind ?? 'object'} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`;

/**
 * Removes what OCM leaves of a WEC that is gone: the mailbox, the customization properties, its requests.
 * @returns whether there was anything
 */
export async function removeLeftovers(hub: Kube, name: string, run: Run): Promise<boolean> {
  const { mailbox, properties, requests, works, addonWorks } = await inspect(hub, name);
  const parts: string[] = [];
  if (mailbox !== undefined) {
    // What is left in it has nobody any more who would remove its finalizers.
    for (const { metadata } of [...works, ...addonWorks]) {
      await withoutFinalizers(hub, resources.manifestWorks, metadata);
    }
    await hub.delete(resources.namespaces, name, { uid: mailbox.metadata.uid });
    await untilGone(hub, mailbox, run);
    parts.push('mailbox');
  }
  if (properties !== undefined) {
    await hub.delete(resources.configMaps, name, { namespace: propertiesNamespace });
    parts.push('properties');
  }
  for (const { metadata } of requests) await hub.delete(resources.certificateSigningRequests, metadata.name);
  if (requests.length > 0) parts.push('requests');
  if (parts.length > 0 && !hub.dryRun) run.progress.changed(name, `${parts.join(', ')} removed`);
  return parts.length > 0;
}

/** Waits until an object that is being deleted is gone. @throws StellarError `timeout` */
export async function untilGone(
  kube: Kube,
  object: KubeObject,
  run: Run,
  resource = resourceOf(object),
): Promise<void> {
  if (kube.dryRun) return;
  const { name, namespace, uid } = object.metadata;
  let last: KubeObject | undefined;
  const gone = await poll(async () => {
    last = await kube.get(resource, name, { namespace });
    return last === undefined || last.metadata.uid !== uid ? true : undefined;
  }, run);
  if (gone !== undefined) return;
  const finalizers = last?.metadata.finalizers ?? [];
  throw new StellarError(
    'timeout',
    `${resource.kind} ${name} on ${kube.cluster.context} was not gone in time${finalizers.length ? `; it is kept by finalizer ${finalizers.join(', ')}` : ''}.`,
    {
      hint: `Look at it: kubectl --context ${kube.cluster.context} get ${resource.plural} ${name}${namespace ? ` -n ${namespace}` : ''} -o yaml`,
    },
  );
}

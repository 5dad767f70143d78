import { createHash } from 'node:crypto';
import { mapConcurrently } from '../../core/concurrency.ts';
import { rfc3339 } from '../../core/deadline.ts';
import { tryRead } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { groupResourceOf, type KubeObject, resources } from '../../kube/client/objects.ts';
import { listIfDefined } from '../../kube/served.ts';
import { withoutFinalizers } from '../../kube/writes.ts';
import { type BoundObject, resourceOfBound } from '../../ocm/model/kubestellar-names.ts';

/** work.open-cluster-management.io/v1, limited to the fields that stellarctl reads. */
export interface AppliedManifestWork extends KubeObject {
  spec?: { manifestWorkName?: string; hubHash?: string; agentID?: string };
  status?: { appliedResources?: AppliedResource[] };
}

/** An object that a work has applied on the WEC. */
export type AppliedResource = Pick<BoundObject, 'version' | 'resource' | 'namespace' | 'name'> & {
  group: string;
  uid?: string;
};

/** Describes an applied object by the plural of its kind, for example `deployments.apps shop/web`. */
export const describeApplied = ({ group, resource, namespace, name }: AppliedResource) =>
  `${groupResourceOf({ group, resource })} ${namespace ? `${namespace}/` : ''}${name}`;

/**
 * Returns the hash by which AppliedManifestWorks identify their hub: SHA-256 of the server in the agent's kubeconfig, exactly as
 * spelled there (ocm pkg/work/helper, HubHash).
 */
export const hubHash = (server: string) => createHash('sha256').update(server).digest('hex');

const appliedWorkFinalizer = 'cluster.open-cluster-management.io/applied-manifest-work-cleanup';

/** Returns the AppliedManifestWorks of one hub, sorted by name. */
export async function appliedWorksOf(
  wec: Kube,
  hash: string | undefined,
): Promise<AppliedManifestWork[]> {
  const all = (await listIfDefined<AppliedManifestWork>(wec, resources.appliedManifestWorks)) ?? [];
  return all.filter(({ spec }) => hash !== undefined && spec?.hubHash === hash);
}

/** Until then the agent looks often enough by itself: 5, 10 and 20 s after the deletion. */
const nudgedAfterMs = 25_000;
const touchedAnnotation = 'stellarctl.kubestellar.io/touched-at';

/**
 * Makes the agent of a WEC look, once, at each deleted work of a hub whose objects are gone: by itself it looks ever more rarely, after
 * 30 s only 40 s later (ocm pkg/work/spoke/controllers/finalizercontroller). Best effort: without it, the agent takes its time.
 * @returns one round, which never fails; a round that is asked for during another one does nothing
 */
export function agentNudger(wec: Kube, hash: string): () => Promise<void> {
  const touched = new Set<string | undefined>();
  const isOpen = ({ metadata: { deletionTimestamp = '', uid } }: AppliedManifestWork) =>
    wec.now() - Date.parse(deletionTimestamp) > nudgedAfterMs && !touched.has(uid);
  const touch = async ({ metadata, status }: AppliedManifestWork) => {
    for (const entry of status?.appliedResources ?? [])
      if ((await readEntry(wec, entry))?.metadata.uid === entry.uid) return;
    touched.add(metadata.uid);
    await touchWork(wec, metadata);
  };
  let isBusy = false;
  return async () => {
    if (isBusy) return;
    isBusy = true;
    try {
      const works = await appliedWorksOf(wec, hash);
      await mapConcurrently(works.filter(isOpen), touch);
    } catch {
      // The agent looks by itself.
    } finally {
      isBusy = false;
    }
  };
}

/** An agent looks at a work again when its AppliedManifestWork changes. */
function touchWork(
  wec: Kube,
  { name, uid }: Pick<AppliedManifestWork['metadata'], 'name' | 'uid'>,
) {
  const annotations = { [touchedAnnotation]: rfc3339(wec.now()) };
  return wec.merge(resources.appliedManifestWorks, name, { metadata: { uid, annotations } });
}

/**
 * Makes the agent of a WEC apply works again now: after failures it tries by itself ever more rarely, 17 minutes apart at most. Best
 * effort.
 */
export async function applyAgain(wec: Kube, works: ReadonlySet<string>): Promise<void> {
  await tryRead(async () => {
    const all = await listIfDefined<AppliedManifestWork>(wec, resources.appliedManifestWorks);
    const failed = (all ?? []).filter(({ spec }) => works.has(spec?.manifestWorkName ?? ''));
    await mapConcurrently(failed, ({ metadata }) => touchWork(wec, metadata));
  });
}

const readEntry = (wec: Kube, entry: AppliedResource): Promise<KubeObject | undefined> =>
  wec.get(resourceOfBound(entry), entry.name, { namespace: entry.namespace || undefined });

/** Reads the objects on the WEC that the deleted works of one hub wait for: they are being deleted, and not gone yet. */
export async function heldObjects(wec: Kube, hash: string) {
  const works = await appliedWorksOf(wec, hash);
  const deleted = works.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
  const entries = deleted.flatMap(({ status }) => status?.appliedResources ?? []);
  const held = await mapConcurrently(entries, async (entry) => {
    const object = await readEntry(wec, entry);
    return object?.metadata.deletionTimestamp === undefined ? [] : [{ entry, object }];
  });
  return held.flat();
}

/**
 * Removes the ownership of AppliedManifestWorks from objects, on the WEC itself, so that their deletion keeps the objects.
 * @returns the number of released objects
 */
export async function releaseOwned(
  wec: Kube,
  works: readonly AppliedManifestWork[],
): Promise<number> {
  let released = 0;
  for (const work of works)
    for (const entry of work.status?.appliedResources ?? [])
      if (await releaseOne(wec, work, entry)) released += 1;
  return released;
}

/** Removes the ownership of an AppliedManifestWork from one object. @returns false if the object is not found or not owned by it */
export async function releaseOne(
  wec: Kube,
  owner: AppliedManifestWork,
  entry: AppliedResource,
): Promise<boolean> {
  const resource = resourceOfBound(entry);
  const object = await readEntry(wec, entry);
  // A kind that is not served now has objects, which would be deleted with their owner once it is.
  if (object === undefined) await listIfDefined(wec, resource);
  const owners = object?.metadata.ownerReferences ?? [];
  const ownerReferences = owners.filter(({ uid }) => uid !== owner.metadata.uid);
  if (object === undefined || ownerReferences.length === owners.length) return false;
  const { uid, resourceVersion } = object.metadata;
  await wec.merge(
    resource,
    entry.name,
    { metadata: { uid, resourceVersion, ownerReferences } },
    { namespace: entry.namespace || undefined },
  );
  return true;
}

/**
 * Removes the AppliedManifestWorks of one hub that no agent manages. Garbage collection deletes what they own, unless it
 * is kept.
 * @returns how many were removed
 */
export async function removeApplied(
  wec: Kube,
  hash: string | undefined,
  keepWorkloads: boolean | undefined,
): Promise<number> {
  const works = await appliedWorksOf(wec, hash);
  if (keepWorkloads) await releaseOwned(wec, works);
  for (const work of works) {
    // The agent that would remove the finalizer no longer exists.
    await withoutFinalizers(wec, resources.appliedManifestWorks, work.metadata, [
      appliedWorkFinalizer,
    ]);
    await wec.delete(resources.appliedManifestWorks, work);
  }
  return works.length;
}

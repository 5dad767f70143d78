import { isDeepStrictEqual } from 'node:util';
import { type Api, keyOf } from '../../kube/api.ts';
import { applyOver } from '../../kube/apply.ts';
import type {
  AnyObject,
  AppliedManifestWork,
  AppliedResource,
  ManifestWork,
  OwnerReference,
  ResourceMeta,
} from '../../kube/objects.ts';
import { appliedManifestWorks, manifestWorks } from '../../kube/resources.ts';
import { finalizer } from '../names.ts';
import { isOwned, ownerOf } from './ownership.ts';
import { removeResources } from './remove-resources.ts';
import { appliedName, type WorkContext } from './work-context.ts';
import { workStatus } from './work-status.ts';

/** The result of one manifest, and its object. */
export interface Outcome {
  meta: ResourceMeta;
  error?: Error;
  /** The object on the managed cluster, whether or not the manifest could be applied; undefined if it does not exist. */
  present?: AnyObject | undefined;
  /** Why it is unknown whether the object exists. */
  unseen?: Error;
}

/**
 * Applies a ManifestWork on the managed cluster, and reports it (ocm pkg/work/spoke/controllers/manifestcontroller). Nothing is
 * applied before the finalizer is set.
 */
export async function applyWork(context: WorkContext, work: ManifestWork): Promise<void> {
  const { hub, own } = context;
  const { finalizers = [], resourceVersion } = work.metadata;
  if (!finalizers.includes(finalizer.manifestWork)) {
    // The change causes an event, which continues from here.
    const metadata = { finalizers: [...finalizers, finalizer.manifestWork], resourceVersion };
    await hub.patch(manifestWorks, keyOf(work), { metadata });
    return;
  }
  const applied = await ensureApplied(context, work);
  const owner = ownerOf(applied);
  const outcomes: Outcome[] = [];
  for (const [ordinal, manifest] of work.spec.workload.manifests.entries())
    outcomes.push(await applyManifest(context, manifest, ordinal, owner, work.spec));
  const status = workStatus(work, outcomes);
  if (!isDeepStrictEqual(status, work.status))
    await hub.patch(manifestWorks, keyOf(work), { metadata: { uid: work.metadata.uid }, status }, statusOnly);
  await trackResources(own, applied, outcomes);
  const failed = outcomes.find(({ error }) => error);
  if (failed?.error) throw failed.error;
}

/**
 * Lists the objects that the work has created, including those whose manifest fails now, and removes those that it no longer
 * contains. If a single object cannot be read, the list stays unchanged.
 */
async function trackResources(own: Api, applied: AppliedManifestWork, outcomes: readonly Outcome[]): Promise<void> {
  const unseen = outcomes.find((outcome) => outcome.unseen);
  if (unseen?.unseen) throw unseen.unseen;
  const before = applied.status?.appliedResources ?? [];
  const resources = outcomes.flatMap(appliedResource);
  const isTracked = (one: AppliedResource) => resources.some((other) => isDeepStrictEqual(one, other));
  const stale = before.filter((resource) => !isTracked(resource));
  const pending = await removeResources(own, stale, ownerOf(applied));
  const appliedResources = [...resources, ...pending].sort(byPlace);
  if (!isDeepStrictEqual(before, appliedResources))
    await own.patch(appliedManifestWorks, applied.metadata.name, { status: { appliedResources } }, statusOnly);
}

const statusOnly = { subresource: 'status' };

async function ensureApplied(context: WorkContext, work: ManifestWork): Promise<AppliedManifestWork> {
  const { own, hubHash, agentId: agentID } = context;
  const name = appliedName(context, work.metadata.name);
  const { apiVersion, kind } = appliedManifestWorks;
  const present = await own.find<AppliedManifestWork>(appliedManifestWorks, name);
  if (present?.metadata.deletionTimestamp) throw new Error(`appliedmanifestwork ${name} is still being removed`);
  return applyOver<AppliedManifestWork>(own, appliedManifestWorks, present, {
    apiVersion,
    kind,
    metadata: {
      name,
      finalizers: [finalizer.appliedManifestWork],
      ...(work.metadata.labels && { labels: work.metadata.labels }),
    },
    spec: { agentID, hubHash, manifestWorkName: work.metadata.name },
  });
}

/** Fields of a manifest that were read from another cluster and refer to it. */
const foreign = ['creationTimestamp', 'uid', 'resourceVersion', 'generation', 'managedFields', 'ownerReferences'];

/**
 * Applies one manifest as the agent's service account. An object that the work should not own loses it as owner, but only by an
 * update that succeeds (ocm pkg/work/spoke/apply/update_apply.go).
 */
async function applyManifest(
  { own, mapper }: WorkContext,
  { status: _, ...manifest }: AnyObject,
  ordinal: number,
  owner: OwnerReference,
  { deleteOption, manifestConfigs = [] }: ManifestWork['spec'],
): Promise<Outcome> {
  const { apiVersion = '', kind = '', metadata } = manifest;
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const { namespace = '', name } = metadata;
  const meta: ResourceMeta = { group, kind, name, namespace, ordinal, resource: '', version };
  const resource = await mapper.resourceFor(manifest).catch(() => undefined);
  if (!resource) {
    const error = new Error(`the server doesn't have a resource type ${JSON.stringify(kind)}`);
    return { meta, error, unseen: new Error(`resource with key ${namespace}/${name} not found`) };
  }
  meta.resource = resource.plural;
  try {
    const before = await own.find<AnyObject>(resource, keyOf(manifest));
    const owners = before?.metadata.ownerReferences ?? [];
    const others = owners.filter(({ uid }) => uid !== owner.uid);
    const isOwner = others.length < owners.length;
    const all = isOwner ? owners : [...owners, owner];
    const ownerReferences = isOwned(meta, deleteOption) ? all : others;
    const kept = Object.fromEntries(Object.entries(metadata).filter(([field]) => !foreign.includes(field)));
    const owned = (ownerReferences.length > 0 || owners.length > 0) && { ownerReferences };
    const isLeftAlone = before && isCreateOnly(meta, manifestConfigs);
    const wanted: AnyObject = isLeftAlone
      ? { ...before, metadata: { ...before.metadata, ...owned } }
      : { ...manifest, metadata: { ...kept, name, ...owned } };
    return { meta, present: await applyOver(own, resource, before, wanted) };
  } catch (error) {
    const failed = { meta, error: error as Error };
    return own.find<AnyObject>(resource, keyOf(manifest)).then(
      (present) => ({ ...failed, present }),
      (unseen: Error) => ({ ...failed, unseen }),
    );
  }
}

/** Whether a manifest is only applied if the object does not exist, and an existing object stays unchanged. */
function isCreateOnly(
  { group, resource, namespace, name }: ResourceMeta,
  configs: NonNullable<ManifestWork['spec']['manifestConfigs']>,
): boolean {
  const found = configs.find(({ resourceIdentifier: wanted }) =>
    isDeepStrictEqual(wanted, { group, resource, namespace, name }),
  );
  return found?.updateStrategy?.type === 'CreateOnly';
}

function appliedResource({ meta, present }: Outcome): AppliedResource[] {
  const { group, name, namespace, resource, version } = meta;
  const { uid = '' } = present?.metadata ?? {};
  return present ? [{ group, name, namespace, resource, uid, version }] : [];
}

function byPlace(one: AppliedResource, other: AppliedResource): number {
  const place = ({ group, version, resource, namespace, name }: AppliedResource) =>
    [group, version, resource, namespace, name].join('\0');
  return place(one) < place(other) ? -1 : 1;
}

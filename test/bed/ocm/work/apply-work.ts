import { isDeepStrictEqual } from 'node:util';
import { keyOf } from '../../kube/api.ts';
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
import { removeResources } from './remove-resources.ts';
import { appliedName, ownerOf, type WorkContext } from './work-context.ts';
import { workStatus } from './work-status.ts';

/** What became of one manifest. */
export interface Outcome {
  meta: ResourceMeta;
  uid?: string;
  error?: Error;
}

/**
 * Makes on the managed cluster what a ManifestWork holds, and reports it (ocm
 * pkg/work/spoke/controllers/manifestcontroller). Nothing is applied before the finalizer is there.
 */
export async function applyWork(context: WorkContext, work: ManifestWork): Promise<void> {
  const { hub, own } = context;
  const { finalizers = [], resourceVersion } = work.metadata;
  if (!finalizers.includes(finalizer.manifestWork)) {
    // The change comes back as an event, which goes on from here.
    const metadata = { finalizers: [...finalizers, finalizer.manifestWork], resourceVersion };
    await hub.patch(manifestWorks, keyOf(work), { metadata });
    return;
  }
  const applied = await ensureApplied(context, work);
  const owner = ownerOf(applied);
  const isOrphaned = work.spec.deleteOption?.propagationPolicy === 'Orphan';
  const outcomes: Outcome[] = [];
  for (const [ordinal, manifest] of work.spec.workload.manifests.entries())
    outcomes.push(await applyManifest(context, manifest, ordinal, owner, isOrphaned));
  const resources = outcomes.flatMap(appliedResource);
  const before = applied.status?.appliedResources ?? [];
  const stale = before.filter((resource) => !outcomes.some(({ meta }) => isSame(meta, resource)));
  const pending = await removeResources(own, stale, owner);
  const appliedResources = [...resources, ...pending];
  if (!isDeepStrictEqual(before, appliedResources))
    await own.patch(appliedManifestWorks, applied.metadata.name, { status: { appliedResources } }, statusOnly);
  const status = workStatus(work, outcomes);
  if (!isDeepStrictEqual(status, work.status))
    await hub.patch(manifestWorks, keyOf(work), { metadata: { uid: work.metadata.uid }, status }, statusOnly);
  const failed = outcomes.find(({ error }) => error);
  if (failed?.error) throw failed.error;
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

/** What a manifest that was read from another cluster says of that cluster. */
const foreign = ['creationTimestamp', 'uid', 'resourceVersion', 'generation', 'managedFields', 'ownerReferences'];

/** Applies one manifest as the agent's service account. What is to be orphaned loses the work as its owner. */
async function applyManifest(
  { own, mapper }: WorkContext,
  { status: _, ...manifest }: AnyObject,
  ordinal: number,
  owner: OwnerReference,
  isOrphaned: boolean,
): Promise<Outcome> {
  const { apiVersion = '', kind = '', metadata } = manifest;
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const { namespace = '', name } = metadata;
  const meta: ResourceMeta = { group, kind, name, namespace, ordinal, resource: '', version };
  try {
    const resource = await mapper.resourceFor(manifest);
    meta.resource = resource.plural;
    const present = await own.find<AnyObject>(resource, keyOf(manifest));
    const owners = present?.metadata.ownerReferences ?? [];
    const others = owners.filter(({ uid }) => uid !== owner.uid);
    const ownerReferences = isOrphaned ? others : [...others, owner];
    const kept = Object.fromEntries(Object.entries(metadata).filter(([field]) => !foreign.includes(field)));
    const wanted: AnyObject = {
      ...manifest,
      metadata: { ...kept, name, ...((ownerReferences.length > 0 || owners.length > 0) && { ownerReferences }) },
    };
    const { uid = '' } = (await applyOver(own, resource, present, wanted)).metadata;
    return { meta, uid };
  } catch (error) {
    return { meta, error: error as Error };
  }
}

function appliedResource({ meta, uid }: Outcome): AppliedResource[] {
  const { group, name, namespace, resource, version } = meta;
  return uid === undefined ? [] : [{ group, name, namespace, resource, uid, version }];
}

function isSame(meta: ResourceMeta, { group, resource, namespace, name }: AppliedResource): boolean {
  return meta.group === group && meta.resource === resource && meta.namespace === namespace && meta.name === name;
}

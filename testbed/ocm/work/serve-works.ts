import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { keyOf } from '../../kube/api.ts';
import { Informer } from '../../kube/informer.ts';
import type { AppliedManifestWork, ManifestWork } from '../../kube/objects.ts';
import { appliedManifestWorks, manifestWorks } from '../../kube/resources.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import { finalizer } from '../names.ts';
import { applyWork } from './apply-work.ts';
import { evict } from './evict.ts';
import { ownerOf } from './ownership.ts';
import { removeResources } from './remove-resources.ts';
import { appliedName, type WorkContext } from './work-context.ts';

/** `--status-sync-interval` as the operator sets it. */
const resync = 60_000;

/** How soon objects that are being deleted are checked again. */
const removalRecheck = 300;

/**
 * Applies the works of one cluster's mailbox, and undoes those that are being deleted: first the applied objects, then the
 * AppliedManifestWork, then the finalizer on the hub (ocm pkg/work/spoke). It evicts what the hub does not have.
 */
export async function serveWorks(
  context: WorkContext,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  const { hub, own, cluster, hubHash, agentId } = context;
  const onError = ({ message }: Error) => log(message);
  const works = new WorkQueue(
    async (name) => {
      const work = present.items.get(`${cluster}/${name}`);
      if (!work) return;
      if (work.metadata.deletionTimestamp) await finalizeWork(context, work);
      else await applyWork(context, work);
    },
    signal,
    (name, { message }) => log(`manifestwork ${name}: ${message}`),
  );
  const removals: WorkQueue = new WorkQueue(
    async (name) => {
      const item = applied.items.get(name);
      if (item?.metadata.deletionTimestamp && !(await finalizeApplied(context, item)))
        removals.addAfter(name, removalRecheck);
    },
    signal,
    (name, { message }) => log(`appliedmanifestwork ${name}: ${message}`),
  );
  const evictions: WorkQueue = new WorkQueue(
    async (name) => {
      await present.synced;
      const item = applied.items.get(name);
      const left = item && (await evict(context, item, present.items.has(`${cluster}/${item.spec.manifestWorkName}`)));
      if (left !== undefined) evictions.addAfter(name, left);
    },
    signal,
    (name, { message }) => log(`appliedmanifestwork ${name}: ${message}`),
  );
  const applied = new Informer<AppliedManifestWork>(
    own,
    appliedManifestWorks,
    {
      onError,
      onChange: ({ metadata, spec }, change) => {
        evictions.add(metadata.name);
        // The finalizer is taken for every hub that this agent has had (AppliedManifestworkAgentIDFilter).
        if (metadata.deletionTimestamp && spec.agentID === agentId) removals.add(metadata.name);
        if (change === 'deleted' && spec.hubHash === hubHash) works.add(spec.manifestWorkName);
      },
    },
    signal,
  );
  const present = new Informer<ManifestWork>(
    hub,
    manifestWorks,
    {
      namespace: cluster,
      onError,
      onChange: (work, change, before) => {
        if (change !== 'changed') evictions.add(appliedName(context, work.metadata.name));
        if (change === 'deleted' || bearing(before) === bearing(work)) return;
        works.forget(work.metadata.name);
        works.add(work.metadata.name);
      },
    },
    signal,
  );
  while (!signal.aborted) {
    await sleep(resync, undefined, { signal }).catch(() => {});
    for (const { metadata } of present.items.values()) works.add(metadata.name);
  }
}

/** The parts of a work that the agent acts on; its status is mostly the agent's own. */
function bearing(work: ManifestWork | undefined): string {
  const { generation, finalizers, deletionTimestamp, labels } = work?.metadata ?? {};
  return JSON.stringify([generation, finalizers, deletionTimestamp, labels]);
}

/** Removes the finalizer of a deleted work once nothing of it is left (ocm pkg/work/spoke/controllers/finalizercontroller). */
async function finalizeWork(context: WorkContext, work: ManifestWork): Promise<void> {
  const { finalizers = [], name, resourceVersion } = work.metadata;
  if (!finalizers.includes(finalizer.manifestWork)) return;
  const applied = appliedName(context, name);
  if (await context.own.find(appliedManifestWorks, applied)) {
    // Its deletion causes an event.
    await context.own.delete(appliedManifestWorks, applied);
    return;
  }
  const left = finalizers.filter((entry) => entry !== finalizer.manifestWork);
  await context.hub.patch(manifestWorks, keyOf(work), { metadata: { finalizers: left, resourceVersion } });
}

/** @returns whether a deleted AppliedManifestWork needs no further check without an event */
async function finalizeApplied({ own }: WorkContext, item: AppliedManifestWork): Promise<boolean> {
  const { finalizers = [], name, resourceVersion } = item.metadata;
  if (!finalizers.includes(finalizer.appliedManifestWork)) return true;
  const before = item.status?.appliedResources ?? [];
  const appliedResources = await removeResources(own, before, ownerOf(item));
  if (!isDeepStrictEqual(appliedResources, before)) {
    await own.patch(appliedManifestWorks, name, { status: { appliedResources } }, { subresource: 'status' });
    // Its change causes an event, which continues from here.
    return true;
  }
  if (appliedResources.length > 0) return false;
  const left = finalizers.filter((entry) => entry !== finalizer.appliedManifestWork);
  await own.patch(appliedManifestWorks, name, { metadata: { finalizers: left, resourceVersion } });
  return true;
}

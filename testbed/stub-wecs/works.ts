import { keyOf } from '../kube/api.ts';
import { applyOver } from '../kube/apply.ts';
import { Informer } from '../kube/informer.ts';
import type { AnyObject, ManifestWork } from '../kube/objects.ts';
import { groupOf, manifestWorks, versionOf } from '../kube/resources.ts';
import { RestMapper } from '../kube/rest-mapper.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { finalizer } from '../ocm/names.ts';
import { type Outcome, workStatus } from '../ocm/work-status.ts';
import type { Registered } from './agent.ts';

/** Applies the works of a cluster's mailbox, and removes what it applied with them. No AppliedManifestWorks are kept. */
export function serveWorks({ hub, own, cluster, log }: Registered, signal: AbortSignal): void {
  const mapper = new RestMapper(own);
  const apply = async (manifest: AnyObject, ordinal: number): Promise<Outcome> => {
    const { apiVersion = '', kind = '', metadata } = manifest;
    const { name, namespace = '' } = metadata;
    const place = { group: groupOf(apiVersion), version: versionOf(apiVersion), kind, name, namespace };
    const meta = { ...place, ordinal, resource: '' };
    const resource = await mapper.resourceFor(manifest).catch(() => undefined);
    if (!resource) return { meta, error: new Error(`the server doesn't have a resource type ${JSON.stringify(kind)}`) };
    const known = { ...meta, resource: resource.plural };
    try {
      const before = await own.find<AnyObject>(resource, keyOf(manifest));
      return { meta: known, present: await applyOver(own, resource, before, manifest) };
    } catch (error) {
      return { meta: known, error: error as Error };
    }
  };
  const remove = async (manifest: AnyObject) => {
    const resource = await mapper.resourceFor(manifest).catch(() => undefined);
    if (resource) await own.delete(resource, keyOf(manifest));
  };
  const queue = new WorkQueue(
    async (key) => {
      const work = works.items.get(key);
      if (!work) return;
      const { finalizers = [], deletionTimestamp } = work.metadata;
      const { manifests } = work.spec.workload;
      const withFinalizers = (wanted: string[]) => hub.patch(manifestWorks, key, { metadata: { finalizers: wanted } });
      if (deletionTimestamp) {
        for (const manifest of manifests) await remove(manifest);
        await withFinalizers(finalizers.filter((each) => each !== finalizer.manifestWork));
      } else if (!finalizers.includes(finalizer.manifestWork)) {
        await withFinalizers([...finalizers, finalizer.manifestWork]);
      } else {
        const outcomes: Outcome[] = [];
        for (const [ordinal, manifest] of manifests.entries()) outcomes.push(await apply(manifest, ordinal));
        await hub.patch(manifestWorks, key, { status: workStatus(work, outcomes) }, { subresource: 'status' });
      }
    },
    signal,
    (key, { message }) => log(`manifestwork ${key}: ${message}`),
  );
  const works = new Informer<ManifestWork>(
    hub,
    manifestWorks,
    {
      namespace: cluster,
      onError: ({ message }) => log(`${cluster}: ${message}`),
      onChange: (work, change, before) => {
        const isOwnStatus = bearing(work) === bearing(before);
        if (change !== 'deleted' && !isOwnStatus) queue.add(keyOf(work));
      },
    },
    signal,
  );
}

/** What is acted on; the status is the agent's own. */
const bearing = (work: ManifestWork | undefined): string =>
  JSON.stringify([work?.metadata.generation, work?.metadata.finalizers, work?.metadata.deletionTimestamp]);

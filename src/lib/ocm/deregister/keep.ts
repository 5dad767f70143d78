import { StellarError } from '../../errors.ts';
import type { Kube } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { type Resource, resources } from '../../kube/resources.ts';
import { poll } from '../../poll.ts';
import type { Run } from '../../run.ts';
import type { ManifestWork } from './inspect.ts';

/** work.open-cluster-management.io/v1, as far as a deregistration reads it. */
interface AppliedManifestWork extends KubeObject {
  spec?: { manifestWorkName?: string };
  status?: {
    appliedResources?: { group: string; version: string; resource: string; name: string; namespace?: string }[];
  };
}

/**
 * Makes the agent leave what works have applied when they are removed: deletion option Orphan, and the agent has to have seen it,
 * or it would remove the workloads all the same. Works that are being deleted already are left alone.
 * @throws StellarError `timeout` when the agent does not act
 */
export async function makeOrphans(hub: Kube, works: readonly ManifestWork[], run: Run): Promise<void> {
  const open = works.filter(
    ({ metadata, spec }) =>
      metadata.deletionTimestamp === undefined && spec?.deleteOption?.propagationPolicy !== 'Orphan',
  );
  if (open.length === 0) return;
  for (const { metadata } of open) {
    await hub.merge(
      resources.manifestWorks,
      metadata.name,
      { metadata: { uid: metadata.uid }, spec: { deleteOption: { propagationPolicy: 'Orphan' } } },
      { namespace: metadata.namespace },
    );
  }
  const seen = await poll(async () => {
    const now = await Promise.all(
      open.map(({ metadata }) =>
        hub.get<ManifestWork>(resources.manifestWorks, metadata.name, { namespace: metadata.namespace }),
      ),
    );
    return now.every((work) => work === undefined || isApplied(work)) || undefined;
  }, run);
  if (seen === undefined) {
    throw new StellarError(
      'timeout',
      `The agent has not taken over in time that its workloads are to stay; nothing was removed.`,
      {
        hint: 'See whether it lives: stellarctl wec get',
      },
    );
  }
}

function isApplied({ metadata, status }: ManifestWork): boolean {
  const applied = status?.conditions?.find(({ type }) => type === 'Applied');
  return applied?.status === 'True' && (applied.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}

/**
 * Takes workloads out of the ownership of a dead agent's AppliedManifestWorks, on the WEC itself, so that nothing removes them when
 * those go. @returns how many objects were released
 */
export async function releaseOwned(wec: Kube, workNames: ReadonlySet<string>): Promise<number> {
  let released = 0;
  for (const applied of (await wec.list<AppliedManifestWork>(resources.appliedManifestWorks)) ?? []) {
    if (!workNames.has(applied.spec?.manifestWorkName ?? '')) continue;
    for (const entry of applied.status?.appliedResources ?? []) {
      const resource: Resource = {
        apiVersion: entry.group === '' ? entry.version : `${entry.group}/${entry.version}`,
        kind: entry.resource,
        plural: entry.resource,
        namespaced: Boolean(entry.namespace),
      };
      const at = entry.namespace ? { namespace: entry.namespace } : {};
      const object = await wec.get<KubeObject & { metadata: { ownerReferences?: { uid: string }[] } }>(
        resource,
        entry.name,
        at,
      );
      const owners = object?.metadata.ownerReferences ?? [];
      const kept = owners.filter(({ uid }) => uid !== applied.metadata.uid);
      if (kept.length === owners.length) continue;
      await wec.merge(
        resource,
        entry.name,
        { metadata: { resourceVersion: object?.metadata.resourceVersion, ownerReferences: kept } },
        at,
      );
      released += 1;
    }
  }
  return released;
}

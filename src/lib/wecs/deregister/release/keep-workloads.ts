import { count } from '../../../engine/counts.ts';
import { StellarError } from '../../../engine/errors.ts';
import type { Run } from '../../../engine/run.ts';
import type { Kube } from '../../../kube/client/client.ts';
import type { AppliedResource } from '../../../workloads/applied-works.ts';
import type { ManifestStatus, ManifestWork } from '../../../workloads/manifest-works.ts';
import { makeOrphans, type ReleaseOnWec, setOrphan } from '../../../workloads/orphan-works.ts';
import { appliedWorksOf, releaseOne, releaseOwned } from '../clean-up/applied-works.ts';
import type { Leaving } from '../look/look.ts';

/** How the objects of works are taken out of them on the WEC itself; undefined without access to it. */
function releaseOnWec({ kube, record }: Leaving): ReleaseOnWec | undefined {
  if (kube === undefined || record === undefined) return undefined;
  return async (work, manifests) => {
    if (record.hubHash === null) throw ownersUnseen(kube);
    for (const applied of await appliedWorksOf(kube, record.hubHash)) {
      if (applied.spec?.manifestWorkName !== work.metadata.name) continue;
      for (const entry of manifests.flatMap(toResource)) await releaseOne(kube, applied, entry);
    }
  };
}

function toResource({ resourceMeta }: ManifestStatus): AppliedResource[] {
  const { group = '', version, resource, name, namespace } = resourceMeta ?? {};
  if (version === undefined || resource === undefined || name === undefined) return [];
  return [{ group, version, resource, name, ...(namespace ? { namespace } : {}) }];
}

/**
 * Makes workloads of a WEC stay where they run when its works are deleted: by its agent, or on the WEC itself where the agent is not
 * running.
 * @throws StellarError `not-orphaned`, `timeout`; nothing has been deleted then
 */
export async function keepWorkloads(
  hub: Kube,
  leaving: Leaving,
  works: readonly ManifestWork[],
  run: Run,
): Promise<void> {
  const { name, kube, record, agentDead } = leaving;
  if (works.length === 0) return;
  if (agentDead === undefined) return makeOrphans(hub, works, run, releaseOnWec(leaving));
  if (kube === undefined) return;
  for (const work of works) await setOrphan(hub, work);
  const released = await releaseAll(kube, works, record?.hubHash ?? undefined);
  if (!kube.dryRun) run.progress.changed(name, `${count(released, 'object')} taken out of the works`);
}

async function releaseAll(wec: Kube, works: readonly ManifestWork[], hash: string | undefined): Promise<number> {
  if (hash === undefined) throw ownersUnseen(wec);
  const names = new Set(works.map(({ metadata }) => metadata.name));
  const applied = (await appliedWorksOf(wec, hash)).filter(({ spec }) => names.has(spec?.manifestWorkName ?? ''));
  let released = await releaseOwned(wec, applied);
  // What was applied last may not be in that list yet.
  for (const work of works)
    for (const owner of applied.filter(({ spec }) => spec?.manifestWorkName === work.metadata.name))
      for (const entry of (work.status?.resourceStatus?.manifests ?? []).flatMap(toResource))
        if (await releaseOne(wec, owner, entry)) released += 1;
  return released;
}

const ownersUnseen = ({ cluster }: Kube): StellarError =>
  new StellarError(
    'not-orphaned',
    `Which objects on ${cluster.context} belong to the works cannot be seen: its agent has no kubeconfig. Nothing was deleted.`,
  );

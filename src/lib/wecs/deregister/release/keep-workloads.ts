import { count } from '../../../engine/counts.ts';
import { StellarError } from '../../../engine/errors.ts';
import type { Run } from '../../../engine/run.ts';
import type { Kube } from '../../../kube/client/client.ts';
import {
  type AppliedManifestWork,
  type AppliedResource,
  appliedWorksOf,
  releaseOne,
  releaseOwned,
} from '../../../workloads/applied-works.ts';
import type { ManifestStatus, ManifestWork } from '../../../workloads/manifest-works.ts';
import { makeOrphans, type ReleaseOnWec, setOrphan } from '../../../workloads/orphan-works.ts';
import type { Leaving } from '../look/look.ts';

/**
 * Makes workloads of a WEC stay where they run when its works are deleted: by its agent, or on the WEC itself where the agent is not
 * running.
 * @throws StellarError `not-orphaned`, `timeout`; nothing has been deleted then
 */
export async function keepWorkloads(
  hub: Kube,
  { name, kube, record, agentDead }: Leaving,
  works: readonly ManifestWork[],
  run: Run,
): Promise<void> {
  if (works.length === 0) return;
  const ownersOn = async (wec: Kube): Promise<AppliedManifestWork[]> => {
    if (!record?.hubHash) throw ownersUnseen(wec);
    return appliedWorksOf(wec, record.hubHash);
  };
  if (agentDead === undefined) {
    const release: ReleaseOnWec | undefined =
      kube &&
      record &&
      (async (work, manifests) => void (await releaseFrom(kube, await ownersOn(kube), work, manifests)));
    return makeOrphans(hub, works, run, release);
  }
  if (kube === undefined) return;
  for (const work of works) await setOrphan(hub, work);
  const names = new Set(works.map(({ metadata }) => metadata.name));
  const owners = (await ownersOn(kube)).filter(({ spec }) => names.has(spec?.manifestWorkName ?? ''));
  let released = await releaseOwned(kube, owners);
  // What was applied last may not be in that list yet.
  for (const work of works)
    released += await releaseFrom(kube, owners, work, work.status?.resourceStatus?.manifests ?? []);
  if (!run.dryRun) run.progress.changed(name, `${count(released, 'object')} taken out of the works`);
}

/** Takes objects of a work out of it, on the WEC itself. @returns how many */
async function releaseFrom(
  wec: Kube,
  owners: readonly AppliedManifestWork[],
  work: ManifestWork,
  manifests: readonly ManifestStatus[],
): Promise<number> {
  let released = 0;
  for (const owner of owners.filter(({ spec }) => spec?.manifestWorkName === work.metadata.name))
    for (const entry of manifests.flatMap(toResource)) if (await releaseOne(wec, owner, entry)) released += 1;
  return released;
}

function toResource({ resourceMeta }: ManifestStatus): AppliedResource[] {
  const { group = '', version, resource, name, namespace } = resourceMeta ?? {};
  if (version === undefined || resource === undefined || name === undefined) return [];
  return [{ group, version, resource, name, ...(namespace ? { namespace } : {}) }];
}

const ownersUnseen = ({ cluster }: Kube): StellarError =>
  new StellarError(
    'not-orphaned',
    `Which objects on ${cluster.context} belong to the works cannot be seen: its agent has no kubeconfig. Nothing was deleted.`,
  );

import { StellarError } from '../../errors.ts';
import type { Kube } from '../../kube/client.ts';
import { resources } from '../../kube/resources.ts';
import { poll } from '../../poll.ts';
import type { Run } from '../../run.ts';
import type { ManifestWork } from './inspect.ts';

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
  if (hub.dryRun) return;
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

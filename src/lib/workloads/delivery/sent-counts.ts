import type { Reader } from '../../kube/client/client.ts';
import { conditionOf } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import type { ManifestWork } from '../manifest-works.ts';
import { originWdsLabel } from '../names.ts';
import { trimWork } from './works.ts';

/** How far the objects are that a WDS sends to a WEC. The fields are an interface: docs/output.md. */
export interface SentCounts {
  wds: string;
  applied: number;
  failed: number;
  /** The agent has said nothing of them yet. */
  waiting: number;
}

/** Counts what all WDSes send through an ITS. @returns by WEC; undefined where this user may not see works */
export async function countSent(its: Reader): Promise<ReadonlyMap<string, SentCounts[]> | undefined> {
  const works = await its.list<ManifestWork>(resources.manifestWorks, {
    labelSelector: originWdsLabel,
    trim: trimWork,
  });
  if (works === undefined) return undefined;
  const byWec = Map.groupBy(works, ({ metadata }) => metadata.namespace ?? '');
  return new Map([...byWec].map(([wec, own]) => [wec, countsOf(own)]));
}

function countsOf(works: readonly ManifestWork[]): SentCounts[] {
  const byWds = Map.groupBy(works, ({ metadata }) => metadata.labels?.[originWdsLabel] ?? '');
  return [...byWds.keys()].sort().map((wds) => {
    const counts: SentCounts = { wds, applied: 0, failed: 0, waiting: 0 };
    for (const work of byWds.get(wds) ?? []) {
      const objects = work.spec?.workload?.manifests?.length ?? 0;
      const stated = (work.status?.resourceStatus?.manifests ?? []).map(
        (manifest) => conditionOf({ status: manifest }, 'Applied')?.status,
      );
      const applied = stated.filter((status) => status === 'True').length;
      const failed = stated.filter((status) => status === 'False').length;
      counts.applied += applied;
      counts.failed += failed;
      counts.waiting += Math.max(0, objects - applied - failed);
    }
    return counts;
  });
}

import type { Reader } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import { originWdsLabel } from '../ocm/kubestellar-names.ts';
import { isLeaving, type ManifestWork } from '../ocm/manifest-works.ts';
import { appliedState, trimmer, WorksOfWds } from './works.ts';

/** The delivery state of the objects that a WDS sends to a WEC. The fields are an interface: docs/output.md. */
export interface SentCounts {
  wds: string;
  applied: number;
  failed: number;
  /** The agent has not reported them yet. */
  waiting: number;
}

/** What all WDSes send through an ITS. */
export interface Sent {
  /** By WEC. */
  counts: ReadonlyMap<string, SentCounts[]>;
  /** By WDS. */
  works: ReadonlyMap<string, WorksOfWds>;
}

/** @returns undefined if this user is not allowed to read works */
export async function readSent(its: Reader): Promise<Sent | undefined> {
  const works = await its.list<ManifestWork>(resources.manifestWorks, {
    labelSelector: originWdsLabel,
    trim: trimmer(),
  });
  if (works === undefined) return undefined;
  const byWec = Map.groupBy(works, ({ metadata }) => metadata.namespace ?? '');
  const byWds = Map.groupBy(works, ({ metadata }) => metadata.labels?.[originWdsLabel] ?? '');
  return {
    counts: new Map([...byWec].map(([wec, own]) => [wec, countsOf(own)])),
    works: new Map([...byWds].map(([wds, own]) => [wds, new WorksOfWds(own)])),
  };
}

function countsOf(works: readonly ManifestWork[]): SentCounts[] {
  const byWds = Map.groupBy(works, ({ metadata }) => metadata.labels?.[originWdsLabel] ?? '');
  return [...byWds.keys()].sort().map((wds) => {
    const states = (byWds.get(wds) ?? []).flatMap((work) => {
      const manifests = work.status?.resourceStatus?.manifests ?? [];
      const objects = work.spec?.workload?.manifests ?? [];
      return objects.map((object, index) =>
        isLeaving(object) ? 'True' : appliedState(work, manifests[index])?.status,
      );
    });
    const count = (...wanted: (string | undefined)[]) => states.filter((state) => wanted.includes(state)).length;
    return { wds, applied: count('True'), failed: count('False'), waiting: count('Unknown', undefined) };
  });
}

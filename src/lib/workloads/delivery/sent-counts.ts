import type { Reader } from '../../kube/client/client.ts';
import { seenList } from '../../kube/client/missing.ts';
import { resources } from '../../kube/client/objects.ts';
import { originWdsLabel } from '../../ocm/model/kubestellar-names.ts';
import { isLeaving, type ManifestWork } from '../../ocm/model/manifest-works.ts';
import { appliedState, sentObjects, trimmer } from './works.ts';

/** The delivery state of the objects that a WDS sends to a WEC. The fields are an interface: docs/output.md. */
export interface SentCounts {
  wds: string;
  applied: number;
  failed: number;
  /** The agent has not reported them yet. */
  waiting: number;
}

/** What all WDSes send through an ITS, by WEC. @returns undefined if this user is not allowed to read works */
export async function readSent(its: Reader): Promise<Map<string, SentCounts[]> | undefined> {
  const how = { labelSelector: originWdsLabel, trim: trimmer() };
  const works = seenList(await its.list<ManifestWork>(resources.manifestWorks, how));
  const byWec = works && Map.groupBy(works, ({ metadata }) => metadata.namespace ?? '');
  return byWec && new Map([...byWec].map(([wec, own]) => [wec, countsOf(own)]));
}

function countsOf(works: readonly ManifestWork[]): SentCounts[] {
  const byWds = Map.groupBy(works, ({ metadata }) => metadata.labels?.[originWdsLabel] ?? '');
  return [...byWds.keys()].sort().map((wds) => {
    const states = (byWds.get(wds) ?? [])
      .flatMap(sentObjects)
      .map((sent) => (isLeaving(sent.object) ? 'True' : appliedState(sent)?.status));
    const count = (...wanted: (string | undefined)[]) =>
      states.filter((state) => wanted.includes(state)).length;
    return {
      wds,
      applied: count('True'),
      failed: count('False'),
      waiting: count('Unknown', undefined),
    };
  });
}

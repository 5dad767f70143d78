import { count } from '../../engine/counts.ts';
import type { Kube } from '../../kube/client/client.ts';
import { lenient } from '../../kube/permissive-reader.ts';
import { resources } from '../../kube/resources.ts';
import { type AppliedManifestWork, hubHash } from '../../workloads/applied-works.ts';
import { hubOf } from '../klusterlet/agent.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';

/** Works of the hub that a WEC's agent was registered with, which it will not find on the next one. */
export interface WorksLeft {
  /** Those that its agent deletes, with their workloads, when it has not found them for the grace period. */
  evicted: string[];
  /** Those of an agent before it, which nobody looks after: they stay. */
  orphaned: string[];
  /** As `60m0s` in the Klusterlet. */
  gracePeriod: string;
}

/**
 * What becomes of workloads when an agent connects to a hub that does not have their works: in both modes the agent's id is the
 * Klusterlet's UID for works, and from its connection on it waits the grace period before it deletes what the hub lacks
 * (ocm pkg/work/spoke/controllers/finalizercontroller; seen with OCM 1.3.1).
 * @returns undefined where they may not be read
 */
export async function worksLeft(kube: Kube, wec: WecEvidence): Promise<WorksLeft | undefined> {
  const hub = hubOf(wec);
  const { klusterlet } = wec;
  const works = await lenient(kube).list<AppliedManifestWork>(resources.appliedManifestWorks);
  if (works === undefined || hub === undefined || klusterlet === undefined) return undefined;
  const own = works.filter(({ spec }) => spec?.hubHash === hubHash(hub.spelled));
  const isEvicted = ({ spec }: AppliedManifestWork) => spec?.agentID === klusterlet.metadata.uid;
  const nameOf = ({ metadata, spec }: AppliedManifestWork) => spec?.manifestWorkName ?? metadata.name;
  return {
    evicted: own.filter(isEvicted).map(nameOf),
    orphaned: own.filter((work) => !isEvicted(work)).map(nameOf),
    gracePeriod: klusterlet.spec?.workConfiguration?.appliedManifestWorkEvictionGracePeriod ?? '60m',
  };
}

/** The same in words; undefined where nothing runs. */
export function fateOf({ evicted, orphaned, gracePeriod }: WorksLeft, its: string): string | undefined {
  const parts = [
    evicted.length === 0
      ? []
      : `${count(evicted.length, 'work')} (${shortened(evicted)}): its agent deletes what ${its} does not send under the same names ${gracePeriod} after it has connected, with the workloads`,
    orphaned.length === 0
      ? []
      : `${count(orphaned.length, 'work')} (${shortened(orphaned)}) of an agent before it: left running`,
  ].flat();
  return parts.length === 0 ? undefined : parts.join('; ');
}

const fewNames = 5;
const shortened = (names: readonly string[]): string =>
  names.length <= fewNames
    ? names.join(', ')
    : `${names.slice(0, fewNames).join(', ')} and ${names.length - fewNames} more`;

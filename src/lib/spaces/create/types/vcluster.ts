import { ifSeen } from '../../../kube/access.ts';
import type { ItsInside } from '../../stages/its-contents.ts';
import type { SpaceReading } from '../../stages/space-watcher.ts';

/** A new vcluster whose OCM is installed separately is complete once it is reachable. */
export function untilReachable(seen: SpaceReading<ItsInside>): SpaceReading<ItsInside> {
  if (ifSeen(seen.space.inside)?.hubServed) return seen;
  const last = seen.stages.findIndex(({ id }) => id === 'reachable');
  return { ...seen, stages: seen.stages.slice(0, last + 1) };
}

import { ifSeen } from '../../../kube/access.ts';
import type { ItsInside } from '../../stages/its-contents.ts';
import type { SpaceSeen } from '../../stages/space-watcher.ts';

/** A new vcluster whose OCM another program installs is complete once that program can reach it. */
export function untilReachable(seen: SpaceSeen<ItsInside>): SpaceSeen<ItsInside> {
  if (ifSeen(seen.space.look)?.hubServed) return seen;
  const last = seen.stages.findIndex(({ id }) => id === 'reachable');
  return { ...seen, stages: seen.stages.slice(0, last + 1) };
}

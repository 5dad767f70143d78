import { ifSeen } from '../../../kube/access.ts';
import type { ItsInside } from '../../stages/its-contents.ts';
import type { SpaceSeen } from '../../stages/space-watcher.ts';

/** A new virtual cluster that is to get its OCM from somebody else is done when they can reach it. */
export function untilReachable(seen: SpaceSeen<ItsInside>): SpaceSeen<ItsInside> {
  if (ifSeen(seen.space.look)?.hubServed) return seen;
  const last = seen.stages.findIndex(({ id }) => id === 'reachable');
  return { ...seen, stages: seen.stages.slice(0, last + 1) };
}

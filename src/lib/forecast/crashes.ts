import { describeObject } from '../ocm/model/object-ref.ts';
import type { Change } from './change.ts';
import type { Reach } from './reach.ts';
import type { Row } from './row.ts';
import type { BoundView } from './world.ts';

/**
 * Namesakes in two namespaces of a WEC of which either one is combined: KubeStellar 0.30.0 finds the WorkStatus of an object by its name
 * alone (pkg/util, KeyFromSourceRefAndWecName), and ends with a nil pointer where it is that of another one, which the Binding does not
 * combine (pkg/status, evaluateWorkStatusesPerBindingReadLocked).
 */
export function confusedBy(reaches: readonly Reach[], { collectors = [] }: Change): Row[] {
  const byName = Map.groupBy(
    reaches.flatMap((reach) => {
      const on = new Set([...reach.sentTo, ...reach.gaining]);
      return reach.objects.map((bound) => ({ reach, bound, on }));
    }),
    ({ bound }) => namesakeKey(bound),
  );
  return reaches.flatMap((reach) => {
    const { policy, gaining, sentTo, objects } = reach;
    const created = collectors.filter(({ wds }) => wds === policy.wds);
    if (gaining.length + created.length === 0) return [];
    const isCombinedNow = ({ of: { statusCollectors = [] } }: BoundView) =>
      created.some(({ name }) => statusCollectors.includes(name));
    return objects.flatMap((bound) =>
      (byName.get(namesakeKey(bound)) ?? []).flatMap((like): Row[] => {
        const wecs = isCombinedNow(bound) ? sentTo : gaining;
        const on = wecs.filter((wec) => like.on.has(wec));
        const how = confusion(bound, like.bound, like.reach === reach, like.reach.policy.wds);
        if (on.length === 0 || how === undefined) return [];
        const { object } = bound;
        return on.map((wec) => ({ ...how, wec, object, policy: policy.name, wds: policy.wds }));
      }),
    );
  });
}

/** What becomes of two objects of one kind and name on a WEC. @param isOne whether one policy sends both @param wds that of the second */
function confusion(
  bound: BoundView,
  like: BoundView,
  isOne: boolean,
  wds: string,
): Pick<Row, 'effect' | 'why'> | undefined {
  if (bound.object.namespace === like.object.namespace) return undefined;
  const combining = [bound.isCombined, like.isCombined];
  // Where one Binding combines both, the WorkStatus of either one is among its own.
  if (isOne && combining.every((each) => each === true)) return undefined;
  // The objects of a policy that does not change may have been read without their kind.
  const second = { ...like.object, kind: bound.object.kind };
  const words = `KubeStellar would confuse the statuses of ${describeObject(bound.object)} and ${describeObject(second)}, and crash`;
  if (combining.includes(true)) return { effect: 'crashes', why: words };
  return combining.includes(null)
    ? { effect: 'unknown', why: `${words}, if WDS ${wds} combines them` }
    : undefined;
}

const namesakeKey = ({ of: { group = '', resource, name } }: BoundView) =>
  `${group}/${resource}/${name}`;

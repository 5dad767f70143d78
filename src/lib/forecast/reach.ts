import { few } from '../core/text/words.ts';
import { destinationsOf } from '../ocm/model/kubestellar-names.ts';
import { keyOf } from '../ocm/model/object-ref.ts';
import { isFrom } from '../ocm/work-origins.ts';
import type { Change, PolicyChange, Sends } from './change.ts';
import { type SelectionChange, selectionChange } from './wec-change.ts';
import {
  type BoundView,
  boundObjects,
  type PolicyState,
  type SentWork,
  type World,
} from './world.ts';

/** What a change does to a policy. */
export interface Reach {
  policy: PolicyState;
  /** What it sends, after the change. */
  objects: readonly BoundView[];
  /** The WECs that it starts to select, in the order in which the transport handles them. */
  starting: readonly string[];
  /** The WECs that it no longer selects. */
  released: readonly string[];
  /** The WECs to which objects may be added: those that start, or all if its objects change. In the same order. */
  gaining: readonly string[];
  /** The first of them that is not accepted: the transport handles neither it nor those after it. */
  stopsAt: string | undefined;
  /** The WECs in whose mailboxes works of it were read. */
  worksOn: readonly string[];
  /** The WECs that it is sent to before the change: those of its Binding, which may be empty for a while, and of its works. */
  sentTo: readonly string[];
  /** What its templates lack, as `region of cluster1`, if that is why it is sent to no WEC any more. */
  lacking: string | undefined;
  /**
   * What its templates lack, of WECs that it no longer selects: KubeStellar's transport sees that 2 s before the Binding follows, deletes
   * all works of the policy, and then creates those again that it still sends (kubestellar 0.30.0, syncProperties).
   */
  interrupted: string | undefined;
  /**
   * Whether the transport handles it again: while it sends to a WEC that is not accepted, nothing of it is deleted from any WEC, and all of
   * that is once the WEC is accepted or no longer selected (kubestellar 0.30.0, propagateWrappedObjectToClusters).
   */
  isReleased: boolean;
  /** Why it is sent to no WEC any more, a clause; undefined if it is. */
  stops: string | undefined;
  /** If the policy itself changes. */
  change: PolicyChange | undefined;
}

/** What a change does to each policy, in the order of the policies. */
export function reachesOf(
  { policies, works }: Pick<World, 'policies' | 'works'>,
  { wecs = [], policies: changed = [] }: Change,
): Reach[] {
  const placesOf = placesBy([...works.values()].flat());
  return policies.map((policy) => {
    const worksOn = [...new Set(placesOf(policy))];
    const sentTo = [...new Set([...destinationsOf(policy.binding), ...worksOn])];
    const change = changed.find(({ wds, name }) => wds === policy.wds && name === policy.name);
    const before = { policy, worksOn, sentTo, change };
    return change === undefined ? reachBy(wecs, before) : reachOf(change.after, before);
  });
}

type Before = Pick<Reach, 'policy' | 'worksOn' | 'sentTo' | 'change'>;

/** What changes of WECs do to a policy. */
function reachBy(changes: NonNullable<Change['wecs']>, before: Before): Reach {
  const { policy, sentTo } = before;
  const on = (effect: SelectionChange) =>
    changes.flatMap((change) => (selectionChange(policy, change) === effect ? change.name : []));
  const starting = on('starting').sort();
  const released = on('released');
  const objects = boundObjects(policy);
  const asks = [...new Set(objects.flatMap((each) => [...each.asks]))];
  const missing = changes.flatMap(({ name, has, lacks }) => {
    const isMissing = starting.includes(name)
      ? (key: string) => !has.includes(key)
      : (key: string) => sentTo.includes(name) && lacks.includes(key);
    return asks.filter(isMissing).map((key) => ({ key, name }));
  });
  const [lacking, interrupted] = [false, true].map((isReleased) => {
    const some = missing.filter(({ name }) => released.includes(name) === isReleased);
    return some.length === 0
      ? undefined
      : few(some.map(({ key, name }) => `${key} of ${name}`)).join(', ');
  });
  return {
    ...before,
    objects,
    starting,
    released,
    gaining: starting,
    stopsAt: firstUnaccepted(starting, changes),
    isReleased: changes.some(
      ({ name, wasAccepted, isAccepted }) =>
        !wasAccepted &&
        destinationsOf(policy.binding).includes(name) &&
        (isAccepted || released.includes(name)),
    ),
    lacking,
    interrupted: lacking === undefined ? interrupted : undefined,
    stops: lacking && `its templates lack ${lacking}`,
  };
}

/** What its own change does to a policy. @param after null if it is deleted */
function reachOf(after: Sends | null, before: Before): Reach {
  const { sentTo } = before;
  const wecs = after === null ? [] : after.wecs;
  const names = (wecs?.map(({ name }) => name) ?? [...sentTo]).sort();
  // If the WECs could not be read, it keeps those that it has.
  const isRead = after?.unread.every(({ group }) => group !== null) ?? true;
  return {
    ...before,
    objects: after?.objects ?? [],
    starting: names.filter((name) => !sentTo.includes(name)),
    released: isRead ? sentTo.filter((name) => !names.includes(name)) : [],
    gaining: names,
    stopsAt: firstUnaccepted(names, wecs ?? []),
    isReleased: false,
    lacking: undefined,
    interrupted: undefined,
    stops: after?.stops,
  };
}

const firstUnaccepted = (
  gaining: readonly string[],
  wecs: readonly { name: string; isAccepted: boolean }[],
) => gaining.find((wec) => wecs.some(({ name, isAccepted }) => name === wec && !isAccepted));

const nameOf = (wds: string, binding: string) => `${wds} ${binding}`;

/** The WECs that have works of a policy. */
function placesBy(works: readonly SentWork[]) {
  const byName = Map.groupBy(works, ({ origin }) => origin && nameOf(origin.wds, origin.binding));
  return ({ wds, name, binding }: PolicyState) =>
    (byName.get(nameOf(wds, name)) ?? []).flatMap((work) =>
      !work.isLeaving && isOf(work, binding) ? work.wec : [],
    );
}

/** Whether a work that names a policy comes from its Binding, as far as there is one: WDSes of several hosting clusters may have one name. */
const isOf = ({ origin }: SentWork, binding: PolicyState['binding']) =>
  origin !== undefined && (binding === undefined || isFrom(origin, binding));

/** The policy that a work comes from; undefined if it is none of those that were read. */
export type FindSender = (work: SentWork) => Reach | undefined;

export function senderIn(reaches: readonly Reach[]): FindSender {
  const byName = new Map(
    reaches.map((reach) => [nameOf(reach.policy.wds, reach.policy.name), reach]),
  );
  return (work) => {
    const reach = work.origin && byName.get(nameOf(work.origin.wds, work.origin.binding));
    return reach && isOf(work, reach.policy.binding) ? reach : undefined;
  };
}

/** What the Binding of a policy names after a change. */
export interface ExpectedBinding {
  wds: string;
  policy: string;
  /** Sorted. */
  wecs: readonly string[];
  /** By `keyOf`, sorted; undefined if they stay as they are. */
  objects?: readonly string[];
  /** Whether nothing that it may name is unread. */
  isKnown: boolean;
}

/** A template that lacks something does not change the Binding: only the transport fills it. */
export function expectedBinding({
  policy,
  starting,
  released,
  objects,
  change,
}: Reach): ExpectedBinding {
  const of = { wds: policy.wds, policy: policy.name };
  const named = destinationsOf(policy.binding).filter((wec) => !released.includes(wec));
  if (change === undefined)
    return { ...of, wecs: [...new Set([...named, ...starting])].sort(), isKnown: true };
  const { after } = change;
  return {
    ...of,
    wecs: after?.wecs?.map(({ name }) => name).sort() ?? named.sort(),
    objects: objects.map((each) => keyOf(each.of)).sort(),
    isKnown: after?.unread.length === 0,
  };
}

import { few } from '../core/text/words.ts';
import {
  describePolicy,
  destinationsOf,
  isEmptyBinding,
  type Unread,
} from '../ocm/model/kubestellar-names.ts';
import { describeObject, type ObjectView } from '../ocm/model/object-ref.ts';
import { isFrom } from '../ocm/work-origins.ts';
import { sentKey } from '../workloads/delivery/works.ts';
import { type SelectionChange, selectionChange, type WecChange } from './wec-change.ts';
import {
  type BoundView,
  boundObjects,
  type PolicyState,
  type SentWork,
  type World,
} from './world.ts';

/** What is to be changed. */
export interface Change {
  wecs: readonly WecChange[];
}

/**
 * What becomes of an object on a WEC.
 * - `added`: its work is created.
 * - `removed`: the agent deletes it.
 * - `kept`: its work is deleted, and it stays.
 * - `recreated`: the agent deletes it, and another work creates it again, with another UID: its data may be lost.
 * - `stale`: it keeps a value that has been replaced, until its work is rewritten.
 * - `taken-over`: it is there, no work has applied it, and the agent overwrites it.
 * - `blocked`: its work cannot be created.
 * - `crashes`: KubeStellar's controller manager crashes, and may take the workloads of all policies away.
 * - `unknown`: what it would be made of could not be read.
 */
type RowEffect =
  | 'added'
  | 'removed'
  | 'kept'
  | 'recreated'
  | 'stale'
  | 'taken-over'
  | 'blocked'
  | 'crashes'
  | 'unknown';

/** What becomes of an object on a WEC by a change. The fields are an interface: docs/output.md. */
export interface Row {
  effect: RowEffect;
  /** Null if it may be any. */
  wec: string | null;
  /** Null if it is unknown which. */
  object: ObjectView | null;
  /** The policy that sends it, or has sent it; null for a work that was created by hand, or where it is unknown which. */
  policy: string | null;
  wds: string | null;
  /** A clause without a full stop. */
  why: string;
}

/** What a change does to a policy. */
export interface PolicyEffect {
  policy: PolicyState;
  wecs: readonly string[];
  /** Why the policy is sent to none of them any more, if it still selects them: what its templates lack, as `region of cluster1`. */
  lacking: string | undefined;
}

declare const made: unique symbol;

/** What a change does to workloads. Only `forecast` makes one. */
export interface Forecast {
  readonly [made]: true;
  rows: readonly Row[];
  /** Policies that start to select WECs. */
  starting: readonly PolicyEffect[];
  /** Policies that are no longer sent to WECs. */
  released: readonly PolicyEffect[];
  unread: readonly Unread[];
  /** How many WECs the policies send something to. */
  sentTo: number;
}

/** Says what a change does to the objects on WECs, by what was read. It reads nothing. */
export function forecast(world: World, { wecs: changes }: Change): Forecast {
  const reaches = reachesOf(world, changes);
  const goingOf = goingBy(reaches);
  const taken = [...world.works].flatMap(([wec, works]) => takenFrom(wec, works, reaches, goingOf));
  const rows = [
    ...taken,
    ...reaches.flatMap((reach) => sentBy(reach, changes, world, taken)),
    ...reaches.flatMap((reach) => staleIn(reach, changes)),
    ...reaches.flatMap(unknownOf),
    ...confusedBy(reaches),
    ...world.unread.map(
      ({ wds, why }): Row => ({ ...nowhere, effect: 'unknown', wds, why: unreadWords(wds, why) }),
    ),
  ];
  return {
    rows,
    starting: effectsOn(reaches, ({ starting }) => starting),
    released: [
      ...effectsOn(reaches, ({ lacking, released }) => (lacking === undefined ? released : [])),
      ...effectsOn(reaches, ({ lacking, sentTo }) => (lacking === undefined ? [] : sentTo)),
    ],
    unread: world.unread,
    sentTo: new Set(reaches.flatMap(({ sentTo }) => sentTo)).size,
  } as Omit<Forecast, typeof made> as Forecast;
}

const nowhere = { wec: null, object: null, policy: null, wds: null };

const unreadWords = (wds: string, why: string) =>
  `the binding policies of ${wds} could not be read: ${why}`;

/** What changes do to a policy. */
export interface Reach {
  policy: PolicyState;
  /** The WECs that it starts to select, in the order in which the transport handles them. */
  starting: readonly string[];
  /** The WECs that it no longer selects. */
  released: readonly string[];
  /** The WECs in whose mailboxes works of it were read. */
  worksOn: readonly string[];
  /** The WECs that it is sent to before the change: those of its Binding, which may be empty for a while, and of its works. */
  sentTo: readonly string[];
  /** What its templates lack, as `region of cluster1`: it is sent to no WEC then (kubestellar 0.30.0). */
  lacking: string | undefined;
}

/** What changes do to each policy, in the order of the policies. */
export function reachesOf(
  { policies, works }: Pick<World, 'policies' | 'works'>,
  changes: readonly WecChange[],
): Reach[] {
  const placesOf = placesBy([...works.values()].flat());
  return policies.map((policy) => {
    const on = (effect: SelectionChange) =>
      changes.flatMap((change) => (selectionChange(policy, change) === effect ? change.name : []));
    const worksOn = [...new Set(placesOf(policy))];
    const sentTo = [...new Set([...destinationsOf(policy.binding), ...worksOn])];
    const starting = on('starting').sort();
    const asks = [...new Set(boundObjects(policy).flatMap((each) => [...each.asks]))];
    const lacking = changes.flatMap(({ name, has, lacks }) => {
      const isMissing = starting.includes(name)
        ? (key: string) => !has.includes(key)
        : (key: string) => sentTo.includes(name) && lacks.includes(key);
      return asks.filter(isMissing).map((key) => `${key} of ${name}`);
    });
    return {
      policy,
      starting,
      released: on('released'),
      worksOn,
      sentTo,
      lacking: lacking.length === 0 ? undefined : few(lacking).join(', '),
    };
  });
}

const nameOf = (wds: string, binding: string) => `${wds} ${binding}`;

/** The WECs that have works of a policy. */
function placesBy(works: readonly SentWork[]) {
  const byName = Map.groupBy(works, ({ origin }) => origin && nameOf(origin.wds, origin.binding));
  return (policy: PolicyState) =>
    (byName.get(nameOf(policy.wds, policy.name)) ?? []).flatMap((work) =>
      !work.isLeaving && isOf(work, policy) ? work.wec : [],
    );
}

/** Whether a work that names a policy comes from its Binding, as far as there is one: WDSes of several hosting clusters may have one name. */
const isOf = ({ origin }: SentWork, { binding }: PolicyState) =>
  origin !== undefined && (binding === undefined || isFrom(origin, binding));

/** Why a work is deleted, a clause; undefined if it stays. */
type Going = (work: SentWork) => string | undefined;

function goingBy(reaches: readonly Reach[]): Going {
  const byName = new Map(
    reaches.map((reach) => [nameOf(reach.policy.wds, reach.policy.name), reach]),
  );
  return (work) => {
    const { wec, origin } = work;
    const reach = origin && byName.get(nameOf(origin.wds, origin.binding));
    if (reach === undefined || work.isLeaving || !isOf(work, reach.policy)) return undefined;
    if (reach.lacking !== undefined) return `its templates lack ${reach.lacking}`;
    return reach.released.includes(wec) ? 'it no longer selects the WEC' : undefined;
  };
}

/** What becomes of the objects in the works that are deleted from a WEC. */
function takenFrom(
  wec: string,
  works: readonly SentWork[],
  reaches: readonly Reach[],
  goingOf: Going,
): Row[] {
  const going = works.filter((work) => goingOf(work) !== undefined);
  if (going.length === 0) return [];
  const holders = new Map<string, { by: SentWork; isApplied: boolean }>();
  for (const by of works)
    if (goingOf(by) === undefined && !by.isLeaving)
      for (const object of by.objects)
        if (!holders.get(viewKey(object))?.isApplied)
          holders.set(viewKey(object), { by, isApplied: object.isApplied });
  const starting = new Map(
    reaches.flatMap((reach) =>
      reach.lacking === undefined && reach.starting.includes(wec)
        ? boundObjects(reach.policy).map(({ object }) => [viewKey(object), reach.policy] as const)
        : [],
    ),
  );
  const becomes = (work: SentWork, object: ObjectView): Pick<Row, 'effect' | 'why'> => {
    const holder = holders.get(viewKey(object));
    const next = starting.get(viewKey(object));
    if (work.isOrphan) return { effect: 'kept', why: 'its work leaves it on the WEC' };
    if (holder?.isApplied)
      return { effect: 'kept', why: `${senderOf(holder.by)} has applied it too` };
    if (holder)
      return { effect: 'recreated', why: `${senderOf(holder.by)} has not applied it yet` };
    if (next) return { effect: 'recreated', why: `${describePolicy(next)} starts to send it` };
    return { effect: 'removed', why: goingOf(work) ?? '' };
  };
  const rows = going.flatMap((work) =>
    work.objects.map((object): Row => ({ wec, ...ofWork(work, object), ...becomes(work, object) })),
  );
  return withNamespaces(rows, works, wec);
}

/** With a Namespace, everything in it is deleted, whoever keeps or sends it. */
function withNamespaces(rows: readonly Row[], works: readonly SentWork[], wec: string): Row[] {
  const spaces = new Map(
    rows.flatMap(({ effect, object }) =>
      object?.kind === 'Namespace' && (effect === 'removed' || effect === 'recreated')
        ? [[object.name, effect] as const]
        : [],
    ),
  );
  if (spaces.size === 0) return [...rows];
  const within = ({ namespace }: ObjectView) => spaces.get(namespace ?? '');
  const why = ({ namespace }: ObjectView) => `its Namespace ${namespace} is deleted`;
  const judged = rows.map((row): Row => {
    const effect = row.object && within(row.object);
    return row.object && effect && row.effect === 'kept'
      ? { ...row, effect, why: why(row.object) }
      : row;
  });
  const known = new Set(judged.map(({ object }) => object && viewKey(object)));
  const others = works.flatMap((work) =>
    work.objects.flatMap((object): Row[] => {
      const effect = within(object);
      return effect === undefined || known.has(viewKey(object))
        ? []
        : [{ wec, ...ofWork(work, object), effect, why: why(object) }];
    }),
  );
  return [...judged, ...others];
}

const ofWork = (
  { origin }: SentWork,
  { kind, group, namespace, name }: ObjectView,
): Pick<Row, 'object' | 'policy' | 'wds'> => ({
  object: { kind, group, namespace, name },
  policy: origin?.binding ?? null,
  wds: origin?.wds ?? null,
});

const senderOf = ({ origin, name }: SentWork) =>
  origin === undefined ? `work ${name}` : describePolicy({ name: origin.binding, wds: origin.wds });

/** What the WECs get that a policy starts to select. */
function sentBy(
  { policy, starting, lacking }: Reach,
  changes: readonly WecChange[],
  { foreign }: World,
  taken: readonly Row[],
): Row[] {
  const stopsAt = starting.find((wec) =>
    changes.some(({ name, isAccepted }) => name === wec && !isAccepted),
  );
  const why = lacking === undefined ? undefined : `its templates lack ${lacking}`;
  const keyOn = (wec: string | null, object: ObjectView) => `${wec} ${viewKey(object)}`;
  const keysOf = (some: readonly Pick<Row, 'wec' | 'object'>[]) =>
    new Set(some.flatMap(({ wec, object }) => (object ? keyOn(wec, object) : [])));
  const recreated = keysOf(taken.filter(({ effect }) => effect === 'recreated'));
  const present = keysOf(foreign);
  return starting.flatMap((wec) => {
    const isLate = stopsAt !== undefined && wec >= stopsAt;
    const blocked =
      why ?? (isLate ? `the transport stops at ${stopsAt}, which is not accepted` : undefined);
    return boundObjects(policy).flatMap(({ object }): Row[] => {
      const row = { wec, object, policy: policy.name, wds: policy.wds };
      if (blocked !== undefined) return [{ ...row, effect: 'blocked', why: blocked }];
      if (recreated.has(keyOn(wec, object))) return [];
      return present.has(keyOn(wec, object))
        ? [{ ...row, effect: 'taken-over', why: 'no work has applied it' }]
        : [{ ...row, effect: 'added', why: 'it starts to select the WEC' }];
    });
  });
}

/** What keeps an earlier value of a property. */
function staleIn(
  { policy, sentTo, released, lacking }: Reach,
  changes: readonly WecChange[],
): Row[] {
  if (lacking !== undefined) return [];
  return changes
    .filter(
      ({ name, stale }) => stale.length > 0 && sentTo.includes(name) && !released.includes(name),
    )
    .flatMap(({ name: wec, stale }) =>
      boundObjects(policy).flatMap(({ object, asks }): Row[] => {
        const keys = stale.filter((key) => asks.has(key));
        const why = `its work has the earlier value of ${keys.join(', ')}`;
        const { name, wds } = policy;
        return keys.length === 0 ? [] : [{ effect: 'stale', wec, object, policy: name, wds, why }];
      }),
    );
}

/** What a policy takes away or adds that its Binding does not show. */
function unknownOf({ policy, starting, worksOn }: Reach): Row[] {
  const { name, wds, binding, isFresh } = policy;
  const of = { ...nowhere, effect: 'unknown' as const, policy: name, wds };
  return [
    ...(isEmptyBinding(binding) && worksOn.length > 0
      ? [
          {
            ...of,
            why: `the Binding of ${describePolicy(policy)} lists nothing, and works of it are on ${few(worksOn).join(', ')}`,
          },
        ]
      : []),
    ...(isFresh && starting.length > 0
      ? [{ ...of, why: `KubeStellar has not bound ${describePolicy(policy)} yet` }]
      : []),
  ];
}

/**
 * Namesakes in two namespaces of a WEC of which either one is combined: KubeStellar 0.30.0 finds the WorkStatus of an object by its name
 * alone (pkg/util, KeyFromSourceRefAndWecName), and ends with a nil pointer where it is that of another one, which the Binding does not
 * combine (pkg/status, evaluateWorkStatusesPerBindingReadLocked).
 */
function confusedBy(reaches: readonly Reach[]): Row[] {
  const byName = Map.groupBy(
    reaches.flatMap((reach) => {
      const on = new Set([...reach.sentTo, ...reach.starting]);
      return boundObjects(reach.policy).map((bound) => ({ reach, bound, on }));
    }),
    ({ bound }) => namesakeKey(bound),
  );
  return reaches.flatMap((reach) => {
    const { policy, starting } = reach;
    if (starting.length === 0) return [];
    return boundObjects(policy).flatMap((bound) =>
      (byName.get(namesakeKey(bound)) ?? []).flatMap((like): Row[] => {
        const { of, object } = bound;
        const combined = [of, like.bound.of].filter((each) => each.statusCollectors?.length);
        // Where one Binding combines both, the WorkStatus of either one is among its own.
        const isOne = combined.length === 2 && like.reach === reach;
        if (object.namespace === like.bound.object.namespace || combined.length === 0 || isOne)
          return [];
        const why = `KubeStellar would confuse the statuses of ${describeObject(object)} and ${describeObject(like.bound.object)}, and crash`;
        return starting
          .filter((wec) => like.on.has(wec))
          .map((wec) => ({
            effect: 'crashes',
            wec,
            object,
            policy: policy.name,
            wds: policy.wds,
            why,
          }));
      }),
    );
  });
}

const namesakeKey = ({ of: { group = '', resource, name } }: BoundView) =>
  `${group}/${resource}/${name}`;

const viewKey = (object: ObjectView) => sentKey('', '', object);

const effectsOn = (
  reaches: readonly Reach[],
  wecsOf: (reach: Reach) => readonly string[],
): PolicyEffect[] =>
  reaches.flatMap((reach) => {
    const { policy, lacking } = reach;
    const wecs = wecsOf(reach);
    return wecs.length === 0 ? [] : [{ policy, wecs, lacking }];
  });

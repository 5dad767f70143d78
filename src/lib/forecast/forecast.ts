import { few } from '../core/text/words.ts';
import type { Foreseen } from '../kube/client/foreseen.ts';
import {
  describePolicy,
  destinationsOf,
  isEmptyBinding,
  type Unread,
} from '../ocm/model/kubestellar-names.ts';
import type { ObjectView } from '../ocm/model/object-ref.ts';
import { selectableLabels } from '../ocm/model/ocm-names.ts';
import { keyOfSent } from '../workloads/delivery/works.ts';
import { anyGroup, type Change, policyDeleted, withoutOwner } from './change.ts';
import { confusedBy } from './crashes.ts';
import {
  type ExpectedBinding,
  expectedBinding,
  type FindSender,
  type Reach,
  reachesOf,
  senderIn,
} from './reach.ts';
import type { Row } from './row.ts';
import type { WecChange } from './wec-change.ts';
import type { PolicyState, SentWork, World } from './world.ts';

/** What a change does to a policy. */
export interface PolicyEffect {
  policy: PolicyState;
  wecs: readonly string[];
  /** Why the policy is sent to none of them any more, if it still selects them: what its templates lack, as `region of cluster1`. */
  lacking: string | undefined;
}

/** What becomes of a work of a policy that is known. */
export interface WorkEffect {
  wec: string;
  name: string;
  uid: string | undefined;
  policy: string;
  wds: string;
  /** Whether KubeStellar deletes it, with or without its objects. */
  goes: boolean;
}

/** What a change does to workloads. Only `forecast` makes one, and writes that may take workloads away need it. */
export interface Forecast extends Foreseen {
  rows: readonly Row[];
  /** The works that were read, as far as it is known what becomes of them. */
  works: readonly WorkEffect[];
  bindings: readonly ExpectedBinding[];
  /** Policies that start to select WECs. */
  starting: readonly PolicyEffect[];
  /** Policies that are no longer sent to WECs. */
  released: readonly PolicyEffect[];
  unread: readonly Unread[];
  /** Whether policies may select the WECs that change by labels, or have done so. */
  isByLabels: boolean;
  /** How many WECs the policies send something to: those that change, or all if WECs change. */
  sentTo: number;
}

/** Says what a change does to the objects on WECs, by what was read. It reads nothing. */
export function forecast(world: World, change: Change): Forecast {
  const reaches = reachesOf(world, change);
  const findSender = senderIn(reaches);
  const goingOf = goingBy(reaches, findSender, change);
  // What becomes of the works of a WDS that could not be read is not known: they keep nothing.
  const mayGo = (work: SentWork) =>
    world.unread.length > 0 && work.origin !== undefined && findSender(work) === undefined;
  const taken = [...world.works].flatMap(([wec, works]) =>
    takenFrom(wec, works, reaches, { goingOf, mayGo }),
  );
  const recreated = keysOf(taken.filter(({ effect }) => effect === 'recreated'));
  const present = keysOf(world.foreign);
  const rows = [
    ...taken,
    ...reaches.flatMap((reach) => sentBy(reach, world, recreated, present)),
    ...reaches.flatMap((reach) => staleIn(reach, change)),
    ...reaches.flatMap((reach) => (reach.change || change.wecs ? unknownOf(reach) : [])),
    ...reaches.flatMap((reach) => transformedIn(reach, change)),
    ...confusedBy(reaches, change),
    ...world.unread.map(
      ({ wds, why }): Row => ({ ...nowhere, effect: 'unknown', wds, why: unreadWords(wds, why) }),
    ),
  ];
  const counted = change.policies ? reaches.filter((reach) => reach.change) : reaches;
  return {
    rows,
    works: worksBy(world, rows, goingOf),
    bindings: reaches.flatMap((reach) =>
      change.wecs || reach.change?.after ? expectedBinding(reach) : [],
    ),
    starting: effectsOn(reaches, ({ starting }) => starting),
    released: [
      ...effectsOn(reaches, ({ stops, released }) => (stops === undefined ? released : [])),
      ...effectsOn(reaches, ({ stops, sentTo }) => (stops === undefined ? [] : sentTo)),
      ...effectsOn(
        reaches,
        ({ interrupted, sentTo, released }) =>
          interrupted === undefined ? [] : sentTo.filter((wec) => !released.includes(wec)),
        ({ interrupted }) => interrupted,
      ),
    ],
    unread: world.unread,
    isByLabels: change.wecs?.some(isByLabels) ?? false,
    sentTo: new Set(counted.flatMap(({ sentTo }) => sentTo)).size,
  } as Omit<Forecast, keyof Foreseen> as Forecast;
}

const isByLabels = ({ before, name, after: labels }: WecChange) =>
  before !== null || Object.keys(selectableLabels({ metadata: { name, labels } })).length > 0;

const nowhere = { wec: null, object: null, policy: null, wds: null };

const unreadWords = (wds: string, why: string) =>
  `the binding policies of ${wds} could not be read: ${why}`;

/** What becomes of an object that leaves its work. */
type Going = Pick<Row, 'effect' | 'why'>;

/** What becomes of an object because it leaves a work; undefined if it stays in it. */
type GoingOf = (work: SentWork, object: ObjectView) => Going | undefined;

const removed = (why: string): Going => ({ effect: 'removed', why });
const kept = (why: string): Going => ({ effect: 'kept', why });

function goingBy(
  reaches: readonly Reach[],
  findSender: FindSender,
  { leaving = [] }: Change,
): GoingOf {
  const sends = new Map(
    reaches.flatMap((reach) =>
      reach.change?.after || reach.isReleased
        ? [[reach, new Set(reach.objects.map(({ object }) => keyOfSent(object)))] as const]
        : [],
    ),
  );
  return (work, object) => {
    const wec = leaving.find(({ name }) => name === work.wec);
    if (wec !== undefined)
      return wec.keepsWorkloads ? kept(withoutOwner) : removed('its WEC is deregistered');
    const reach = findSender(work);
    if (reach === undefined) return undefined;
    const { change, stops, interrupted, released } = reach;
    if (change?.after === null)
      return change.keepsWorkloads ? kept(withoutOwner) : removed(policyDeleted);
    if (stops !== undefined) return removed(stops);
    if (released.includes(work.wec)) return removed('it no longer selects the WEC');
    if (interrupted !== undefined)
      return {
        effect: 'recreated',
        why: `its templates lack ${interrupted} until its Binding follows`,
      };
    if (reach.isReleased && !destinationsOf(reach.policy.binding).includes(work.wec))
      return removed('its Binding no longer names the WEC');
    if (sends.get(reach)?.has(keyOfSent(object)) !== false) return undefined;
    const unread = change?.after?.unread.find(
      ({ kind, group }) =>
        (group === anyGroup || group === object.group) && (kind === null || kind === object.kind),
    );
    return unread
      ? { effect: 'unknown', why: unread.why }
      : removed('it no longer selects the object');
  };
}

/** What becomes of works as wholes. Of a policy that has unknown rows nothing is known, and of none if KubeStellar may crash. */
function worksBy({ works, policies }: World, rows: readonly Row[], goingOf: GoingOf): WorkEffect[] {
  if (rows.some(({ effect }) => effect === 'crashes')) return [];
  const nameOf = ({ name, wds }: { name: string | null; wds: string | null }) => `${wds} ${name}`;
  const unknown = new Set(
    rows.flatMap(({ effect, policy, wds }) =>
      effect === 'unknown' ? nameOf({ name: policy, wds }) : [],
    ),
  );
  const known = new Set(policies.map(nameOf).filter((policy) => !unknown.has(policy)));
  return [...works.values()].flat().flatMap((work): WorkEffect[] => {
    const { wec, name, uid, origin, isLeaving, objects } = work;
    const policy = origin && nameOf({ name: origin.binding, wds: origin.wds });
    if (origin === undefined || isLeaving || !known.has(policy ?? '')) return [];
    const goes = objects.every((object) => goingOf(work, object));
    return [{ wec, name, uid, policy: origin.binding, wds: origin.wds, goes }];
  });
}

/** What becomes of the objects that leave the works of a WEC. */
function takenFrom(
  wec: string,
  works: readonly SentWork[],
  reaches: readonly Reach[],
  { goingOf, mayGo }: { goingOf: GoingOf; mayGo(work: SentWork): boolean },
): Row[] {
  const going: { work: SentWork; object: ObjectView; how: Going }[] = [];
  const holders = new Map<string, { by: SentWork; isApplied: boolean }>();
  for (const work of works)
    for (const object of work.isLeaving ? [] : work.objects) {
      const how = goingOf(work, object);
      if (how !== undefined) going.push({ work, object, how });
      else if (!mayGo(work) && !holders.get(keyOfSent(object))?.isApplied)
        holders.set(keyOfSent(object), { by: work, isApplied: object.isApplied });
    }
  if (going.length === 0) return [];
  const starting = new Map(
    reaches.flatMap(({ policy, stops, gaining, objects }) =>
      stops === undefined && gaining.includes(wec)
        ? objects.map(({ object }) => [keyOfSent(object), policy] as const)
        : [],
    ),
  );
  const becomes = ({ work, object, how }: (typeof going)[number]): Going => {
    const holder = holders.get(keyOfSent(object));
    const next = starting.get(keyOfSent(object));
    const by = holder && senderOf(holder.by);
    if (how.effect !== 'removed') return how;
    if (work.isOrphan) return kept('its work leaves it on the WEC');
    if (holder?.isApplied) return kept(`${by} has applied it too`);
    if (holder) return { effect: 'recreated', why: `${by} has not applied it yet` };
    if (next) return { effect: 'recreated', why: `${describePolicy(next)} starts to send it` };
    return how;
  };
  const rows = going.map(
    (each): Row => ({ wec, ...ofWork(each.work, each.object), ...becomes(each) }),
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
    const isOver = row.effect === 'kept' || (row.effect === 'recreated' && effect === 'removed');
    return row.object && effect && isOver ? { ...row, effect, why: why(row.object) } : row;
  });
  const known = new Set(judged.map(({ object }) => object && keyOfSent(object)));
  const others = works.flatMap((work) =>
    work.objects.flatMap((object): Row[] => {
      const effect = within(object);
      return effect === undefined || known.has(keyOfSent(object))
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

const keyOn = (wec: string | null, object: ObjectView) => `${wec} ${keyOfSent(object)}`;

const keysOf = (some: readonly Pick<Row, 'wec' | 'object'>[]): ReadonlySet<string> =>
  new Set(some.flatMap(({ wec, object }) => (object ? keyOn(wec, object) : [])));

/**
 * What the WECs get that a policy sends something new to.
 * @param recreated what another policy loses there @param present what is there, and no work has applied
 */
function sentBy(
  { policy, gaining, stopsAt, stops, objects }: Reach,
  { works }: World,
  recreated: ReadonlySet<string>,
  present: ReadonlySet<string>,
): Row[] {
  return gaining.flatMap((wec) => {
    const has = new Set(
      (works.get(wec) ?? []).flatMap(({ origin, objects: sent }) =>
        origin?.wds === policy.wds && origin.binding === policy.name ? sent.map(keyOfSent) : [],
      ),
    );
    const isLate = stopsAt !== undefined && wec >= stopsAt;
    const late = isLate ? `the transport stops at ${stopsAt}, which is not accepted` : undefined;
    const blocked = stops ?? late;
    return objects.flatMap(({ object }): Row[] => {
      if (has.has(keyOfSent(object))) return [];
      const row = { wec, object, policy: policy.name, wds: policy.wds };
      if (blocked !== undefined) return [{ ...row, effect: 'blocked', why: blocked }];
      if (recreated.has(keyOn(wec, object))) return [];
      return present.has(keyOn(wec, object))
        ? [{ ...row, effect: 'taken-over', why: 'no work has applied it' }]
        : [{ ...row, effect: 'added', why: 'it starts to be sent' }];
    });
  });
}

/** What keeps an earlier value of a property: the transport rewrites the works of a policy only if its Binding changes as well. */
function staleIn(
  { policy, sentTo, starting, released, stopsAt, stops, objects }: Reach,
  { wecs = [] }: Change,
): Row[] {
  if (stops !== undefined) return [];
  const isRewritten = (wec: string) =>
    starting.length + released.length > 0 && (stopsAt === undefined || wec < stopsAt);
  return wecs
    .filter(
      ({ name, stale }) =>
        stale.length > 0 && sentTo.includes(name) && !released.includes(name) && !isRewritten(name),
    )
    .flatMap(({ name: wec, stale }) =>
      objects.flatMap(({ object, asks }): Row[] => {
        const keys = stale.filter((key) => asks.has(key));
        const why = `its work has the earlier value of ${keys.join(', ')}`;
        const { name, wds } = policy;
        return keys.length === 0 ? [] : [{ effect: 'stale', wec, object, policy: name, wds, why }];
      }),
    );
}

/** What was sent as an earlier transform has made it: the transport does not rewrite works because of a transform. */
function transformedIn({ policy, sentTo, objects }: Reach, { transforms = [] }: Change): Row[] {
  const { name: by, wds } = policy;
  return transforms.flatMap(({ name, group, resource, ...of }) =>
    objects.flatMap(({ of: bound, object }) =>
      of.wds === wds && bound.resource === resource && (bound.group ?? '') === group
        ? sentTo.map((wec): Row => {
            const why = `its work was made before transform ${name} changed`;
            return { effect: 'stale', wec, object, policy: by, wds, why };
          })
        : [],
    ),
  );
}

/** What a policy takes away or adds that its Binding does not show. */
function unknownOf({ policy, change, starting, worksOn }: Reach): Row[] {
  const { name, wds, binding, isFresh } = policy;
  const of = { ...nowhere, effect: 'unknown' as const, policy: name, wds };
  if (change !== undefined) {
    const [unread] = change.after?.unread.filter(({ group }) => group === null) ?? [];
    return unread ? [{ ...of, why: unread.why }] : [];
  }
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

const effectsOn = (
  reaches: readonly Reach[],
  wecsOf: (reach: Reach) => readonly string[],
  lackingOf: (reach: Reach) => string | undefined = ({ lacking }) => lacking,
): PolicyEffect[] =>
  reaches.flatMap((reach) => {
    const wecs = wecsOf(reach);
    return wecs.length === 0 ? [] : [{ policy: reach.policy, wecs, lacking: lackingOf(reach) }];
  });

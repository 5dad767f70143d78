import { count } from '../../lib/core/text/words.ts';
import type { SpacePlan } from '../../lib/fleet/fleet-spaces.ts';
import type { FleetPlan, WecPlan } from '../../lib/fleet/plan.ts';
import { unforeseenIn } from '../../lib/forecast/losses.ts';
import type { Policy } from '../../lib/ocm/model/kubestellar-names.ts';
import { describeReleased, describeSideEffects } from '../common/forecast-text.ts';
import { toDocument } from '../terminal/output.ts';

const actionSigns = { join: '+', move: '>', change: '~', unchanged: ' ', remove: '-' } as const;

/** The plan for people: a line for each change, the effects on workloads, and a summary. */
export function describePlan(plan: FleetPlan, isWide: boolean): string[] {
  const { items, former, left, effects } = plan;
  const changing = items.filter(
    ({ action, error, note, unsent }) =>
      isWide || action !== 'unchanged' || error || note || unsent,
  );
  return [
    ...changing.flatMap((item) => planLines(item, plan)),
    ...(items.some(({ action }) => action === 'remove')
      ? []
      : former.map((name) => `  ${name} left the file and stays; --prune deregisters it`)),
    ...left.map((name) => `  ${name} left the file and stays: the fleet has not joined it`),
    ...describeReleased(effects),
    ...describeSideEffects(effects),
    planSummary(plan),
  ];
}

function planLines(
  { name, action, changes, error, note, from, works, unsent = [] }: WecPlan,
  { its, evictWorks }: FleetPlan,
) {
  const what = {
    join: ' joins',
    move: ` moves from ${from}`,
    change: '',
    unchanged: '',
    remove: ' is deregistered',
  };
  return [
    `${error === undefined ? actionSigns[action] : '!'} ${name}${what[action]}`,
    ...changes.map(
      ({ kind, key, from, to }) => `    ${kind} ${key}: ${from ?? '-'} → ${to ?? '-'}`,
    ),
    ...(works === null ? ['    what that hub has sent may not be read; it keeps running'] : []),
    ...(works?.evicted.length
      ? [`    ${count(works.evicted.length, 'work')} of that hub: kept until ${its} sends them`]
      : []),
    ...unsent.map(
      (object) =>
        `    ${object}: ${evictWorks ? 'its agent deletes it' : `kept until ${its} sends it`}`,
    ),
    ...(error === undefined ? [] : [`    ${error.message}`]),
    ...(note === undefined ? [] : [`    ${note}`]),
  ];
}

export const describeSpaces = (spaces: readonly SpacePlan[]) =>
  spaces.flatMap(({ role, name, action, from, to }) => {
    if (action === 'unchanged') return [];
    const space = `${name} (${role.toUpperCase()})`;
    if (action === 'change') return `~ ${space} sends through ${from ?? '-'} → ${to}`;
    return `+ ${space} is ${action === 'create' ? 'created' : 'completed'}`;
  });

/** As `2 to join, 1 to change, 57 unchanged`. */
function planSummary({ items }: FleetPlan) {
  const counted = (action: WecPlan['action']) =>
    items.filter((item) => item.action === action && item.error === undefined).length;
  const adopted = items.filter(
    ({ action, adopts, error }) => action === 'unchanged' && adopts && !error,
  ).length;
  const refused = items.filter(({ error }) => error !== undefined).length;
  const parts = [
    [counted('join'), 'to join'],
    [counted('move'), 'to move'],
    [counted('change'), 'to change'],
    [counted('remove'), 'to deregister'],
    [refused, 'refused'],
  ] as const;
  const listed = parts.flatMap(([number, what]) => (number > 0 ? `${number} ${what}` : []));
  const adoptedNote =
    adopted > 0 ? ` (the fleet becomes an owner of the values of ${count(adopted, 'WEC')})` : '';
  return `${[...listed, `${counted('unchanged')} unchanged`].join(', ')}${adoptedNote}`;
}

/** Whether applying it changes a value or a registration. */
export const changesAnything = ({ items }: FleetPlan) =>
  items.some(({ action, unsent }) => action !== 'unchanged' || unsent !== undefined);

/** The plan for scripts. The fields are an interface: docs/output.md. */
export function planDocument({
  fleet,
  its,
  items,
  former,
  left,
  evictWorks,
  effects,
}: FleetPlan): object {
  const { starting, released, unread, rows } = effects;
  const nameOf = ({ wds, name }: Policy) => ({ wds, policy: name });
  return {
    fleet,
    its,
    ...toDocument(items),
    former,
    left,
    evictWorks,
    effects: {
      starting: starting.map(({ policy, wecs }) => ({ ...nameOf(policy), wecs })),
      released: released.map(({ policy, wecs }) => ({ ...nameOf(policy), wecs })),
      unread,
      unforeseen: unforeseenIn(effects),
      rows,
    },
  };
}

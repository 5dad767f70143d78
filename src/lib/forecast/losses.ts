import { describeGrouped, type Effect } from '../core/read-confirmed.ts';
import { few } from '../core/text/words.ts';
import { describePolicy } from '../ocm/model/kubestellar-names.ts';
import { describeObject } from '../ocm/model/object-ref.ts';
import type { Forecast } from './forecast.ts';
import type { Row } from './row.ts';

/** Whether an object is deleted from its WEC, with its data. */
export const isTaken = ({ effect }: Row) => effect === 'removed' || effect === 'recreated';

const effectOf = ({ object, wec }: Row): Effect => ({
  object: object ? describeObject(object) : 'objects',
  wec,
});

/** What WECs lose by a change: it is counted and confirmed. */
export const lostBy = ({ rows }: Pick<Forecast, 'rows'>): Effect[] =>
  rows.filter(isTaken).map(effectOf);

/** What they lose, and what of others is overwritten there. */
export const takenBy = (seen: Pick<Forecast, 'rows'>): Effect[] => [
  ...lostBy(seen),
  ...seen.rows
    .filter(({ effect }) => effect === 'taken-over')
    .map(effectOf)
    .map((effect) => ({ ...effect, object: `overwritten: ${effect.object}` })),
];

/**
 * Why WECs may lose more than that, each a clause. What could not be read is not among it.
 * @param shown effects that are shown otherwise
 */
export function unforeseenIn(
  { rows }: Pick<Forecast, 'rows'>,
  shown: readonly Row['effect'][] = [],
): string[] {
  const of = (effect: Row['effect']) =>
    shown.includes(effect) ? [] : rows.filter((row) => row.effect === effect);
  const crashes = Map.groupBy(of('crashes'), ({ why }) => why);
  const taken = Map.groupBy(of('taken-over'), ({ policy, wds }) =>
    describePolicy({ name: policy ?? '', wds: wds ?? '' }),
  );
  return [
    ...new Set(of('unknown').flatMap(({ policy, why }) => (policy === null ? [] : why))),
    ...[...crashes].map(
      ([why, on]) => `on ${few([...new Set(on.map(({ wec }) => wec ?? ''))]).join(', ')}, ${why}`,
    ),
    ...[...taken].map(
      ([policy, objects]) =>
        `${policy} would overwrite what no work has applied: ${few(describeGrouped(objects.map(effectOf))).join(', ')}`,
    ),
  ];
}

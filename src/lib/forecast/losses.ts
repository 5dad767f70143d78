import { describeGrouped, type Effect } from '../core/read-confirmed.ts';
import { few } from '../core/text/words.ts';
import { describePolicy } from '../ocm/model/kubestellar-names.ts';
import { describeObject } from '../ocm/model/object-ref.ts';
import type { Forecast, Row } from './forecast.ts';

/** Whether an object is deleted from its WEC, with its data. */
export const isTaken = ({ effect }: Row) => effect === 'removed' || effect === 'recreated';

export const effectOf = ({ object, wec }: Row): Effect => ({
  object: object ? describeObject(object) : 'objects',
  wec,
});

/** What WECs lose by a change: it is counted and confirmed. */
export const lostBy = ({ rows }: Pick<Forecast, 'rows'>): Effect[] =>
  rows.filter(isTaken).map(effectOf);

/** Why WECs may lose more than that, each a clause. What could not be read is not among it. */
export function unforeseenIn({ rows }: Pick<Forecast, 'rows'>): string[] {
  const of = (effect: Row['effect']) => rows.filter((row) => row.effect === effect);
  const crashes = Map.groupBy(of('crashes'), ({ why }) => why);
  const taken = Map.groupBy(of('taken-over'), ({ policy, wds }) =>
    describePolicy({ name: policy ?? '', wds: wds ?? '' }),
  );
  return [
    ...of('unknown').flatMap(({ policy, why }) => (policy === null ? [] : why)),
    ...[...crashes].map(
      ([why, on]) => `${why} on ${few([...new Set(on.map(({ wec }) => wec ?? ''))]).join(', ')}`,
    ),
    ...[...taken].map(
      ([policy, objects]) =>
        `${policy} would overwrite what no work has applied: ${few(describeGrouped(objects.map(effectOf))).join(', ')}`,
    ),
  ];
}

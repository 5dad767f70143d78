import {
  type Candidate,
  type ClausePart,
  type DownsyncClause,
  failingParts,
  type Modulation,
  type NamespaceLabels,
} from './clauses.ts';
import { namespaceOf } from './labels-to-select.ts';
import { isNeverSent } from './never-sent.ts';

/** An object that a policy selects. */
export interface SelectedObject<Object extends Candidate = Candidate> {
  object: Object;
  /** Joined over all clauses that select it. */
  modulation: Modulation;
}

/** The objects that clauses select, as KubeStellar decides it: also those that are being deleted. */
export function selectObjects<Object extends Candidate>(
  downsync: readonly DownsyncClause[],
  objects: readonly Object[],
  namespaces: NamespaceLabels,
): SelectedObject<Object>[] {
  return objects.flatMap((object) => {
    if (isNeverSent(object)) return [];
    const selecting = downsync.filter((clause) => failingParts(clause, object, namespaces).length === 0);
    return selecting.length === 0 ? [] : { object, modulation: joined(selecting) };
  });
}

function joined(clauses: readonly DownsyncClause[]): Modulation {
  const statusCollectors = [...new Set(clauses.flatMap((clause) => clause.statusCollectors ?? []))].sort();
  const isAsked = (key: Exclude<keyof Modulation, 'statusCollectors'>) =>
    clauses.some((clause) => clause[key]) ? { [key]: true } : {};
  return {
    ...isAsked('createOnly'),
    ...isAsked('wantSingletonReportedState'),
    ...isAsked('wantMultiWECReportedState'),
    ...(statusCollectors.length === 0 ? {} : { statusCollectors }),
  };
}

/** Why a clause of a policy does not select an object. */
interface Miss {
  policy: string;
  /** The index of the clause in spec.downsync. */
  clause: number;
  /** What of it fails, and what is asked for there. */
  fails: { part: ClausePart; wanted: unknown }[];
}

/** Why an object is selected by none of some policies. */
export type NotSelected =
  /** Its kind is sent to no WEC. */
  | { why: 'never-sent' }
  /** None has a clause. */
  | { why: 'no-clause' }
  /** The clause that comes nearest: the one of which the fewest parts fail, of a policy that is meant for its labels or its Namespace. */
  | { why: 'no-match'; nearest: Miss };

/** @returns undefined where one of them selects it */
export function whyNotSelected(
  policies: readonly { name: string; downsync: readonly DownsyncClause[] }[],
  object: Candidate,
  namespaces: NamespaceLabels,
): NotSelected | undefined {
  if (isNeverSent(object)) return { why: 'never-sent' };
  const misses = policies.flatMap(({ name, downsync }) =>
    downsync.map(
      (clause, index): Miss => ({
        policy: name,
        clause: index,
        fails: failingParts(clause, object, namespaces).map((part) => ({ part, wanted: clause[part] })),
      }),
    ),
  );
  const space = object.metadata.namespace === undefined ? [] : [namespaceOf(object.metadata.namespace, namespaces)];
  const near = new Set(
    policies.flatMap(({ name, downsync }) => (selectObjects(downsync, space, namespaces).length > 0 ? name : [])),
  );
  const distance = ({ policy, fails }: Miss) =>
    fails.length + (near.has(policy) || fails.every(({ part }) => part !== 'objectSelectors') ? 0 : 0.5);
  const [nearest] = misses.sort((a, b) => distance(a) - distance(b));
  if (nearest === undefined) return { why: 'no-clause' };
  return nearest.fails.length === 0 ? undefined : { why: 'no-match', nearest };
}

import type { Candidate, DownsyncClause, Modulation } from '../ocm/policies.ts';
import { type ClausePart, failingParts, type NamespaceLabels } from './clauses.ts';
import { isExcludedKind } from './excluded-kinds.ts';
import { namespaceOf } from './labels-to-select.ts';

/** An object that a policy selects. */
export interface SelectedObject<Object extends Candidate = Candidate> {
  object: Object;
  /** Merged from all clauses that select it. */
  modulation: Modulation;
}

/** Returns the objects that clauses select, by KubeStellar's rules: including those that are being deleted. */
export function selectObjects<Object extends Candidate>(
  downsync: readonly DownsyncClause[],
  objects: readonly Object[],
  namespaces: NamespaceLabels,
): SelectedObject<Object>[] {
  return objects.flatMap((object) => {
    if (isExcludedKind(object)) return [];
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
  /** The parts that do not match, and what they require. */
  fails: { part: ClausePart; wanted: unknown }[];
}

/** Why none of some policies selects an object. */
export type NotSelected =
  /** Its kind is never sent to a WEC. */
  | { why: 'never-sent' }
  /** No policy has a clause. */
  | { why: 'no-clause' }
  /**
   * The nearest clause: the one with the fewest parts that do not match, preferably of a policy for the object's labels or its
   * Namespace.
   */
  | { why: 'no-match'; nearest: Miss };

/** @returns undefined if a policy selects it */
export function whyNotSelected(
  policies: readonly { name: string; downsync: readonly DownsyncClause[] }[],
  object: Candidate,
  namespaces: NamespaceLabels,
): NotSelected | undefined {
  if (isExcludedKind(object)) return { why: 'never-sent' };
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

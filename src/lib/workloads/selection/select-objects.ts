import { changeWords } from '../../core/changes.ts';
import type { LabelSelector } from '../../kube/client/objects.ts';
import {
  type Candidate,
  type DownsyncClause,
  isExcludedKind,
  type Modulation,
} from '../../ocm/model/kubestellar-names.ts';
import { isEmpty, isValid, type Labels, matches } from './label-selectors.ts';

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
    const selecting = downsync.filter(
      (clause) => failingParts(clause, object, namespaces).length === 0,
    );
    return selecting.length === 0 ? [] : { object, modulation: joinModulations(selecting) };
  });
}

function joinModulations(clauses: readonly DownsyncClause[]): Modulation {
  const statusCollectors = [
    ...new Set(clauses.flatMap((clause) => clause.statusCollectors ?? [])),
  ].sort();
  const isAsked = (key: Exclude<keyof Modulation, 'statusCollectors'>) =>
    clauses.some((clause) => clause[key]) ? { [key]: true } : {};
  return {
    ...isAsked('createOnly'),
    ...isAsked('wantSingletonReportedState'),
    ...isAsked('wantMultiWECReportedState'),
    ...(statusCollectors.length === 0 ? {} : { statusCollectors }),
  };
}

/**
 * The clause that is nearest to selecting an object: the one with the fewest parts that do not match, preferably of a policy for the
 * object's labels or its Namespace.
 * @returns with the parts that do not match; undefined if no policy has a clause
 */
export function nearestClause(
  policies: readonly { name: string; downsync: readonly DownsyncClause[] }[],
  object: Candidate,
  namespaces: NamespaceLabels,
) {
  const { namespace } = object.metadata;
  const space = namespace === undefined ? [] : [namespaceCandidate(namespace, namespaces)];
  const misses = policies.flatMap(({ name: policy, downsync }) => {
    const isNear = selectObjects(downsync, space, namespaces).length > 0;
    return downsync.map((clause) => {
      const fails = failingParts(clause, object, namespaces);
      const distance = fails.length + (isNear || !fails.includes('objectSelectors') ? 0 : 0.5);
      return { policy, clause, fails, distance };
    });
  });
  const [nearest] = misses.sort((a, b) => a.distance - b.distance);
  return nearest;
}

/**
 * Returns the `kubectl label` arguments that make one of the clauses select an object.
 * @returns undefined if labels alone do not suffice
 */
export function labelsToSelect(
  clauses: readonly DownsyncClause[],
  object: Candidate,
  namespaces: NamespaceLabels,
): string[] | undefined {
  const labels = object.metadata.labels ?? {};
  for (const clause of clauses)
    for (const { matchLabels = {} } of clause.objectSelectors ?? []) {
      const labelled = {
        ...object,
        metadata: { ...object.metadata, labels: { ...labels, ...matchLabels } },
      };
      const words = changeWords(matchLabels);
      if (words.length === 0 || failingParts(clause, labelled, namespaces).length > 0) continue;
      const isOther = Object.keys(matchLabels).some(
        (key) => Object.hasOwn(labels, key) && labels[key] !== matchLabels[key],
      );
      return isOther ? [...words, '--overwrite'] : words;
    }
  return undefined;
}

/** Returns a Namespace as a candidate. */
export const namespaceCandidate = (name: string, namespaces: NamespaceLabels): Candidate => ({
  group: '',
  version: 'v1',
  resource: 'namespaces',
  kind: 'Namespace',
  metadata: { name, labels: { ...namespaces.get(name) } },
});

/** The parts of a clause that select. */
type ClausePart = Exclude<keyof DownsyncClause, keyof Modulation>;

/** The labels of the Namespaces of a WDS, by name. */
export type NamespaceLabels = ReadonlyMap<string, Labels>;

type Test = (clause: DownsyncClause, object: Candidate, namespaces: NamespaceLabels) => boolean;

/** One test for each part, in the order in which the controller evaluates them (pkg/binding, testObject). */
const tests: Readonly<Record<ClausePart, Test>> = {
  apiGroup: ({ apiGroup }, { group }) => apiGroup === undefined || apiGroup === group,
  resources: ({ resources }, { resource }) => allows(resources, resource),
  // A cluster-scoped object has the namespace ''.
  namespaces: ({ namespaces }, { metadata }) => allows(namespaces, metadata.namespace ?? ''),
  objectNames: ({ objectNames }, { metadata }) => allows(objectNames, metadata.name),
  objectSelectors: ({ objectSelectors = [] }, { metadata }) =>
    objectSelectors.length === 0 || matchesAny(objectSelectors, metadata.labels ?? {}),
  namespaceSelectors: ({ namespaceSelectors = [] }, { metadata }, namespaces) => {
    // Only an empty selector also matches cluster-scoped objects.
    if (namespaceSelectors.length === 0 || namespaceSelectors.some(isEmpty)) return true;
    const labels = namespaces.get(metadata.namespace ?? '');
    return labels !== undefined && matchesAny(namespaceSelectors, labels);
  },
};

const parts = Object.keys(tests) as ClausePart[];

/** Returns the parts of a clause that do not match an object; none if the clause selects it. */
export const failingParts = (
  clause: DownsyncClause,
  object: Candidate,
  namespaces: NamespaceLabels,
): ClausePart[] => parts.filter((part) => !tests[part](clause, object, namespaces));

/** Matches an exact name or "*"; there are no other wildcards. An absent list allows all. */
export const allows = (list: readonly string[] | undefined, name: string) =>
  !list?.length || list.includes('*') || list.includes(name);

/** An invalid selector matches nothing, and does not affect the others. */
const matchesAny = (selectors: readonly LabelSelector[], labels: Labels) =>
  selectors.some((selector) => isValid(selector) && matches(selector, labels));

import type { LabelSelector } from '../kube/client/objects.ts';
import type { Candidate, DownsyncClause, Modulation } from '../ocm/policies.ts';
import { isEmpty, isValid, type Labels, matches } from './label-selectors.ts';

/** The parts of a clause that select. */
export type ClausePart = Exclude<keyof DownsyncClause, keyof Modulation>;

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
export const failingParts = (clause: DownsyncClause, object: Candidate, namespaces: NamespaceLabels): ClausePart[] =>
  parts.filter((part) => !tests[part](clause, object, namespaces));

/** Matches an exact name or "*"; there are no other wildcards. An absent list allows all. */
const allows = (list: readonly string[] | undefined, name: string): boolean =>
  !list?.length || list.includes('*') || list.includes(name);

/** An invalid selector matches nothing, and does not affect the others. */
const matchesAny = (selectors: readonly LabelSelector[], labels: Labels): boolean =>
  selectors.some((selector) => isValid(selector) && matches(selector, labels));

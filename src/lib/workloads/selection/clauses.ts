import type { ObjectMeta } from '../../kube/objects.ts';
import { isEmpty, isValid, type LabelSelector, type Labels, matches } from './label-selectors.ts';

/** What a clause requests besides sending an object. */
export interface Modulation {
  /** Create the object on a WEC, and do not change an existing one. */
  createOnly?: boolean;
  wantSingletonReportedState?: boolean;
  wantMultiWECReportedState?: boolean;
  statusCollectors?: string[];
}

/** A member of spec.downsync of a BindingPolicy (kubestellar v0.30.0, api/control/v1alpha1 DownsyncPolicyClause). */
export interface DownsyncClause extends Modulation {
  apiGroup?: string;
  resources?: string[];
  namespaces?: string[];
  namespaceSelectors?: LabelSelector[];
  objectSelectors?: LabelSelector[];
  objectNames?: string[];
}

/** The parts of a clause that select. */
export type ClausePart = Exclude<keyof DownsyncClause, keyof Modulation>;

/** A kind in one of its versions. */
export interface KindRef {
  group: string;
  version: string;
  /** Plural, in lower case. */
  resource: string;
  kind: string;
}

/** The fields of a WDS object that selection needs. */
export interface Candidate extends KindRef {
  metadata: ObjectMeta;
}

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

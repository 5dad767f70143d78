import type { ObjectMeta } from '../../kube/objects.ts';
import { isEmpty, isValid, type LabelSelector, type Labels, matches } from './label-selectors.ts';

/** What a clause asks for beside sending an object. */
export interface Modulation {
  /** The object is created on a WEC, and not changed where it is there. */
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

/** An object of a WDS, as far as selection goes. */
export interface Candidate {
  group: string;
  version: string;
  /** Plural, in lower case. */
  resource: string;
  kind: string;
  metadata: ObjectMeta;
}

/** The labels of the Namespaces of a WDS, by name. */
export type NamespaceLabels = ReadonlyMap<string, Labels>;

type Test = (clause: DownsyncClause, object: Candidate, namespaces: NamespaceLabels) => boolean;

/** Each part by itself, in the order in which the controller looks at them (pkg/binding, testObject). */
const tests: Readonly<Record<ClausePart, Test>> = {
  apiGroup: ({ apiGroup }, { group }) => apiGroup === undefined || apiGroup === group,
  resources: ({ resources }, { resource }) => allows(resources, resource),
  // A cluster-scoped object has the namespace ''.
  namespaces: ({ namespaces }, { metadata }) => allows(namespaces, metadata.namespace ?? ''),
  objectNames: ({ objectNames }, { metadata }) => allows(objectNames, metadata.name),
  objectSelectors: ({ objectSelectors = [] }, { metadata }) =>
    objectSelectors.length === 0 || matchesAny(objectSelectors, metadata.labels ?? {}),
  namespaceSelectors: ({ namespaceSelectors = [] }, { metadata }, namespaces) => {
    // An empty one passes cluster-scoped objects as well, which no other does.
    if (namespaceSelectors.length === 0 || namespaceSelectors.some(isEmpty)) return true;
    const labels = namespaces.get(metadata.namespace ?? '');
    return labels !== undefined && matchesAny(namespaceSelectors, labels);
  },
};

const parts = Object.keys(tests) as ClausePart[];

/** The parts of a clause that keep it from selecting an object; none where it selects it. */
export const failingParts = (clause: DownsyncClause, object: Candidate, namespaces: NamespaceLabels): ClausePart[] =>
  parts.filter((part) => !tests[part](clause, object, namespaces));

/** An exact name or "*"; there are no other wildcards. No list allows all. */
const allows = (list: readonly string[] | undefined, name: string): boolean =>
  !list?.length || list.includes('*') || list.includes(name);

/** An invalid selector selects nothing, and does not concern the others. */
const matchesAny = (selectors: readonly LabelSelector[], labels: Labels): boolean =>
  selectors.some((selector) => isValid(selector) && matches(selector, labels));

import { type LabelSelector, selects } from '../kube/label-selector.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Resource } from '../kube/resources.ts';
import type { DownsyncClause, Modulation } from './bindings.ts';

/** An object of a WDS with the resource that serves it. */
export interface WorkloadObject {
  resource: Resource;
  object: KubeObject;
}

/**
 * The combined fields of all clauses of a BindingPolicy that select an object; undefined if none does (kubestellar
 * pkg/binding/selectors.go, testObject).
 */
export function modulationOf(
  clauses: readonly DownsyncClause[],
  { resource, object }: WorkloadObject,
  namespaceLabels: Record<string, string> | undefined,
): Modulation | undefined {
  const matching = clauses.filter((clause) => matches(clause, resource, object, namespaceLabels));
  if (matching.length === 0) return undefined;
  const statusCollectors = [...new Set(matching.flatMap((clause) => clause.statusCollectors ?? []))].sort();
  return {
    ...(matching.some(({ createOnly }) => createOnly) && { createOnly: true }),
    ...(statusCollectors.length > 0 && { statusCollectors }),
    ...(matching.some((clause) => clause.wantSingletonReportedState) && { wantSingletonReportedState: true }),
    ...(matching.some((clause) => clause.wantMultiWECReportedState) && { wantMultiWECReportedState: true }),
  };
}

function matches(
  clause: DownsyncClause,
  { apiVersion, plural }: Resource,
  { metadata }: KubeObject,
  namespaceLabels: Record<string, string> | undefined,
): boolean {
  return (
    (clause.apiGroup === undefined || clause.apiGroup === groupOf(apiVersion)) &&
    isListed(clause.resources, plural) &&
    isListed(clause.namespaces, metadata.namespace ?? '') &&
    isListed(clause.objectNames, metadata.name) &&
    isSelected(clause.objectSelectors, metadata.labels) &&
    // An empty selector selects objects without a namespace as well.
    (clause.namespaceSelectors?.some(isEmpty) || isSelected(clause.namespaceSelectors, namespaceLabels, true))
  );
}

/** The version of an apiVersion. */
export const versionOf = (apiVersion: string): string => apiVersion.split('/').at(-1) ?? '';

/** The group of an apiVersion; '' for the core one. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

function isListed(names: readonly string[] = [], name: string): boolean {
  return names.length === 0 || names.includes('*') || names.includes(name);
}

function isSelected(
  selectors: readonly LabelSelector[] = [],
  labels: Record<string, string> | undefined,
  mustExist = false,
): boolean {
  if (selectors.length === 0) return true;
  return (labels !== undefined || !mustExist) && selectors.some((selector) => selects(selector, labels));
}

function isEmpty({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

import type { Candidate, DownsyncClause } from '../ocm/policies.ts';
import { failingParts, type NamespaceLabels } from './clauses.ts';

/**
 * Returns the `kubectl label` arguments that make one of the clauses select an object.
 * @returns undefined if labels alone do not suffice
 */
export function labelsToSelect(
  clauses: readonly DownsyncClause[],
  object: Candidate,
  namespaces: NamespaceLabels,
): string[] | undefined {
  const own = object.metadata.labels ?? {};
  for (const clause of clauses)
    for (const { matchLabels = {} } of clause.objectSelectors ?? []) {
      const labelled = { ...object, metadata: { ...object.metadata, labels: { ...own, ...matchLabels } } };
      const words = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
      if (words.length === 0 || failingParts(clause, labelled, namespaces).length > 0) continue;
      const isOther = Object.entries(matchLabels).some(([key, value]) => Object.hasOwn(own, key) && own[key] !== value);
      return isOther ? [...words, '--overwrite'] : words;
    }
  return undefined;
}

/** Returns a Namespace as a candidate. */
export const namespaceOf = (name: string, namespaces: NamespaceLabels): Candidate => ({
  ...{ group: '', version: 'v1', resource: 'namespaces', kind: 'Namespace' },
  metadata: { name, labels: { ...namespaces.get(name) } },
});

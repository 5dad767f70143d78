import type { Kube } from '../../../src/lib/kube/client/client.ts';
import { groupOf } from '../../../src/lib/kube/client/objects.ts';

/** Kinds by apiVersion, each as `plural Kind`, with ` Cluster` if it has no namespaces. */
type Kinds = Record<string, readonly string[]>;

/**
 * The answers of a server with these kinds to discovery; it is an ITS as well.
 * @param stale versions whose own server does not answer
 */
export function discoveryOf(kinds: Kinds = {}, stale: readonly string[] = []): Kube['read'] {
  const itemsOf = (isCore: boolean) =>
    Object.entries(kinds)
      .filter(([apiVersion]) => (groupOf(apiVersion) === '') === isCore)
      .map(([apiVersion, words]) => ({
        metadata: { name: groupOf(apiVersion) },
        versions: [
          {
            version: apiVersion.split('/').at(-1),
            freshness: stale.includes(apiVersion) ? 'Stale' : 'Current',
            resources: words.map((word) => {
              const [resource, kind, scope = 'Namespaced'] = word.split(' ');
              return {
                resource,
                responseKind: { kind },
                scope,
                verbs: ['list', 'watch', 'delete'],
              };
            }),
          },
        ],
      }));
  const answers: Record<string, object> = {
    '/api': { items: itemsOf(true) },
    '/apis': { items: itemsOf(false) },
    '/apis/cluster.open-cluster-management.io/v1': { resources: [{ name: 'managedclusters' }] },
  };
  return (async (path: string) => answers[path]) as Kube['read'];
}

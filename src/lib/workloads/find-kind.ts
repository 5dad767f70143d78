import { StellarError } from '../core/errors.ts';
import { groupOf } from '../kube/client/objects.ts';
import { type DiscoveredKind, findKind } from '../kube/discovery.ts';

/** Returns the names of kinds by their plurals. */
export function kindNames(kinds: readonly DiscoveredKind[]) {
  const names = new Map(
    kinds.map(({ apiVersion, plural, kind }) => [`${groupOf(apiVersion)}/${plural}`, kind]),
  );
  return ({ group = '', resource }: { group?: string; resource: string }) =>
    names.get(`${group}/${resource}`);
}

/** @param kinds those that are sent to WECs @throws StellarError `usage` */
export function requireKind(text: string, kinds: readonly DiscoveredKind[]): DiscoveredKind {
  const kind = findKind(text, kinds);
  if (kind !== undefined) return kind;
  throw new StellarError('usage', `The WDS has no kind "${text}" that is sent to WECs.`);
}

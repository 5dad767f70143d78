import { StellarError } from '../core/errors.ts';
import { groupOf } from '../kube/client/objects.ts';
import type { DiscoveredKind } from '../kube/discovery.ts';

/** Finds a kind by its plural, singular or short name, or by its name, as kubectl does. `deployments.apps` includes the group. */
export function findKind(text: string, kinds: readonly DiscoveredKind[]): DiscoveredKind | undefined {
  const wanted = text.toLowerCase();
  // A server may leave the singular of a kind empty.
  if (wanted === '') return undefined;
  const namesOf = ({ plural, kind, aliases }: DiscoveredKind) => [plural, kind.toLowerCase(), ...aliases];
  return (
    kinds.find((kind) => namesOf(kind).includes(wanted)) ??
    kinds.find((kind) => namesOf(kind).some((name) => `${name}.${groupOf(kind.apiVersion)}` === wanted))
  );
}

/** Returns the names of kinds by their plurals. */
export function kindNames(kinds: readonly DiscoveredKind[]) {
  const names = new Map(kinds.map(({ apiVersion, plural, kind }) => [`${groupOf(apiVersion)}/${plural}`, kind]));
  return ({ group = '', resource }: { group?: string; resource: string }) => names.get(`${group}/${resource}`);
}

/** @param kinds those that are sent to WECs @throws StellarError `usage` */
export function requireKind(text: string, kinds: readonly DiscoveredKind[]): DiscoveredKind {
  const kind = findKind(text, kinds);
  if (kind !== undefined) return kind;
  throw new StellarError('usage', `The WDS has no kind "${text}" that is sent to WECs.`);
}

import type { Klusterlet } from '../objects.ts';

/**
 * The name that a cluster is registered under, where it is another than the WEC's. It is only what the cluster says of itself; a
 * Klusterlet without a name says nothing.
 */
export function otherName(klusterlet: Klusterlet | undefined, name: string): string | undefined {
  const registered = klusterlet?.spec?.clusterName;
  return registered === name ? undefined : registered || undefined;
}

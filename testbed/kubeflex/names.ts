export const vclusterSecret = 'vc-vcluster';
export const vclusterKey = 'config';

export const vclusterName = 'vcluster';
export const syncerPort = 8443;

/** The control plane of this namespace. */
export function controlPlaneOf(namespace: string): string | undefined {
  return /^(.+)-system$/.exec(namespace)?.[1];
}

import { readCertificateAuthority, readDockerConfig } from '../ocm/join-file.ts';
import type { ManagedCluster } from '../ocm/ocm-objects.ts';
import type { JoinOptions } from '../wecs/join-options.ts';
import type { FleetWec } from './fleet-file.ts';
import { fleetAnnotation } from './owned-values.ts';

/**
 * How a fleet joins a WEC. A cluster that the ITS knows keeps its labels until the fleet applies its own: a join refuses to change
 * them. @throws StellarError `usage` for a file that cannot be read
 */
export async function joinOptionsOf(
  fleet: string,
  wec: FleetWec,
  present: ManagedCluster | undefined,
): Promise<JoinOptions> {
  const { caFile, imagePullSecret, ...settings } = wec.join;
  return {
    ...settings,
    certificateAuthority: caFile === undefined ? undefined : await readCertificateAuthority(caFile),
    imagePullSecret: imagePullSecret === undefined ? undefined : await readDockerConfig(imagePullSecret),
    accept: true,
    labels: present === undefined ? wec.labels : {},
    annotations: { ...(present === undefined ? wec.annotations : {}), [fleetAnnotation]: fleet },
  };
}

import { StellarError } from '../../../engine/errors.ts';
import type { Kube } from '../../../kube/client/client.ts';
import type { Secret } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resources.ts';
import { postgresName, systemNamespace } from '../../../model/kubeflex-names.ts';
import { withoutPostgres } from '../../stages/space-stages.ts';

/** @throws StellarError `not-found` if there is no database for its data */
export async function requirePostgres(hosting: Kube): Promise<void> {
  const secret = await hosting.get<Secret>(resources.secrets, postgresName, { namespace: systemNamespace });
  if (secret !== undefined) return;
  throw new StellarError(
    'not-found',
    `${hosting.cluster.context} has no PostgreSQL (Secret ${systemNamespace}/${postgresName}), which control planes of type k8s keep their data in.`,
    { next: withoutPostgres },
  );
}

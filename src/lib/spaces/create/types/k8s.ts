import { StellarError } from '../../../engine/errors.ts';
import { inWords, run } from '../../../engine/next-step.ts';
import type { Kube } from '../../../kube/client/client.ts';
import type { Secret } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resources.ts';
import { postgresInstallation, postgresName, systemNamespace } from '../../names.ts';

/** @throws StellarError `not-found` where there is no database for its data */
export async function requirePostgres(hosting: Kube): Promise<void> {
  const secret = await hosting.get<Secret>(resources.secrets, postgresName, { namespace: systemNamespace });
  if (secret !== undefined) return;
  throw new StellarError(
    'not-found',
    `${hosting.cluster.context} has no PostgreSQL (Secret ${systemNamespace}/${postgresName}), which control planes of type k8s keep their data in.`,
    { next: [inWords('Do without it: --type host'), run(postgresInstallation, 'Or install it')] },
  );
}

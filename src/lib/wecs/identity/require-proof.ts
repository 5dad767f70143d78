import { StellarError } from '../../engine/errors.ts';
import type { NextStep } from '../../engine/next-step.ts';
import type { Kube } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import type { Identity } from './identity.ts';

/**
 * @param next where the cluster is another one
 * @param unproven where that cannot be said
 * @throws StellarError `registered-elsewhere`, `identity-unproven`
 */
export function requireProof(
  identity: Identity,
  wec: Kube,
  name: string,
  hub: Kube,
  next: NextStep[],
  unproven: NextStep[] = next,
): void {
  if (identity.state === 'proven') return;
  const cluster = describeCluster(wec.cluster);
  const its = hub.cluster.context;
  if (identity.state === 'other')
    throw new StellarError(
      'registered-elsewhere',
      `${cluster} is not the WEC ${name} of ${its}: ${identity.found}. Nothing was written.`,
      { next },
    );
  throw new StellarError(
    'identity-unproven',
    `It cannot be proven that ${cluster} is the WEC ${name} of ${its}: ${identity.found}. Nothing was written.`,
    { next: unproven },
  );
}

import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { outline } from '../../engine/next-step.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import type { Endpoint } from '../hub/endpoint.ts';
import { otherRole } from '../identity/other-role.ts';
import type { JoiningWec } from './options.ts';

/**
 * A cluster without a Klusterlet is joined, unless it evidently is something else: a hub, a hosting cluster, or registered with another
 * hub by a Klusterlet that is elsewhere.
 * @param endpoints the addresses by which the ITS is known
 * @throws StellarError `registered-elsewhere`
 */
export async function refuseOtherRole({ name, kube }: JoiningWec, endpoints: readonly Endpoint[]): Promise<void> {
  const found = await otherRole(
    kube,
    endpoints.map(({ server }) => server),
  );
  if (found === undefined) return;
  throw new StellarError(
    'registered-elsewhere',
    `${describeCluster(kube.cluster)} is not a cluster to register: ${found}. ${name} was not joined.`,
    { next: [outline(command`stellarctl wec join ${`${name}=CONTEXT`}`, `Give the context of ${name}`)] },
  );
}

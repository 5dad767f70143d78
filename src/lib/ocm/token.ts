import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { run } from '../core/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import { describeCluster } from '../kube/client/errors.ts';
import { requestToken } from '../kube/service-accounts.ts';
import { bootstrapServiceAccounts, operatorNamespace } from './ocm-names.ts';

export interface BootstrapToken {
  token: string;
  expires: Date;
}

/** The API server refuses shorter ones (TokenRequest, spec.expirationSeconds). */
export const shortestTokenSeconds = 600;
const defaultTokenSeconds = 3600;

/**
 * Requests from the ITS a token of its bootstrap service account, with which an agent registers. A hub older than OCM 0.11 has that
 * account under another name. A dry run requests nothing and the token is a placeholder.
 * @throws StellarError `not-found` if the ITS has no such account
 */
export async function requestBootstrapToken(
  kube: Kube,
  seconds = defaultTokenSeconds,
  accounts: readonly string[] = bootstrapServiceAccounts,
): Promise<BootstrapToken> {
  for (const serviceAccount of accounts) {
    const answer = await requestToken(kube, { namespace: operatorNamespace, name: serviceAccount }, seconds);
    if (answer === undefined) continue;
    const { token = '(token)', expirationTimestamp = Date.now() + seconds * 1000 } = answer;
    return { token, expires: new Date(expirationTimestamp) };
  }
  throw new StellarError(
    'not-found',
    `${describeCluster(kube.cluster)} has no bootstrap service account: neither ${accounts.join(' nor ')} in namespace ${operatorNamespace}.`,
    {
      next: [
        run(
          command`kubectl --context ${kube.cluster.context} -n ${operatorNamespace} get serviceaccounts,pods`,
          'Is OCM still being installed?',
        ),
      ],
    },
  );
}

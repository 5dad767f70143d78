import { OpenIDConnectAuth } from '@kubernetes/client-node/dist/oidc_auth.js';
import { command } from '../../core/command-line.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, run } from '../../core/next-step.ts';
import type { SelectedContext } from '../kubeconfig/kubeconfig.ts';
import type { Issued } from './credentials.ts';

/** How long before it expires client-go renews a token. */
const marginMs = 10_000;

/**
 * The ID token of an OpenID provider as it is in the kubeconfig (client-go, plugin/pkg/client/auth/oidc). kubectl renews it there.
 * @throws StellarError `kubeconfig-invalid` for other auth providers, `credentials-failed` if it has expired
 */
export async function issuedByProvider({ name: context, user }: SelectedContext): Promise<Issued> {
  const { name = '', config } = user['auth-provider'] ?? {};
  const dropped = `Context ${context} has a user with the auth provider "${name}", which kubectl no longer supports.`;
  const instead = advice('Use an exec plugin: the field "exec" of the user');
  if (name !== 'oidc') throw new StellarError('kubeconfig-invalid', dropped, { next: [instead] });
  const token = config?.['id-token'] ?? '';
  const end = OpenIDConnectAuth.expirationFromToken(token) * 1000 - marginMs;
  if (end > Date.now()) return { token, expirationTimestamp: new Date(end).toISOString() };
  throw new StellarError('credentials-failed', `The ID token of context ${context} has expired.`, {
    next: [run(command`kubectl --context ${context} version`, 'Let kubectl renew it, then rerun the command')],
  });
}

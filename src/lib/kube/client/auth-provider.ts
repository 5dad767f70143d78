import { KubeConfig } from '@kubernetes/client-node';
import type { UserEntry } from '../kubeconfig/kubeconfig.ts';
import { trustMachine } from './authorities.ts';

/** An auth provider of a kubeconfig (OIDC, or a cloud's, from before exec plugins). client-node calls it. */
export class AuthProvider {
  readonly #config = new KubeConfig();

  constructor(provider: NonNullable<UserEntry['auth-provider']>) {
    this.#config.loadFromClusterAndUser(
      // No request goes there: client-node creates an agent for it, which is not used.
      { name: 'none', server: 'https://none.invalid', skipTLSVerify: false },
      { name: 'provided', authProvider: structuredClone(provider) },
    );
  }

  /** The token that the provider has issued, renewed if it has expired. @throws client-node's errors */
  async token(): Promise<string | undefined> {
    trustMachine();
    const options = { headers: {} as Record<string, string> };
    await this.#config.applyToHTTPSOptions(options);
    return options.headers.Authorization?.replace(/^Bearer /, '');
  }
}

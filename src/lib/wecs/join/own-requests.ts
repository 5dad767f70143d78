import { tokenId } from '../hub/token.ts';
import { readHubKubeconfig } from '../klusterlet/agent.ts';
import type { RegistrationRequest } from '../registration/requests.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';

/** Where kube-apiserver notes by which credential a request came, as `JTI=<id of a token>` (KEP-4193, on since Kubernetes 1.30). */
const credentialKey = 'authentication.kubernetes.io/credential-id';

/** The id of the token that a request was sent with; undefined where the ITS does not note it. */
const tokenOf = ({ csr }: RegistrationRequest): string | undefined =>
  csr.spec.extra?.[credentialKey]?.find((id) => id.startsWith('JTI='))?.slice('JTI='.length);

/**
 * Tells the requests of a WEC's agent from those of others: by its id, where that is known, else by the token that they were sent with,
 * which is in the bootstrap secret of that WEC. An agent ends when its bootstrap secret changes, and its keys with it.
 */
export class OwnRequests {
  /** The id of the WEC's agent, where it is known by now. */
  agent: string | undefined;
  /** Whether it was known beforehand. */
  readonly #isKnown: boolean;
  #token: string | undefined;

  /** @param agent the id of the WEC's agent, where it is known beforehand */
  constructor(agent: string | undefined, wec: Pick<WecEvidence, 'bootstrapSecret'>) {
    this.agent = agent;
    this.#isKnown = agent !== undefined;
    this.see(wec, []);
  }

  /** Notes what the WEC's bootstrap secret is now, and with that its agent's id. */
  see({ bootstrapSecret }: Pick<WecEvidence, 'bootstrapSecret'>, requests: readonly RegistrationRequest[]): void {
    this.#token = tokenId(readHubKubeconfig(bootstrapSecret)?.token ?? '');
    if (!this.#isKnown) this.agent = requests.findLast((request) => this.isProven(request))?.agent;
  }

  /** Where neither tells, it may be. */
  maybe(request: RegistrationRequest): boolean {
    if (this.#isKnown) return request.agent === this.agent;
    const token = tokenOf(request);
    return token === undefined || this.#token === undefined || token === this.#token;
  }

  isProven(request: RegistrationRequest): boolean {
    if (this.#isKnown) return request.agent === this.agent;
    return this.#token !== undefined && tokenOf(request) === this.#token;
  }
}

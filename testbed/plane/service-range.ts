import type { Server } from 'node:net';
import { listen } from './ports.ts';

/** No Service gets the last address of a range, and nothing else of the bed listens on this port. */
const claimPort = 65_099;

/**
 * A range of Service addresses inside loopback, 127.99.N.0/24, that no other plane on this machine has: the API server
 * then reaches webhooks by their Service's address without kube-proxy. Claimed for as long as this process lives.
 */
export class ServiceRange {
  /** N, from 1 to 253. */
  readonly number: number;
  readonly #claim: Server;

  private constructor(n: number, claim: Server) {
    this.number = n;
    this.#claim = claim;
    claim.unref();
  }

  static async claim(): Promise<ServiceRange> {
    const offset = Math.floor(Math.random() * 253);
    for (let i = 0; i < 253; i++) {
      const n = ((offset + i) % 253) + 1;
      const claim = await listen(`127.99.${n}.255`, claimPort).catch((error: Error) => {
        throw new Error(`the bed needs every address of 127.0.0.0/8 to be local, as it is on Linux (${error.message})`);
      });
      if (claim) return new ServiceRange(n, claim);
    }
    throw new Error('all 253 service ranges of this machine are in use by other beds');
  }

  get cidr(): string {
    return `127.99.${this.number}.0/24`;
  }

  release(): void {
    this.#claim.close();
  }
}

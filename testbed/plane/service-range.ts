import type { Server } from 'node:net';
import { listen } from './ports.ts';

/** Nothing else of the bed listens on this port. */
const claimPort = 65_099;

/**
 * The number of a plane, from which its addresses follow (kubelet/addresses.ts), and which no other plane on this machine has. Claimed
 * for as long as this process lives, by a port of 127.99.N.255.
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
        throw new Error(
          `the bed needs every address of 127.0.0.0/8 to be local, as it is on Linux (${error.message})`,
        );
      });
      if (claim) return new ServiceRange(n, claim);
    }
    throw new Error('all 253 service ranges of this machine are in use by other beds');
  }

  release(): void {
    this.#claim.close();
  }
}

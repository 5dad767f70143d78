import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { microNow } from '../kube/conditions.ts';
import type { Lease } from '../kube/objects.ts';
import { leases } from '../kube/resources.ts';
import { Exit, type PodContext, type Program } from '../pod-runner/program.ts';

/** From library-go's controllercmd, the base of all controllers of Open Cluster Management. */
const leaseDurationSeconds = 137;
const retryPeriod = 26_000;

/** An API server that does not answer, or is not ready yet, is retried sooner than by the real programs. */
const errorPause = 1_000;

/** Ends the whole process at once, without releasing its Lease. */
export class Fatal extends Exit {
  constructor(message: string, code = 255) {
    super(message, code);
  }
}

/** The identity of a container, by pod and component, until it releases its Lease or ends at once: a thawed process keeps it. */
const identities = new Map<string, string>();

/**
 * A program that holds the Lease `<component>-lock` of its namespace while it runs, and releases it when it ends. It does not start
 * before it has the Lease: one that its holder did not release is waited for until it has not changed for 137 s, and in most cases
 * longer, as it is checked only every 26 to 57 s. A pod is ready meanwhile.
 */
export function leading(component: string, program: Program): Program {
  return async (context) => {
    const lock = new Lock(context, component);
    if (!(await lock.acquire())) return;
    const ended = new AbortController();
    const kept = lock.keep(AbortSignal.any([context.signal, ended.signal]));
    let isFatal = false;
    try {
      await program(context);
    } catch (error) {
      isFatal = error instanceof Fatal;
      throw error;
    } finally {
      ended.abort();
      await kept;
      if (isFatal) lock.forget();
      else await lock.release();
    }
  };
}

class Lock {
  readonly #context: PodContext;
  readonly #name: string;
  readonly #owner: string;
  readonly #identity: string;

  constructor(context: PodContext, component: string) {
    const { name, uid } = context.pod.metadata;
    this.#context = context;
    this.#name = `${component}-lock`;
    this.#owner = `${uid}/${component}`;
    this.#identity = identities.get(this.#owner) ?? `${name}_${randomUUID()}`;
    identities.set(this.#owner, this.#identity);
  }

  /** @returns whether it is held; if not, the program was stopped. */
  async acquire(): Promise<boolean> {
    const { signal, log, setReady } = this.#context;
    let seen = { record: '', since: Date.now() };
    while (!signal.aborted) {
      try {
        const present = await this.#find();
        const record = JSON.stringify(present?.spec);
        if (record !== seen.record) seen = { record, since: Date.now() };
        if (!present?.spec.holderIdentity || this.#isMine(present) || isExpired(present, seen.since)) {
          await this.#take(present);
          return true;
        }
        log(`lock is held by ${present.spec.holderIdentity} and has not yet expired`);
        setReady(true);
        await pause(retryPeriod * (1 + Math.random() * 1.2), signal);
      } catch (error) {
        this.#logFailure(error);
        await pause(errorPause, signal);
      }
    }
    return false;
  }

  /** Renews it until the signal. */
  async keep(signal: AbortSignal): Promise<void> {
    for (await pause(retryPeriod, signal); !signal.aborted; await pause(retryPeriod, signal)) {
      try {
        const present = await this.#find();
        if (present && this.#isMine(present)) await this.#write(present, {});
      } catch (error) {
        this.#logFailure(error);
      }
    }
  }

  async release(): Promise<void> {
    try {
      const present = await this.#find();
      if (present && this.#isMine(present)) await this.#write(present, { holderIdentity: '', leaseDurationSeconds: 1 });
      this.forget();
    } catch {
      // A dead or crashing process releases nothing.
    }
  }

  /** The next process of the pod is another one. */
  forget(): void {
    identities.delete(this.#owner);
  }

  get #namespace(): string {
    return this.#context.pod.metadata.namespace ?? '';
  }

  #find(): Promise<Lease | undefined> {
    return this.#context.api.find<Lease>(leases, `${this.#namespace}/${this.#name}`);
  }

  #isMine({ spec }: Lease): boolean {
    return spec.holderIdentity === this.#identity;
  }

  async #take(present: Lease | undefined): Promise<void> {
    const { api, now } = this.#context;
    if (present && this.#isMine(present)) return this.#write(present, {});
    const acquireTime = microNow(now());
    const spec = { holderIdentity: this.#identity, leaseDurationSeconds, acquireTime };
    if (present) return this.#write(present, { ...spec, leaseTransitions: (present.spec.leaseTransitions ?? 0) + 1 });
    const metadata = { name: this.#name, namespace: this.#namespace };
    await api.create<Lease>(leases, { metadata, spec: { ...spec, renewTime: acquireTime, leaseTransitions: 0 } });
  }

  async #write(present: Lease, change: Lease['spec']): Promise<void> {
    const { api, now } = this.#context;
    await api.update<Lease>(leases, { ...present, spec: { ...present.spec, ...change, renewTime: microNow(now()) } });
  }

  #logFailure(error: unknown): void {
    this.#context.log(`error retrieving or updating resource lock ${this.#name}: ${(error as Error).message}`);
  }
}

function isExpired({ spec }: Lease, since: number): boolean {
  return Date.now() - since > (spec.leaseDurationSeconds ?? 0) * 1000;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}

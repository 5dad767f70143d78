import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Log } from '../plane/build.ts';
import { buildPrograms } from '../programs/build.ts';
import { poolVariable, returned } from './borrow.ts';
import { Pooled } from './pooled.ts';

/**
 * Servers for the planes of many processes, such as the files of a test run. To start them takes most of the processor time of such
 * a run, so they are used again when their borrower has ended. Idle ones are frozen.
 */
export class Pool {
  readonly #dir: string;
  readonly #log: Log;
  readonly #listener: Server;
  readonly #all = new Set<Pooled>();
  readonly #idle: Pooled[] = [];
  readonly #waiting: ((pooled: Pooled | undefined) => void)[] = [];
  #resetting = 0;
  #started = 0;
  #lent = 0;

  private constructor(dir: string, log: Log) {
    this.#dir = dir;
    this.#log = log;
    this.#listener = createServer((borrower) => void this.#lendTo(borrower));
  }

  /** Starts a pool for the processes that this process starts from now on. */
  static async start(log: Log): Promise<Pool> {
    const pool = new Pool(await mkdtemp(join(tmpdir(), 'stellarctl-pool-')), log);
    const path = join(pool.#dir, 'socket');
    await new Promise<void>((resolve) => pool.#listener.listen(path, resolve));
    process.env[poolVariable] = path;
    return pool;
  }

  /** How many servers were started, and how many were lent. */
  get counts(): { started: number; lent: number } {
    return { started: this.#started, lent: this.#lent };
  }

  async stop(): Promise<void> {
    delete process.env[poolVariable];
    this.#listener.close();
    await Promise.all([...this.#all].map(({ servers }) => servers.destroy()));
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 10 });
  }

  async #lendTo(borrower: Socket): Promise<void> {
    borrower.on('error', () => {});
    const lines = createInterface(borrower);
    try {
      let isReturned = false;
      lines.on('line', (line) => {
        isReturned = line === returned;
      });
      const pooled = await this.#take();
      this.#lent += 1;
      const takeBack = () => void this.#takeBack(pooled, isReturned);
      if (borrower.closed) return takeBack();
      borrower.once('close', takeBack);
      pooled.servers.freeze(false);
      borrower.write(`${JSON.stringify(pooled.servers.lent)}\n`);
    } catch (error) {
      borrower.end(`${JSON.stringify({ error: (error as Error).message })}\n`);
    }
  }

  /** Idle servers, else the next that come back and that nobody waits for, else new ones. */
  async #take(): Promise<Pooled> {
    const back = () => new Promise<Pooled | undefined>((resolve) => this.#waiting.push(resolve));
    const present =
      this.#idle.pop() ?? (this.#resetting > this.#waiting.length ? await back() : undefined);
    if (present !== undefined) return present;
    this.#started += 1;
    const dir = join(this.#dir, String(this.#started));
    const pooled = await Pooled.start(dir, join(await buildPrograms(this.#log), 'control-plane'));
    this.#all.add(pooled);
    return pooled;
  }

  async #takeBack(pooled: Pooled, isReturned: boolean): Promise<void> {
    this.#resetting += 1;
    let usable: Pooled | undefined;
    try {
      if (isReturned && pooled.isWhole) {
        await pooled.reset();
        usable = pooled;
      }
    } catch (error) {
      if (this.#listener.listening)
        this.#log(`servers are not lent again: ${(error as Error).message}`);
    }
    this.#resetting -= 1;
    if (usable === undefined) await this.#end(pooled);
    const next = this.#waiting.shift();
    if (next !== undefined) next(usable);
    else if (usable !== undefined) {
      usable.servers.freeze(true);
      this.#idle.push(usable);
    }
  }

  async #end(pooled: Pooled): Promise<void> {
    this.#all.delete(pooled);
    await pooled.servers.destroy();
    await rm(pooled.servers.dir, { recursive: true, force: true, maxRetries: 10 });
  }
}

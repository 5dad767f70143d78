import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import {
  Api,
  type AuditEvent,
  type Bed,
  type Entry,
  isRead,
  type Plane,
  type StubLoad,
  StubWecs,
  startBed,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { Cli, type CliRun } from './harness.ts';
import { Network } from './network.ts';

/** The cost of one command. */
export interface Cost {
  run: CliRun;
  seconds: number;
  /** Processor time in seconds, and peak memory in MiB. */
  processor: number;
  memory: number;
  /** Requests to the hub: writes, and all others (reads, reviews, dry runs). */
  writes: AuditEvent[];
  others: AuditEvent[];
  /** From and to the hub, TLS included. */
  bytes: number;
  connections: number;
  wecs: StubLoad;
}

/** The latency between clusters of one region. */
const latency = 10;

const longest = 1_800_000;

/** A hub that reports every request, and many stub WECs. */
export class ManyWecs {
  readonly names: readonly string[];
  readonly hub: Plane;
  readonly cli: Cli;
  readonly #bed: Bed;
  readonly #network: Network;
  readonly #stubs: StubWecs;

  private constructor(
    names: readonly string[],
    bed: Bed,
    cli: Cli,
    network: Network,
    stubs: StubWecs,
  ) {
    this.names = names;
    this.hub = bed.plane('its1');
    this.#bed = bed;
    this.cli = cli;
    this.#network = network;
    this.#stubs = stubs;
  }

  static async start(count: number): Promise<ManyWecs> {
    const names = Array.from({ length: count }, (_, index) => `wec${index + 1}`);
    const bed = await startBed({ planes: [{ name: 'its1', hub: true }] });
    try {
      const hub = bed.plane('its1');
      const stubs = await StubWecs.start(hub, { names, latency });
      const network = await Network.start(hub);
      const cli = await Cli.create(await writeKubeconfig(hub, [network.entry, ...stubs.entries]));
      return new ManyWecs(names, bed, cli, network, stubs);
    } catch (error) {
      await bed.stop();
      throw error;
    }
  }

  /** The API of a stub. */
  apiOf(name: string): Api {
    const { connection } = this.#stubs.entries.find(({ context }) => context === name) as Entry;
    return new Api(connection);
  }

  /** Runs a command and measures its cost. */
  async measure(...line: string[]): Promise<Cost> {
    await this.hub.markAudit();
    this.#network.take();
    this.#stubs.takeLoad();
    const started = performance.now();
    const process = new WatchedProcess();
    const run = await this.cli.run(line, { longest, onStart: (_kill, pid) => process.watch(pid) });
    const seconds = (performance.now() - started) / 1000;
    const requests = await this.hub.auditRequests();
    return {
      run,
      seconds,
      ...process.stop(),
      writes: requests.filter(isWrite),
      others: requests.filter((event) => !isWrite(event)),
      ...this.#network.take(),
      wecs: this.#stubs.takeLoad(),
    };
  }

  async stop(): Promise<void> {
    this.#network.stop();
    this.#stubs.stop();
    await this.cli.remove();
    await this.#bed.stop();
  }
}

const isWrite = (event: AuditEvent) =>
  !isRead(event) && !/dryRun=All|\/selfsubject/.test(event.requestURI);

/** What Linux reports about a running process (proc(5): status, stat). */
class WatchedProcess {
  #timer: NodeJS.Timeout | undefined;
  #memory = 0;
  #processor = 0;

  watch(pid: number | undefined): void {
    const look = async () => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const [, peak = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(await read('status')) ?? [];
      // After the name in parentheses: fields 14 and 15 are its time, in hundredths of a second.
      const [user = '0', system = '0'] =
        (await read('stat')).split(') ')[1]?.split(' ').slice(11, 13) ?? [];
      this.#memory = Math.max(this.#memory, Math.round(Number(peak) / 1024));
      this.#processor = Math.max(this.#processor, (Number(user) + Number(system)) / 100);
    };
    this.#timer = setInterval(look, 100);
  }

  stop(): Pick<Cost, 'memory' | 'processor'> {
    clearInterval(this.#timer);
    return { memory: this.#memory, processor: this.#processor };
  }
}

/** Requests by what they do, the most frequent first: `list managedclusters 12`. */
export function byKind(events: readonly AuditEvent[]): string[] {
  const counts = new Map<string, number>();
  for (const { verb, objectRef, requestURI } of events) {
    const { resource = requestURI.split('?')[0], subresource } = objectRef ?? {};
    const what = `${verb} ${resource}${subresource ? `/${subresource}` : ''}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([what, count]) => `${what} ${count}`);
}

/**
 * Limits of hub reads: per second, and concurrent. Before a mailbox is deleted, each kind in it is listed. Of memory, in MiB.
 */
export const most = { aSecond: 20, atOnce: 10, ofMailbox: 50, ofWecsAtOnce: 32, memory: 400 };

/** It ended within the limits of the hub, the WECs and this machine. */
export function assertModest(
  { run, seconds, memory, others, wecs }: Cost,
  more = 0,
  exitCode = 0,
): void {
  assert.equal(run.exitCode, exitCode, run.stderr);
  const allowed = most.atOnce + most.aSecond * seconds + more;
  assert.ok(
    others.length <= allowed,
    `${others.length} in ${seconds.toFixed(1)} s: ${byKind(others).join(', ')}`,
  );
  assert.ok(wecs.atOnce <= most.ofWecsAtOnce, `${wecs.atOnce} requests to WECs at once`);
  assert.ok(memory <= most.memory, `${memory} MiB`);
}

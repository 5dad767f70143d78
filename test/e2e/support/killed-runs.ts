import assert from 'node:assert/strict';
import { type Plane, writeKubeconfig } from '../../../testbed/index.ts';
import type { Cli, CliRun } from './harness.ts';
import { isRelease } from './in-release.ts';
import { WriteProxy } from './write-proxy.ts';

type Kill = (signal: NodeJS.Signals) => void;

/** Contexts whose writes a test sees, each once its plane has answered it. */
export interface WatchedWrites {
  kubeconfig: string;
  /** Calls this after each write, and no longer what it called before. */
  listen(onWrite: (write: string) => void): void;
  stop(): void;
}

/** @param planes whose writes are seen @param others planes that the kubeconfig has a context of as well */
export async function watchWrites(
  planes: readonly Plane[],
  ...others: readonly Plane[]
): Promise<WatchedWrites> {
  let onWrite: (write: string) => void = () => {};
  const proxies = await Promise.all(
    planes.map((plane) => WriteProxy.start(plane, (write) => onWrite(write))),
  );
  const [first = assert.fail()] = planes;
  const entries = [
    ...proxies.map(({ entry }) => entry),
    ...others.map(({ kubeconfigEntry }) => kubeconfigEntry),
  ];
  return {
    kubeconfig: await writeKubeconfig(first, entries),
    listen(listener) {
      onWrite = listener;
    },
    stop() {
      for (const proxy of proxies) proxy.stop();
    },
  };
}

/** A run that is killed after writes that the listener chooses. */
async function runKilledBy(
  cli: Cli,
  words: readonly string[],
  { kubeconfig, listen }: WatchedWrites,
  isFatal: (write: string) => boolean,
): Promise<{ run: CliRun; isKilled: boolean }> {
  let kill: Kill | undefined;
  let isKilled = false;
  listen((write) => {
    if (isKilled || !isFatal(write)) return;
    isKilled = true;
    kill?.('SIGKILL');
  });
  const onStart = (killer: Kill) => {
    kill = killer;
  };
  const run = await cli.run(words, { kubeconfig, onStart, longest: 900_000 });
  listen(() => {});
  assert.equal(run.signal, isKilled ? 'SIGKILL' : undefined, run.stderr);
  return { run, isKilled };
}

interface Killing {
  /** Whether a run that was not killed may fail so. */
  isExpected?: RegExp;
  /** In CI, runs are killed after the first write, and then after every so-manieth; by default after each. */
  inCi?: number;
  /** Writes that are alike have one name. */
  named?: (write: string) => string;
}

/**
 * Reruns a command that is killed as soon as a cluster has answered a write after which no run was killed yet, until one ends.
 * @returns the writes, as `PATCH deployments/web`, how many runs were killed, and the last one
 */
export async function runKilled(
  cli: Cli,
  line: string,
  watched: WatchedWrites,
  { isExpected = /(?!)/, inCi = 1, named = (write) => write }: Killing = {},
): Promise<{ writes: string[]; killed: number; last: CliRun }> {
  const every = isRelease ? 1 : inCi;
  const writes = new Set<string>();
  for (let killed = 0; ; ) {
    const { run, isKilled } = await runKilledBy(cli, line.split(' '), watched, (write) => {
      const name = named(write.replace(/\?.*/, ''));
      if (writes.has(name)) return false;
      return writes.add(name).size % every === 1 % every;
    });
    if (isKilled) killed += 1;
    else if (run.exitCode !== 0) assert.match(run.stderr, isExpected);
    else {
      const kinds = [...writes].map((write) =>
        write.replace(/^(\w+) .*\/([a-z]+\/[^/]+)$/, '$1 $2'),
      );
      return { writes: kinds, killed, last: run };
    }
  }
}

/** Runs a command that is killed as soon as a plane has answered such a write. @param others planes that it needs as well */
export async function runKilledAfter(
  write: RegExp,
  cli: Cli,
  words: readonly string[],
  plane: Plane,
  ...others: readonly Plane[]
): Promise<void> {
  const watched = await watchWrites([plane], ...others);
  try {
    const { isKilled } = await runKilledBy(cli, words, watched, (each) => write.test(each));
    assert.ok(isKilled, `no ${write}`);
  } finally {
    watched.stop();
  }
}

import assert from 'node:assert/strict';
import type { CliRun } from './harness.ts';
import type { SpaceCli } from './spaces.ts';

/** Tells proxies whom to call after each write. */
export type Listen = (onWrite: (write: string) => void) => void;

/**
 * Reruns a command that is killed as soon as a cluster has answered a write after which no run was killed yet, until one ends.
 * @param isExpected whether a run that was not killed may fail so
 * @param most how many runs are killed
 * @returns the writes, as `PATCH deployments/web`
 */
export async function runKilled(
  cli: SpaceCli,
  line: string,
  {
    kubeconfig,
    listen,
    isExpected,
    most = Number.POSITIVE_INFINITY,
  }: { kubeconfig: string; listen: Listen; isExpected?: RegExp; most?: number },
): Promise<{ writes: string[]; last: CliRun }> {
  const writes = new Set<string>();
  for (;;) {
    let kill: ((signal: NodeJS.Signals) => void) | undefined;
    let isKilled = false;
    listen((write) => {
      const path = write.replace(/\?.*/, '');
      if (isKilled || writes.size === most || writes.has(path)) return;
      writes.add(path);
      isKilled = true;
      kill?.('SIGKILL');
    });
    const onStart = (killer: typeof kill) => {
      kill = killer;
    };
    const run = await cli.run(line.split(' '), { kubeconfig, onStart, longest: 900_000 });
    listen(() => {});
    if (isKilled) assert.equal(run.signal, 'SIGKILL');
    else if (run.exitCode === 0)
      return {
        writes: [...writes].map((write) => write.replace(/^(\w+) .*\/([a-z]+\/[^/]+)$/, '$1 $2')),
        last: run,
      };
    else assert.match(run.stderr, isExpected ?? /(?!)/);
  }
}

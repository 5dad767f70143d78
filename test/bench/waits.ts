import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { sendFrom, startHosting } from '../e2e/support/spaces.ts';
import { bootFile } from '../stellarctl.ts';
import { atMost } from './goals.ts';

/** Verbs that wait for others, in this order, and how much of their time may be their own, in percent. */
const verbs: readonly [line: string, goal: number][] = [
  ['its create its1', 35],
  ['wds create wds1 --type host', 15],
  ['wec join cluster1 --its its1 --accept --label location-group=edge', 45],
  ['wds restart wds1', 10],
  ['wds restart wds1 --recreate', 10],
  ['wds create wds2', 15],
  ['wds guard wds2 --hosting-context hosting --yes', 15],
  ['wec deregister cluster1 --its its1 --yes', 20],
  ['wds delete wds2 --hosting-context hosting --yes', 10],
  ['wds delete wds1 --hosting-context hosting --yes', 10],
  ['its delete its1 --hosting-context hosting --yes', 10],
];

/** From this pause between requests on, a command sleeps until its next reading, because others are not done. */
const pauseMs = 300;

/** What of the time of verbs is their own (the start, requests, what lies between them), and what they wait for the real programs. */
export async function benchWaits(): Promise<void> {
  const { bed, hosting, stop } = await startHosting([{ name: 'cluster1' }]);
  const env = { ...process.env, KUBECONFIG: bed.kubeconfig };
  try {
    for (const [line, goal] of verbs) {
      const { total, waits, requests } = await profile(line, env);
      const own = ((total - waits) / total) * 100;
      const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`.padStart(7);
      console.log(
        `${line.padEnd(68)} ${seconds(total)}   own ${seconds(total - waits)} (${own.toFixed(0)} %)   ${requests} requests`,
      );
      atMost(`own time of ${line}`, own, goal, '%');
      if (line.startsWith('wec join'))
        await sendFrom(hosting.admin, bed.plane('cluster1'), {
          policy: 'shop',
          matchLabels: { 'location-group': 'edge' },
          hasPods: false,
        });
    }
  } finally {
    await stop();
  }
}

/** Runs a command and times its requests, which -v prints as they end, with their milliseconds. */
async function profile(line: string, env: NodeJS.ProcessEnv) {
  const started = performance.now();
  const child = spawn(process.execPath, [bootFile, ...line.split(' '), '-v'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  const requests: { from: number; to: number }[] = [];
  const others: string[] = [];
  for await (const text of createInterface({ input: child.stderr })) {
    const to = performance.now();
    const took = /^(?:GET|POST|PUT|PATCH|DELETE) .* (\d+)ms$/.exec(text)?.[1];
    if (took === undefined) others.push(text);
    else requests.push({ from: to - Number(took), to });
  }
  if ((await closed) !== 0) throw new Error(`${line} has failed: ${others.join('\n')}`);
  let [waits, last] = [0, started];
  for (const { from, to } of requests.toSorted((a, b) => a.from - b.from)) {
    if (from - last >= pauseMs) waits += from - last;
    last = Math.max(last, to);
  }
  return { total: performance.now() - started, waits, requests: requests.length };
}

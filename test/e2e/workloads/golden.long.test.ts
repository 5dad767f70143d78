/** Output and writes in the life of workloads on one WDS, in the order of the files. */
import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { LogLine } from '../../../src/lib/workloads/logs.ts';
import { resources, until } from '../../../testbed/index.ts';
import { knownVersion } from '../support/golden/known-version.ts';
import { Player } from '../support/golden/player.ts';
import { replayAll } from '../support/golden/replay-all.ts';
import { kubeconfigsOf, workloadActs } from '../support/golden/workload-acts.ts';
import type { CliOptions } from '../support/harness.ts';
import { deletePods } from '../support/registration.ts';
import { startWds, type WdsBed } from '../support/wds-bed.ts';

const policy = `
apiVersion: control.kubestellar.io/v1alpha1
kind: BindingPolicy
metadata:
  name: outside
spec:
  clusterSelectors:
    - matchLabels: { tier: web }
  downsync:
    - resources: [configmaps]
      objectSelectors:
        - matchLabels: { app: shop }
`;

let all: WdsBed;
let player: Player;

before(async () => {
  all = await startWds(['w1', 'w2'], { hasAddon: true });
  const { bed, cli, controllers } = all;
  const kubeconfig = path.join(cli.home, 'kubeconfig');
  for (const [name, file] of Object.entries(await kubeconfigsOf(bed)))
    await cp(file, path.join(cli.home, name));
  await writeFile(path.join(cli.home, 'policy.yaml'), policy);
  await writeFile(path.join(cli.home, 'narrow.yaml'), policy.replace('tier: web', 'tier: db'));
  const acts = workloadActs(bed, cli, {
    stopTransport: async () => controllers.stopTransport(),
    startTransport: async () => controllers.startTransport(),
  });
  player = new Player({
    bed,
    cli,
    kubeconfig,
    acts,
    env: { PATH: '/usr/bin:/bin' },
    known: knownVersion,
  });
});

after(() => all?.stop());

replayAll('workloads', 'for the life of workloads', () => player);

/** A shell that writes a line, and another one every second. */
const speaker = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'talk', namespace: 'talk', labels: { app: 'talk' } },
  spec: {
    replicas: 1,
    selector: { matchLabels: { run: 'talk' } },
    template: {
      metadata: { labels: { run: 'talk' } },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'busybox',
            command: ['sh', '-c', 'i=0; while echo line $i; do i=$((i+1)); sleep 1; done'],
          },
        ],
      },
    },
  },
};

describe('workload logs', { concurrency: 1 }, () => {
  const logs = ['workload', 'logs', 'deploy/talk', '-n', 'talk', '--wds', 'wds1', '--its', 'its1'];
  const run = (words: string[], options: CliOptions = {}) =>
    all.cli.run([...logs, ...words], options);

  before(async () => {
    const { admin } = all.wds1;
    await admin.create(resources.namespaces, {
      metadata: { name: 'talk', labels: { app: 'talk' } },
    });
    await admin.create(resources.deployments, speaker);
    await all.cli.type('policy create talk --clusters tier=web -l app=talk --wds wds1 --its its1');
    const says = (text: string) => ['w1', 'w2'].every((wec) => text.includes(`[${wec}] line 2\n`));
    await until(async () => says((await run(['--tail', '1000'])).stdout), 'logs of both');
  });

  it('shows each WEC for itself, its lines in the order of their times', async () => {
    const { stdout, stderr, exitCode } = await run(['--tail', '3', '-o', 'json']);
    assert.equal(exitCode, 0, stderr);
    const lines = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as LogLine);
    const runs = [lines.slice(0, 3), lines.slice(3)];
    assert.deepEqual(runs.map((of) => of.map(({ wec }) => wec).join()).toSorted(), [
      'w1,w1,w1',
      'w2,w2,w2',
    ]);
    for (const times of runs.map((of) => of.map(({ time }) => time)))
      assert.deepEqual(times, times.toSorted());
  });

  it('names where they come from, reads what is asked for, and reports a WEC that it cannot read', async () => {
    const first = await run(['--wec', 'w1', '--wec', 'nosuch', '--since', '1h', '--prefix']);
    assert.match(first.stdout, /^\[w1\/talk-\S+\/main\] line 0\n\[w1\/talk-\S+\/main\] line 1\n/);
    assert.match(first.stderr, /✗ No context leads to nosuch\.\n {2}Name it: --wec nosuch=CONTEXT/);
    assert.equal(first.exitCode, 2);
    const swapped = await run(['--wec', 'w1=w2']);
    assert.match(swapped.stderr, /w2 \(.*\) is not proven to be w1 of its1\./);
    assert.doesNotMatch(swapped.stderr, /wec join/);
    assert.deepEqual([swapped.stdout, swapped.exitCode], ['', 1]);
    const other = await run(['--wec', 'w2', '-c', 'other']);
    assert.match(
      other.stderr,
      /Deployment talk\/talk has no container other that has started on w2\./,
    );
    assert.match((await run(['--wec', 'w2', '--tail', '1'])).stdout, /^line \d+\n$/);
  });

  it('follows all WECs, also a pod that replaces another, without a gap, until Ctrl-C', async () => {
    const replace = () => deletePods(all.bed.plane('w1'), 'talk');
    const { stdout, exitCode } = await run(['-f', '--prefix', '--since', '1h'], {
      whenPrinted: { text: /\[w1\/\S+\] line 5\n/, act: replace },
      signalAt: {
        text: /\[w1\/\S+\] line 5\n(?:.*\n)*\[w1\/\S+\] line 0\n(?:.*\n)*\[w1\/\S+\] line 3\n/,
        signal: 'SIGINT',
      },
    });
    assert.equal(exitCode, 130);
    const lines = [...stdout.matchAll(/^\[(.*)\] line (\d+)$/gm)];
    const byPod = Map.groupBy(lines, ([, place]) => place);
    assert.equal(byPod.size, 3, 'a pod on w2, and two on w1');
    for (const [, own] of byPod)
      assert.deepEqual(
        own.map(([, , number]) => Number(number)),
        [...own.keys()],
      );
  });
});

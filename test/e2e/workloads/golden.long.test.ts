/** Output and writes in the life of workloads on one WDS, in the order of the files. */
import { cp, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Bed, installAddonByPlacement, type RunningWds, runWds, startBed, until } from '../../../testbed/index.ts';
import { knownVersion } from '../support/golden/known-version.ts';
import { Player } from '../support/golden/player.ts';
import { replay } from '../support/golden/transcript.ts';
import { kubeconfigsOf, workloadActs } from '../support/golden/workload-acts.ts';
import { Cli } from '../support/harness.ts';

const folder = path.resolve(import.meta.dirname, '..', '..', 'golden', 'workloads');
const transcripts = (await readdir(folder)).sort();

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

let bed: Bed;
let cli: Cli;
let addon: { stop(): void };
let wds: RunningWds;
let player: Player;

before(async () => {
  bed = await startBed({
    planes: [{ name: 'its1', hub: true }, { name: 'w1' }, { name: 'w2' }, { name: 'wds1' }],
  });
  cli = await Cli.create('');
  const kubeconfig = path.join(cli.home, 'kubeconfig');
  for (const [name, file] of Object.entries(await kubeconfigsOf(bed))) await cp(file, path.join(cli.home, name));
  await writeFile(path.join(cli.home, 'policy.yaml'), policy);
  await writeFile(path.join(cli.home, 'narrow.yaml'), policy.replace('tier: web', 'tier: db'));
  const [its1, wds1] = [bed.plane('its1'), bed.plane('wds1')];
  // The hub's webhooks may not answer yet.
  const installed = until(() => installAddonByPlacement(its1).catch(() => undefined), 'status add-on');
  [addon, wds] = await Promise.all([installed, runWds(wds1, its1)]);
  const joining = ['wec', 'join', 'w1', 'w2', '--its', 'its1', '--accept', '--label', 'tier=web'];
  await cli.succeed(joining, { kubeconfig });
  const acts = workloadActs(bed, cli, {
    stopTransport: async () => wds.stopTransport(),
    startTransport: async () => wds.startTransport(),
  });
  player = new Player({ bed, cli, kubeconfig, acts, env: { PATH: '/usr/bin:/bin' }, known: knownVersion });
});

after(async () => {
  wds?.stop();
  addon?.stop();
  await cli?.remove();
  await bed?.stop();
});

describe('for the life of workloads, output and writes match the recording', { concurrency: 1 }, () => {
  for (const file of transcripts)
    it(path.basename(file, '.txt'), () => replay(path.join(folder, file), (step) => player.perform(step)));
});

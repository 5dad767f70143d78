/** The parts of a run on real containers: each works on what the ones before it have left. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { faults } from './faults.ts';
import { external, local } from './local.ts';
import { firstInstallation, typePrinted } from './readme.ts';
import { registry } from './registry.ts';
import type { Run } from './run.ts';

/** The clusters of kind that the stages create. */
export const clusters = ['kubeflex', 'cluster1', 'cluster2', 'cluster3', 'hub'];

/** README's first installation, as printed, but for what `additions` says; then doctor. */
async function install(run: Run) {
  const { shell } = run;
  const { lines, shop } = firstInstallation();
  await writeFile(path.join(shell.home, 'shop.yaml'), shop);
  for (const line of lines) await typePrinted(line, run);
  await shell.type('stellarctl doctor cluster1=kind-cluster1 cluster2=kind-cluster2');
}

/** As docs/installation.md, "Uninstall", and docs/local-clusters.md, "Delete", say: the WECs, the spaces, the release, the hosting cluster. */
async function uninstall({ shell }: Run) {
  const lines = [
    'stellarctl deregister cluster1=kind-cluster1 cluster2=kind-cluster2 --cleanup --yes',
    'stellarctl wec delete cluster1 --yes',
    'stellarctl wec delete cluster2 --yes',
    'stellarctl wds delete wds1 --yes',
    'stellarctl its delete its1 --yes',
    'helm uninstall ks-core --namespace default --kube-context kind-kubeflex',
    'stellarctl wec delete kubeflex --force --yes',
  ];
  for (const line of lines) await shell.type(line);
  const present = (await shell.type('kind get clusters')).split('\n');
  const left = clusters.filter((name) => present.includes(name));
  if (left.length > 0) throw new Error(`Clusters are left: ${left.join(', ')}`);
}

/** By name, in the order that they run in. */
export const stages: Record<string, (run: Run) => Promise<void>> = {
  install,
  faults,
  local,
  external,
  registry,
  uninstall,
};

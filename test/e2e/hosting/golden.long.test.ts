/** Output and writes in the life of an installation, its ITS and its WDS, in the order of the files. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';
import { parseDocument } from 'yaml';
import {
  type Bed,
  buildHelm,
  chartOf,
  type KubeObject,
  limitedUser,
  resources,
  startBed,
  until,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { knownVersion } from '../support/golden/known-version.ts';
import { Player } from '../support/golden/player.ts';
import { replayAll } from '../support/golden/replay-all.ts';
import { Cli } from '../support/harness.ts';
import { setCores } from '../support/spaces.ts';

type Binding = KubeObject & {
  spec: { destinations?: object[] };
  status?: { observedGeneration?: number };
};

let bed: Bed;
let cli: Cli;
let player: Player;

before(async () => {
  bed = await startBed({
    planes: [
      { name: 'hosting', ingress: true },
      { name: 'cluster1', clusterInfo: true },
      { name: 'ext', clusterInfo: true },
    ],
  });
  const [hosting, cluster1] = [bed.plane('hosting'), bed.plane('cluster1')];
  cli = await Cli.create('');
  const files = {
    kubeconfig: bed.kubeconfig,
    guest: await writeKubeconfig(hosting, [await limitedUser(hosting, { user: 'guest' })]),
    // Nothing in it says which is the hosting cluster.
    unmarked: await writeKubeconfig(cluster1, [cluster1.kubeconfigEntry, hosting.kubeconfigEntry]),
    'core-chart.tgz': await chartOf('0.30.0'),
  };
  for (const [name, file] of Object.entries(files)) await cp(file, path.join(cli.home, name));
  const acts = {
    'wait until the transport has read the Binding all': () =>
      until(async () => {
        const binding = await hosting.admin.find<Binding>(resources.bindings, 'all');
        const isRead = binding?.status?.observedGeneration === binding?.metadata.generation;
        return isRead && (binding?.spec.destinations ?? []).length > 0;
      }, 'a Binding that names a WEC and was read'),
    'give the context its1 another token': async () => {
      const file = path.join(cli.home, 'kubeconfig');
      const config = parseDocument(await readFile(file, 'utf8'));
      const users = config.toJS().users as { name: string }[];
      config.setIn(['users', users.findIndex(({ name }) => name === 'its1-admin'), 'user'], {
        token: 'other',
      });
      await writeFile(file, config.toString());
    },
    'take the cores of hosting': () => setCores(hosting, '420m'),
    'give them back': () => setCores(hosting, '64'),
    'stop ext': () => bed.fault({ kind: 'stopped', plane: 'ext' }),
    'stop hosting': () => bed.fault({ kind: 'stopped', plane: 'hosting' }),
    'start everything': () => bed.mend(),
  };
  const env = { PATH: `${await buildHelm()}:/usr/bin:/bin`, INGRESS: String(hosting.ingressPort) };
  player = new Player({
    bed,
    cli,
    kubeconfig: path.join(cli.home, 'kubeconfig'),
    acts,
    env,
    known: knownVersion,
  });
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

replayAll('spaces', 'for the life of an installation', () => player);

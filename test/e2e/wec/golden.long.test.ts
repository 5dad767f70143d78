/** Output and writes in the life of WECs, in the order of the files. */
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';
import {
  type Bed,
  expiredToken,
  limitedUser,
  localClusterTools,
  resources,
  rule,
  startBed,
  tokenUser,
  until,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { type Acts, Player } from '../support/golden/player.ts';
import { replayAll } from '../support/golden/replay-all.ts';
import { Cli } from '../support/harness.ts';
import { announce, ask } from '../support/pretended-agents.ts';
import { contextsOf, statusOf } from '../support/registration.ts';

let bed: Bed;
let cli: Cli;
let tools: Awaited<ReturnType<typeof localClusterTools>>;
let player: Player;

before(async () => {
  bed = await startBed({
    planes: [
      { name: 'its1', hub: true },
      { name: 'cluster1' },
      { name: 'cluster2' },
      { name: 'cluster3' },
    ],
  });
  tools = await localClusterTools(bed);
  const [its1, ...wecs] = bed.planes as [Bed['planes'][0], ...Bed['planes']];
  cli = await Cli.create('');
  const lister = [
    rule('cluster.open-cluster-management.io', 'managedclusters', 'list'),
    rule('certificates.k8s.io', 'certificatesigningrequests', 'list'),
  ];
  const kubeconfigs = {
    kubeconfig: await contextsOf(its1, ...wecs),
    guest: await writeKubeconfig(its1, [await limitedUser(its1, { user: 'guest' })]),
    lister: await writeKubeconfig(its1, [
      await limitedUser(its1, { user: 'lister', rules: lister }),
    ]),
    expired: await writeKubeconfig(its1, [tokenUser(its1, await expiredToken(its1))]),
  };
  for (const [name, file] of Object.entries(kubeconfigs)) await cp(file, path.join(cli.home, name));
  const acts: Acts = {
    'announce ghost': () => announce(its1, 'ghost'),
    'ask as stranger': () => ask(its1, 'stranger'),
    'wait for the request of cluster3': () =>
      until(async () => {
        const { items } = await its1.admin.list(resources.certificateSigningRequests);
        return items.some(({ metadata }) => metadata.name.startsWith('cluster3-'));
      }, 'request of cluster3'),
    'wait until the klusterlet of cluster1 is connected': () =>
      until(async () => {
        const klusterlet = await bed
          .plane('cluster1')
          .admin.get(resources.klusterlets, 'klusterlet');
        return statusOf(klusterlet, 'HubConnectionDegraded') === 'False';
      }, 'connection of cluster1'),
    'stop its1': () => bed.fault({ kind: 'stopped', plane: 'its1' }),
    'stop cluster1': () => bed.fault({ kind: 'stopped', plane: 'cluster1' }),
    'start everything': () => bed.mend(),
  };
  const env = { PATH: `${tools.path}:/usr/bin:/bin` };
  player = new Player({ bed, cli, kubeconfig: path.join(cli.home, 'kubeconfig'), acts, env });
});

after(async () => {
  tools?.stop();
  await cli?.remove();
  await bed?.stop();
});

replayAll('wecs', 'for the life of WECs', () => player);

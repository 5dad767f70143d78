/**
 * From nothing to an installation of KubeStellar and back, with stellarctl: the same on the test bed's clusters and on real ones.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runKubectl } from '../../testbed/index.ts';
import type { Machine } from './machine.ts';
import { part, say, type Typist, typist } from './tell.ts';

/** Waits for all: a failure is thrown when nothing runs. */
async function together(...running: Promise<void>[]) {
  const ended = await Promise.allSettled(running);
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}

async function install(type: Typist, { hosting, initOptions }: Machine) {
  say('Create a hosting cluster: KubeFlex, and what makes ITSes and WDSes of its control planes');
  await part('init', () =>
    type(['stellarctl init --provider kind --name', hosting, ...initOptions].join(' ')),
  );

  say('Create an Inventory and Transport Space, a virtual cluster that WECs register with');
  await part('its create', () => type('stellarctl its create its1'));

  say('Create a Workload Description Space, for workloads and binding policies');
  await part('wds create', () => type('stellarctl wds create wds1'));
}

async function register(type: Typist) {
  say(
    'Create two clusters to run workloads on: one is joined and accepted at once, the other only requests it',
  );
  await part('create and join two clusters', () =>
    together(
      type(
        'stellarctl wec create cluster1 --provider kind --join --accept --label location-group=edge &',
        { plain: true },
      ),
      type('stellarctl wec create cluster2 --provider kind --join', { plain: true }),
    ),
  );

  say('The request of the second one is pending: accept it');
  await type('stellarctl wec list');
  await part('accept by hand', () => type('stellarctl accept cluster2'));
  await type('stellarctl label cluster2 location-group=core');

  say('Show the whole installation, for people and for scripts, and one cluster in detail');
  await part('look', async () => {
    await type('stellarctl status');
    await type('stellarctl wec list -l location-group=edge -o json');
    await type('stellarctl wec get cluster1=cluster1');
  });

  say('Run commands again: what is done is not changed');
  await part('again', async () => {
    await type('stellarctl its create its1');
    await type('stellarctl wec join cluster1 --accept');
  });
}

/** A Namespace with a Deployment. */
const shop = `apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { app: shop } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop, labels: { app: shop } }
spec:
  replicas: 2
  selector: { matchLabels: { run: web } }
  template:
    metadata: { labels: { run: web } }
    spec: { containers: [{ name: web, image: nginx }] }
`;

async function applyShop({ env: { KUBECONFIG = '' }, home }: Machine) {
  await writeFile(path.join(home, 'shop.yaml'), shop);
  process.stdout.write('$ kubectl --context wds1 apply -f shop.yaml\n');
  process.stdout.write(
    await runKubectl(KUBECONFIG, ['--context', 'wds1', 'apply', '-f', '-'], shop),
  );
}

async function send(type: Typist, apply: () => Promise<void>) {
  say('Put a workload into the WDS, and send it to both clusters');
  await part('send a workload', async () => {
    await apply();
    await type('stellarctl collector create replicas --preset replicas');
    await type(
      'stellarctl policy create shop --clusters location-group -l app=shop --status replicas',
    );
    await type('stellarctl workload wait deployment/web -n shop --for status --timeout 3m');
  });

  say('Show where it is, and what the clusters report of it');
  await part('look at the workload', async () => {
    await type('stellarctl policy get shop');
    await type('stellarctl workload get deployment/web -n shop');
    await type('stellarctl workload status deployment/web -n shop');
    await type('stellarctl doctor -o short');
  });
}

async function leave(type: Typist) {
  say('Deregister the clusters, with what runs there, and leave nothing behind on either side');
  await part('deregister', () =>
    type('stellarctl deregister cluster1=cluster1 cluster2=cluster2 --cleanup --yes'),
  );
  await part('wec delete', () =>
    together(
      type('stellarctl wec delete cluster1 --yes &', { plain: true }),
      type('stellarctl wec delete cluster2 --yes', { plain: true }),
    ),
  );

  say('Delete the spaces');
  await part('wds delete', () => type('stellarctl wds delete wds1 --yes'));
  await part('its delete', () => type('stellarctl its delete its1 --yes'));
  await type('stellarctl status');
}

/** Runs the whole story on a clean machine. */
export async function tellStory(machine: Machine): Promise<void> {
  const type = typist(machine.env, machine.home);
  await install(type, machine);
  await register(type);
  await send(type, () => applyShop(machine));
  await leave(type);
}

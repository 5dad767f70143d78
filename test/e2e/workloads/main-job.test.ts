/**
 * What the tool exists for, from the first command to the last, in the order of the files: clusters join, a workload arrives on
 * both, an agent fails and is repaired, and the clusters leave.
 */
import assert from 'node:assert/strict';
import { cp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AnyObject,
  type Bed,
  type Plane,
  type RunningWds,
  resources,
  runWds,
  startBed,
  until,
} from '../../../testbed/index.ts';
import { Player } from '../support/golden/player.ts';
import { replay } from '../support/golden/transcript.ts';
import { Cli } from '../support/harness.ts';
import { contextsOf, statusOf, stopKlusterlet } from '../support/registration.ts';

const folder = path.resolve(import.meta.dirname, '..', '..', 'golden', 'main-job');
const transcripts = (await readdir(folder)).sort();

const wecs = ['w1', 'w2'];
const onPolicy = '--wds wds1 --its its1';

let bed: Bed;
let cli: Cli;
let controllers: RunningWds;
let player: Player;

before(async () => {
  bed = await startBed({
    planes: [{ name: 'its1', hub: true }, { name: 'wds1' }, ...wecs.map((name) => ({ name }))],
  });
  const [its1, wds1, w1, w2] = ['its1', 'wds1', ...wecs].map((name) => bed.plane(name)) as [
    Plane,
    Plane,
    Plane,
    Plane,
  ];
  cli = await Cli.create('');
  const kubeconfig = path.join(cli.home, 'kubeconfig');
  await cp(await contextsOf(its1, wds1, w1, w2), kubeconfig);
  controllers = await runWds(wds1, its1);
  const type = (line: string) => cli.succeed(line.split(' '), { kubeconfig });
  const ofShop = (name?: string) => ({
    ...(name && { name, namespace: 'shop' }),
    labels: { app: 'shop' },
  });
  const create = (resource: Parameters<Plane['admin']['create']>[0], object: object, on = wds1) =>
    on.admin.create<AnyObject>(resource, object as AnyObject);
  const ofUser = (namespace: string) =>
    create(resources.configMaps, { metadata: { name: 'mine', namespace } }, w1);
  const acts = {
    'create the workload shop': async () => {
      await create(resources.namespaces, { metadata: { ...ofShop(), name: 'shop' } });
      await create(resources.configMaps, { metadata: ofShop('settings'), data: { a: 'b' } });
    },
    'give w1 a Namespace shop of somebody else': () =>
      create(resources.namespaces, { metadata: { name: 'shop' } }, w1),
    'wait until shop has arrived': async () => {
      await type(`workload wait configmap/settings -n shop --for applied --timeout 4m ${onPolicy}`);
      for (const wec of [w1, w2]) {
        const arrived = await wec.admin.get<AnyObject & { data?: object }>(
          resources.configMaps,
          'shop/settings',
        );
        assert.deepEqual(arrived.data, { a: 'b' });
      }
    },
    'make the operators report the connection': async () => {
      // Any change makes an operator check the hub at once.
      const change = { metadata: { annotations: { 'example.com/look': 'now' } } };
      for (const { admin } of [w1, w2])
        await admin.patch<AnyObject>(resources.klusterlets, 'klusterlet', change);
      await until(async () => {
        const klusterlets = await Promise.all(
          [w1, w2].map(({ admin }) => admin.get(resources.klusterlets, 'klusterlet')),
        );
        return klusterlets.every(
          (klusterlet) => statusOf(klusterlet, 'HubConnectionDegraded') === 'False',
        );
      }, 'reports of the operators');
    },
    'change the settings on w2 by hand': async () => {
      await w2.admin.patch<AnyObject>(resources.configMaps, 'shop/settings', { data: { a: 'c' } });
    },
    'let the agent of w2 hang until the hub sees it': async () => {
      const namespace = 'open-cluster-management-agent';
      for (const pod of (await w2.admin.list<AnyObject>(resources.pods, { namespace })).items)
        await bed.fault({ kind: 'dead', plane: 'w2', pod: `${namespace}/${pod.metadata.name}` });
      // A renewal that was sent before may reach the hub after its judgement.
      await sleep(1000);
      const judgeAfter = (leaseDurationSeconds: number) =>
        its1.admin.patch<AnyObject>(resources.managedClusters, 'w2', {
          spec: { leaseDurationSeconds },
        });
      await judgeAfter(1);
      const isSilent = async () =>
        statusOf(
          await its1.admin.get(resources.managedClusters, 'w2'),
          'ManagedClusterConditionAvailable',
        ) === 'Unknown';
      await until(isSilent, 'silence of the agent');
      // The next agent may be slow.
      await judgeAfter(60);
    },
    'put a ConfigMap into the namespace of the agent of w1': () =>
      ofUser('open-cluster-management-agent'),
    'move it into the namespace of the operator': async () => {
      await w1.admin.delete(resources.configMaps, 'open-cluster-management-agent/mine');
      await ofUser('open-cluster-management');
    },
    'stop the operator and the agent of w2': () => stopKlusterlet(w2),
  };
  player = new Player({ bed, cli, kubeconfig, acts, env: { PATH: '/usr/bin:/bin' } });
});

after(async () => {
  controllers?.stop();
  await cli?.remove();
  await bed?.stop();
});

describe('from the first join to the last deregistration, output and writes match the recording', {
  concurrency: 1,
}, () => {
  for (const file of transcripts)
    it(path.basename(file, '.txt'), () =>
      replay(path.join(folder, file), (step) => player.perform(step)),
    );
});

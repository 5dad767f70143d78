/**
 * What the tool exists for, from the first command to the last, in the order of the files: clusters join, a workload arrives on
 * both, an agent fails and is repaired, and the clusters leave.
 */
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyObject, type Plane, resources, until } from '../../../testbed/index.ts';
import { Player } from '../support/golden/player.ts';
import { replayAll } from '../support/golden/replay-all.ts';
import { contextsOf, statusOf, stopKlusterlet } from '../support/registration.ts';
import { startWds, type WdsBed } from '../support/wds-bed.ts';

const wecs = ['w1', 'w2'];

let all: WdsBed;
let player: Player;

before(async () => {
  all = await startWds(wecs, { wecs: [] });
  const { bed, cli, its1, wds1 } = all;
  const [w1, w2] = wecs.map((name) => bed.plane(name)) as [Plane, Plane];
  const kubeconfig = path.join(cli.home, 'kubeconfig');
  await cp(await contextsOf(its1, wds1, w1, w2), kubeconfig);
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
      await cli.type(
        'workload wait configmap/settings -n shop --for applied --timeout 4m --wds wds1 --its its1',
      );
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

after(() => all?.stop());

replayAll('main-job', 'from the first join to the last deregistration', () => player);

import { setTimeout as sleep } from 'node:timers/promises';
import type { Bed } from '../bed.ts';
import { itsObject, SpaceScene, wdsObject } from '../helpers/space-scene.ts';
import { mintToken, renewAccount } from '../helpers/tokens.ts';
import { WecScene } from '../helpers/wec-scene.ts';
import { findCondition, isTrue } from '../kube/conditions.ts';
import type { ContainerStatus, Namespace } from '../kube/objects.ts';
import {
  customResourceDefinitions,
  deployments,
  jobs,
  managedClusterAddOns,
  statefulSets,
} from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { workStatusCrd } from '../kubestellar/status-addon-chart.ts';
import { pods } from './fault.ts';
import { arranged, type FaultRow } from './row.ts';

const day = 86_400;
const manager = 'kubeflex-system/kubeflex-controller-manager';
const ingress = 'traefik/traefik';
const passthrough = '--providers.kubernetesingressnginx';
const adopted = 'kube-system/kubeflex';

const isWaitingFor = (reason: string) => (container: ContainerStatus) =>
  container.state.waiting?.reason === reason;

const row = (
  id: string,
  cause: string,
  arrange: (scene: SpaceScene) => Promise<unknown>,
): SpaceFaultRow => ({
  ...{ id, cause },
  arrange: (bed) => arranged(new SpaceScene(bed), arrange),
});

/** A fault of a hosting cluster, the plane `hosting` with an ingress, and its spaces; `ext` is an external ITS, `cluster1` a WEC of its1. */
export interface SpaceFaultRow extends Pick<FaultRow, 'id' | 'cause'> {
  arrange(bed: Bed): Promise<() => Promise<void>>;
}

export const spaceFaults: readonly SpaceFaultRow[] = [
  row(
    'hook-failed',
    'The Job of a hook has failed, and KubeFlex does not make it again',
    async (scene) => {
      await scene.fault({
        kind: 'failing',
        image: 'clusteradm',
        log: ['Error: unable to reach the cluster'],
      });
      await scene.make(itsObject('its9', 'host'));
      await until(async () => {
        const job = await scene.api.find<Namespace>(jobs, 'its9-system/its-hub-init');
        return isTrue(job?.status?.conditions, 'Failed');
      }, 'a failed Job');
    },
  ),
  row(
    'postgresql-stopped',
    'The PostgreSQL of control planes of type k8s has no pod',
    async (scene) => {
      await scene.install();
      const key = 'kubeflex-system/postgres-postgresql';
      scene.onMend(() => scene.scale(statefulSets, key, 1));
      await until(() => scene.api.find(statefulSets, key));
      await scene.scale(statefulSets, key, 0);
    },
  ),
  row(
    'kubeflex-stopped',
    "KubeFlex's manager has no pod: nothing becomes of a new control plane",
    async (scene) => {
      await scene.install();
      scene.onMend(() => scene.scale(deployments, manager, 1));
      await scene.scale(deployments, manager, 0);
      await scene.make(itsObject('its9', 'host'));
    },
  ),
  row(
    'ingress-without-passthrough',
    'The ingress answers TLS itself, in the name of everybody',
    async (scene) => {
      await scene.make(itsObject('its8', 'vcluster'));
      await scene.untilReady('its8');
      scene.onMend(() => scene.setArgs(ingress, (args) => [...args, passthrough]));
      await scene.setArgs(ingress, (args) => args.filter((arg) => arg !== passthrough));
      await until(
        async () => /traefik\.default/.test(await scene.certificateAt('its8')),
        "the ingress's own certificate",
      );
    },
  ),
  row('several-itses', 'A WDS names no ITS, and there are two', async (scene) => {
    await scene.base();
    await scene.make(itsObject('its9', 'host'));
    await scene.untilReady('its9');
    await scene.make(wdsObject('wds9'));
    await scene.untilLogged(
      'wds9-system',
      'kubestellar-controller-manager',
      /more than one control plane of type its/,
    );
  }),
  row(
    'workstatus-missing',
    'The ITS has no kind WorkStatus: the WDS does nothing with its policies',
    async (scene) => {
      await scene.base();
      const restart = () => scene.restart('wds1-system', 'kubestellar-controller-manager');
      scene.onMend(async () => {
        await scene.api.ensure(customResourceDefinitions, workStatusCrd);
        await restart();
      });
      await scene.api.delete(customResourceDefinitions, workStatusCrd.metadata.name);
      await restart();
      await scene.untilLogged(
        'wds1-system',
        'kubestellar-controller-manager',
        /WorkStatus is not defined in the ITS/,
      );
    },
  ),
  row(
    'placement-crashing',
    "The hub's placement controller does not run: decisions stay as they are",
    async (scene) => {
      await scene.base();
      await scene.fault({ kind: 'crashing', plane: scene.hosting.name, pod: pods.placement });
      const [namespace = '', prefix = ''] = pods.placement.split('/');
      await scene.untilPod(namespace, prefix, isWaitingFor('CrashLoopBackOff'));
    },
  ),
  row(
    'status-addon-unavailable',
    "The status add-on's agent does not start on a managed cluster",
    async (scene) => {
      await scene.base();
      await scene.fault({ kind: 'unpullable', image: 'ocm-status-addon' });
      const cluster = new WecScene(scene.bed, 'cluster1', scene.hosting.name);
      scene.onMend(() => cluster.mend());
      await cluster.register();
      // The agent checks once a minute what it has applied.
      const key = `${cluster.name}/addon-status`;
      const conditionsOf = async () =>
        (await scene.api.find<Namespace>(managedClusterAddOns, key))?.status?.conditions;
      await until(
        async () => findCondition(await conditionsOf(), 'Available')?.reason === 'ProbeUnavailable',
        'an add-on that is not available',
      );
      // As if it had been so for some time: a new one always begins like that.
      const lastTransitionTime = new Date(Date.now() - 120_000).toISOString().replace(/\.\d+/, '');
      const conditions = (await conditionsOf())?.map((each) => ({ ...each, lastTransitionTime }));
      await scene.api.patch(
        managedClusterAddOns,
        key,
        { status: { conditions } },
        { subresource: 'status' },
      );
    },
  ),
  row(
    'external-token-expired',
    "KubeFlex's token for an external ITS has expired",
    async (scene) => {
      await scene.makeExternal('its7');
      await scene.replaceToken('its7', await mintToken(scene.ext, adopted, -day));
    },
  ),
  row(
    'wds-outdated-kubeconfig',
    "The controllers of a WDS hold an earlier token of their external ITS than KubeFlex's Secret has",
    async (scene) => {
      await scene.install();
      for (const name of ['wds1', 'its1']) await scene.remove(name);
      await scene.makeExternal('its7');
      await scene.make(wdsObject('wds7'));
      await scene.untilReady('wds7');
      await renewAccount(scene.ext, adopted);
      await scene.replaceToken('its7', await scene.adoptedToken());
      await sleep(11_000);
    },
  ),
];

import { once } from 'node:events';
import { Informer } from '../kube/informer.ts';
import type { KubeObject } from '../kube/objects.ts';
import {
  configMaps,
  controlPlanes,
  deployments,
  ingresses,
  type Resource,
  secrets,
  serviceAccounts,
  statefulSets,
} from '../kube/resources.ts';
import { RestMapper } from '../kube/rest-mapper.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import type { PodContext } from '../pod-runner/program.ts';
import { controlPlaneOf, vclusterSecret } from './names.ts';
import { type Manager, reconcile } from './reconcile.ts';

/** KubeFlex's real waiting times, and those used here unless the pod's annotation says `real`. */
const periods = { real: { apiServer: 15_000, hooks: 30_000 }, short: { apiServer: 1_000, hooks: 2_000 } };

/** The pod annotation that chooses the periods. */
const periodsAnnotation = 'bed/periods';

/** KubeFlex's controller manager. */
export async function kubeflexManager(context: PodContext): Promise<void> {
  const { api, pod, signal, log } = context;
  const { annotations = {} } = pod.metadata;
  const manager: Manager = {
    api,
    mapper: new RestMapper(api),
    connect: context.connect,
    version: versionOf(pod.spec.containers.find(({ name }) => name === 'manager')?.image ?? ''),
    periods: annotations[periodsAnnotation] === 'real' ? periods.real : periods.short,
  };
  const queue = new WorkQueue(
    async (name) => {
      const again = await reconcile(manager, name);
      if (again !== undefined) queue.addAfter(name, again);
    },
    signal,
    (name, error) =>
      log(`ERROR\tReconciler error\t{"ControlPlane": {"name":"${name}"}, "error": ${JSON.stringify(error.message)}}`),
  );
  const watch = (resource: Resource, onChange: (object: KubeObject) => void) => {
    const informer = new Informer<KubeObject>(
      api,
      resource,
      { onChange, onError: (error) => log(error.message) },
      signal,
    );
    return informer.synced;
  };
  const owned = [ingresses, deployments, statefulSets, configMaps, serviceAccounts];
  const addOwner = ({ metadata: { ownerReferences = [] } }: KubeObject) => {
    for (const { kind, name, controller } of ownerReferences)
      if (kind === controlPlanes.kind && controller) queue.add(name);
  };
  await Promise.all([
    watch(controlPlanes, ({ metadata }) => queue.add(metadata.name)),
    ...owned.map((resource) => watch(resource, addOwner)),
    watch(secrets, (secret) => {
      addOwner(secret);
      const { name, namespace = '' } = secret.metadata;
      const controlPlane = name === vclusterSecret ? controlPlaneOf(namespace) : undefined;
      if (controlPlane) queue.add(controlPlane);
    }),
  ]);
  context.setReady(true);
  log('INFO\tStarting workers\t{"controller": "controlplane", "worker count": 1}');
  if (!signal.aborted) await once(signal, 'abort');
}

function versionOf(image: string): string {
  return /:([^:/]+)$/.exec(image)?.[1] ?? 'latest';
}

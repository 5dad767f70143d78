import { Informer } from '../../kube/informer.ts';
import type { Deployment, KubeObject, Secret } from '../../kube/objects.ts';
import { clusterManagers, deployments, secrets } from '../../kube/resources.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { hubNamespace } from '../names.ts';

interface ClusterManager extends KubeObject {
  spec?: Record<string, unknown>;
}

/** The Deployments of a hub by the field of the ClusterManager that names their image (ocm manifests/cluster-manager/management). */
const fields: Record<string, string> = {
  'registration-controller': 'registrationImagePullSpec',
  'registration-webhook': 'registrationImagePullSpec',
  'work-webhook': 'workImagePullSpec',
  'placement-controller': 'placementImagePullSpec',
  'addon-manager-controller': 'addOnManagerImagePullSpec',
  'addon-webhook': 'addOnManagerImagePullSpec',
};

/**
 * Stands in for `registration-operator hub` on a hub that installHub has made: gives the Deployments the images of the ClusterManager.
 * From 1.2 on it first reads the certificate of the webhook of add-ons, for which its ClusterRole of 1.0 has no right.
 */
export async function hubOperator({ api, pod, signal, setReady, log }: PodContext): Promise<void> {
  const [, minor = '0'] = /:v1\.(\d+)/.exec(pod.spec.containers[0]?.image ?? '') ?? [];
  const queue = new WorkQueue(
    async (name) => {
      const manager = cache.items.get(name);
      if (manager === undefined) return;
      if (Number(minor) >= 2) await api.find<Secret>(secrets, `${hubNamespace}/addon-webhook-serving-cert`);
      for (const [short, field] of Object.entries(fields)) {
        const key = `${hubNamespace}/cluster-manager-${short}`;
        const present = await api.find<Deployment>(deployments, key);
        const containers = present?.spec.template.spec.containers ?? [];
        const image = manager.spec?.[field] as string;
        if (present === undefined || containers.every((container) => container.image === image)) continue;
        const changed = containers.map((container) => ({ ...container, image }));
        await api.patch(deployments, key, { spec: { template: { spec: { containers: changed } } } });
      }
      const status = { observedGeneration: manager.metadata.generation };
      await api.patch(clusterManagers, name, { status }, { subresource: 'status' });
    },
    signal,
    (name, { message }) => log(`${name}: ${message}`),
  );
  const cache = new Informer<ClusterManager>(
    api,
    clusterManagers,
    {
      onError: ({ message }) => log(message),
      onChange: ({ metadata }, _change, before) => {
        if (before?.metadata.generation !== metadata.generation) queue.add(metadata.name);
      },
    },
    signal,
  );
  setReady(true);
  await cache.done;
}

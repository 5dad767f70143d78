import { isTrue } from '../kube/conditions.ts';
import type { AnyObject, ManifestWork } from '../kube/objects.ts';
import { manifestWorks, resourceOf } from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { type AddonOptions, StatusAddon } from '../kubestellar/status-addon.ts';
import { addOnObject, everywhere, workStatusCrd } from '../kubestellar/status-addon-chart.ts';
import { Transport, type Workload } from '../kubestellar/transport.ts';
import { operatorNamespace } from '../ocm/names.ts';
import type { Plane } from '../plane/plane.ts';

export type { Workload };

/**
 * Lets a BindingPolicy of a WDS send a workload through a hub to all clusters that it selects, until it or the hub is stopped. Sent
 * objects then stay, as when a WDS is shut down.
 */
export function bindWorkload(hub: Plane, workload: Partial<Workload> = {}): Transport {
  const { policy = 'demo', wds = 'wds1', matchLabels = {}, manifests = demoManifests() } = workload;
  return new Transport(hub, { policy, wds, matchLabels, manifests });
}

/** Installs KubeStellar's status add-on on every accepted cluster, until it is stopped. Existing ones then stay. */
export function installAddon(hub: Plane, options: AddonOptions = {}): { stop(): void } {
  const running = new AbortController();
  new StatusAddon(hub.admin, options, AbortSignal.any([running.signal, hub.gone]));
  return { stop: () => running.abort() };
}

/**
 * The same as with KubeStellar's chart: the hub's own controllers install it according to Placement `global`, and again if it is
 * deleted, as long as the decision stands.
 */
export async function installAddonByPlacement(hub: Plane): Promise<{ stop(): void }> {
  for (const object of [workStatusCrd, ...everywhere(operatorNamespace), addOnObject(operatorNamespace)])
    await hub.admin.ensure(resourceOf(object), object);
  return installAddon(hub, { clusters: false });
}

/** A namespace with a Deployment of one pod, and a ConfigMap. */
export function demoManifests(namespace = 'demo'): AnyObject[] {
  const labels = { app: namespace };
  const container = { name: 'web', image: 'nginx' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'hello', namespace, labels }, data: { a: 'b' } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace, labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    },
  ];
}

/** Waits until the cluster's agent has applied so many works, those aside that are being deleted. */
export async function untilApplied(hub: Plane, cluster: string, count: number): Promise<ManifestWork[]> {
  const list = async () => (await hub.admin.list<ManifestWork>(manifestWorks, { namespace: cluster })).items;
  const applied = async () => {
    const found = (await list()).filter(
      ({ metadata, status }) => metadata.deletionTimestamp === undefined && isTrue(status?.conditions, 'Applied'),
    );
    return found.length === count ? found : undefined;
  };
  return until(applied, `${count} works that are applied in ${cluster}`).catch(async ({ message }: Error) => {
    const states = (await list()).map(({ metadata, status }) => `${metadata.name}: ${JSON.stringify(status)}`);
    throw new Error(`${message}, but\n${states.join('\n')}`);
  });
}

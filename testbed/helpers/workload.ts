import { isTrue } from '../kube/conditions.ts';
import type { AnyObject, ManifestWork } from '../kube/objects.ts';
import {
  bindingPolicies,
  groupOf,
  managedClusterAddOns,
  manifestWorks,
  resourceOf,
} from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { StatusAddon } from '../kubestellar/status-addon.ts';
import {
  addOnObject,
  addonName,
  everywhere,
  workStatusCrd,
} from '../kubestellar/status-addon-chart.ts';
import { addonNamespace, operatorNamespace } from '../ocm/names.ts';
import type { Plane } from '../plane/plane.ts';
import { type RunningWds, runWds } from './wds.ts';

/** The WDS of each hub. */
const running = new WeakMap<Plane, Promise<RunningWds>>();

interface Workload {
  policy?: string;
  /** Which clusters it selects; none of these means all of them. */
  matchLabels?: Record<string, string>;
  manifests?: readonly AnyObject[];
}

/**
 * Lets a BindingPolicy of `wds1`, a WDS on the hub itself, send a workload to all clusters that it selects. `stop` ends the WDS's
 * controllers, for all its policies: what was sent stays.
 */
export async function bindWorkload(
  hub: Plane,
  { policy = 'demo', ...workload }: Workload = {},
): Promise<RunningWds> {
  const { matchLabels = {}, manifests = demoManifests() } = workload;
  const starting = running.get(hub) ?? runWds(hub, hub, { name: 'wds1', type: 'host' });
  running.set(hub, starting);
  const wds = await starting;
  for (const manifest of manifests) await hub.admin.ensure(resourceOf(manifest), manifest);
  const downsync = manifests.map((manifest) => {
    const { namespace, name } = manifest.metadata;
    const named = {
      apiGroup: groupOf(manifest.apiVersion ?? ''),
      resources: [resourceOf(manifest).plural],
      objectNames: [name],
    };
    return namespace === undefined ? named : { ...named, namespaces: [namespace] };
  });
  const spec = { clusterSelectors: [{ matchLabels }], downsync };
  await hub.admin.ensure<AnyObject>(bindingPolicies, { metadata: { name: policy }, spec });
  const stop = () => {
    running.delete(hub);
    wds.stop();
  };
  return { ...wds, stop };
}

/** Installs KubeStellar's status add-on on one cluster, as if somebody had enabled it there; its manager runs until the hub stops. */
export async function installAddon(
  { admin, gone }: Plane,
  cluster: string,
  finalizers: string[] = [],
): Promise<void> {
  new StatusAddon(admin, gone);
  const metadata = { name: addonName, namespace: cluster, finalizers };
  await admin.create<AnyObject>(managedClusterAddOns, {
    metadata,
    spec: { installNamespace: addonNamespace },
  });
}

/**
 * The same as with KubeStellar's chart: the hub's own controllers install it according to Placement `global`, and again if it is
 * deleted, as long as the decision stands.
 */
export async function installAddonByPlacement({ admin, gone }: Plane): Promise<{ stop(): void }> {
  for (const object of [
    workStatusCrd,
    ...everywhere(operatorNamespace),
    addOnObject(operatorNamespace),
  ])
    await admin.ensure(resourceOf(object), object);
  const running = new AbortController();
  new StatusAddon(admin, AbortSignal.any([running.signal, gone]));
  return { stop: () => running.abort() };
}

/** A namespace with a Deployment of one pod, and a ConfigMap. */
export function demoManifests(namespace = 'demo'): AnyObject[] {
  const labels = { app: namespace };
  const container = { name: 'web', image: 'nginx' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'hello', namespace, labels },
      data: { a: 'b' },
    },
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
export async function untilApplied(
  hub: Plane,
  cluster: string,
  count: number,
): Promise<ManifestWork[]> {
  const list = async () =>
    (await hub.admin.list<ManifestWork>(manifestWorks, { namespace: cluster })).items;
  const applied = async () => {
    const found = (await list()).filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined && isTrue(status?.conditions, 'Applied'),
    );
    return found.length === count ? found : undefined;
  };
  return until(applied, `${count} works that are applied in ${cluster}`).catch(
    async ({ message }: Error) => {
      const states = (await list()).map(
        ({ metadata, status }) => `${metadata.name}: ${JSON.stringify(status)}`,
      );
      throw new Error(`${message}, but\n${states.join('\n')}`);
    },
  );
}

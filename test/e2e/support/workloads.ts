import {
  type AnyObject,
  bindWorkload,
  demoManifests,
  type Plane,
  resources,
  until,
  untilApplied,
} from '../../../testbed/index.ts';

/** A workload that a policy sends to clusters by label, and that runs on one of them. */
export interface RunningWorkload {
  namespace: string;
  /** Stops sending it. */
  stop(): void;
}

/** Lets a policy send a workload to the clusters with these labels, and waits until it runs on one of them. */
export async function runWorkload(
  hub: Plane,
  wec: Plane,
  { policy, matchLabels }: { policy: string; matchLabels: Record<string, string> },
): Promise<RunningWorkload> {
  const namespace = `${policy}-space`;
  const sending = await bindWorkload(hub, {
    policy,
    matchLabels,
    manifests: demoManifests(namespace),
  });
  await untilApplied(hub, wec.name, 3);
  await until(async () => {
    const pods = await list(wec, resources.pods, namespace);
    const isRunning =
      pods.length > 0 &&
      pods.every(({ status }) => (status as { phase?: string }).phase === 'Running');
    return isRunning;
  }, `running pod in ${namespace}`);
  return { namespace, stop: sending.stop };
}

/** The objects of a workload that demoManifests describes, and its pods: `kind name` to UID, and the owners of what was sent. */
export async function workloadOn(
  wec: Plane,
  namespace: string,
): Promise<{ uids: string[]; owners: number }> {
  const space = await wec.admin.find<AnyObject>(resources.namespaces, namespace);
  const sent = [
    ...(space ? [space] : []),
    ...(await list(wec, resources.configMaps, namespace)).filter(
      ({ metadata }) => metadata.name === 'hello',
    ),
    ...(await list(wec, resources.deployments, namespace)),
  ];
  const pods = await list(wec, resources.pods, namespace);
  const living = [...sent, ...pods].filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  );
  return {
    uids: living.map(({ metadata }) => `${metadata.name} ${metadata.uid}`),
    owners: sent.flatMap(({ metadata }) => metadata.ownerReferences ?? []).length,
  };
}

/** A Deployment web, which waits for ever. */
export const web = (metadata: Partial<AnyObject['metadata']> = {}): AnyObject =>
  ({
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', ...metadata } },
    spec: {
      selector: { matchLabels: { run: 'web' } },
      template: {
        metadata: { labels: { run: 'web' } },
        spec: { containers: [{ name: 'web', image: 'registry.k8s.io/pause:3.10' }] },
      },
    },
  }) as never;

async function list(
  { admin }: Plane,
  resource: Parameters<Plane['admin']['list']>[0],
  namespace: string,
) {
  return (await admin.list<AnyObject>(resource, { namespace })).items;
}

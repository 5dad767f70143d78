import { isNotFound } from '../kube/errors.ts';
import type { AnyObject, Condition, ManagedCluster, ManifestWork } from '../kube/objects.ts';
import {
  bindingPolicies,
  bindings,
  customResourceDefinitions,
  groupOf,
  managedClusters,
  manifestWorks,
  namespaces,
  type Resource,
  resourceOf,
  versionOf,
} from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { wdsCrds } from '../kubestellar/crds.ts';
import { workStatusCrd } from '../kubestellar/status-addon-chart.ts';
import { hubCrds } from '../ocm/crds.ts';
import { finalizer } from '../ocm/names.ts';
import type { Plane } from '../plane/plane.ts';

/** Concurrent requests. */
const atOnce = 16;

interface WrittenPolicy {
  policy: string;
  wecs: readonly string[];
  manifests: readonly AnyObject[];
}

/**
 * Writes all objects that exist once a policy of a WDS has brought objects to WECs (one work per object, as in the chart of
 * KubeStellar), without a controller or a WEC: far more objects than the bed's controllers could send. Both planes may be empty.
 */
export async function writeWorkload(
  wds: Plane,
  its: Plane,
  { policy, wecs, manifests }: WrittenPolicy,
): Promise<void> {
  await serve(wds, await wdsCrds());
  await serve(its, [...(await hubCrds()), workStatusCrd]);
  await inParallel(wecs, (name) => writeWec(its, name));
  const spaces = manifests.filter(({ kind }) => kind === 'Namespace');
  const others = manifests.filter(({ kind }) => kind !== 'Namespace');
  const objects = [...(await writeObjects(wds, spaces)), ...(await writeObjects(wds, others))];
  const binding = await writePolicy(wds, policy, wecs, objects);
  const { uid = '', generation = 0 } = binding.metadata;
  const origin = 'transport.kubestellar.io/originOwnerReferenceBinding';
  const workFor = (wec: string, manifest: AnyObject, of = ''): ManifestWork => ({
    metadata: {
      name: `${uid}-${wds.name}-${of}`,
      namespace: wec,
      labels: { [`${origin}Key`]: policy, 'transport.kubestellar.io/originWdsName': wds.name },
      annotations: { [`${origin}Generation`]: String(generation) },
    },
    spec: { workload: { manifests: [manifest] } },
  });
  const sent = [...spaces, ...others];
  for (const wec of wecs)
    await inParallel(objects, ({ metadata }, index) =>
      writeWork(its, workFor(wec, sent[index] as AnyObject, metadata.uid)),
    );
}

async function serve({ admin }: Plane, crds: readonly AnyObject[]): Promise<void> {
  for (const crd of crds) await admin.ensure(customResourceDefinitions, crd);
  const names = new Set(crds.map(({ metadata }) => metadata.name));
  await until(async () => {
    const { items } = await admin.list<AnyObject>(customResourceDefinitions);
    const isServed = ({ status }: AnyObject) =>
      (status as { conditions?: Condition[] } | undefined)?.conditions?.some(
        ({ type, status: is }) => type === 'Established' && is === 'True',
      );
    return items.filter(({ metadata }) => names.has(metadata.name)).every(isServed);
  }, 'served kinds');
}

async function writeWec({ admin }: Plane, name: string): Promise<void> {
  await admin.create(namespaces, { metadata: { name } });
  const spec = { hubAcceptsClient: true };
  await untilServed(() =>
    admin.create<ManagedCluster>(managedClusters, { metadata: { name }, spec }),
  );
  const types = [
    'HubAcceptedManagedCluster',
    'ManagedClusterJoined',
    'ManagedClusterConditionAvailable',
  ];
  const since = { lastTransitionTime: new Date().toISOString() };
  const conditions = types.map((type) => ({
    type,
    status: 'True',
    reason: type,
    message: '',
    ...since,
  }));
  await admin.patch(managedClusters, name, { status: { conditions } }, { subresource: 'status' });
}

async function writeObjects(
  { admin }: Plane,
  manifests: readonly AnyObject[],
): Promise<AnyObject[]> {
  return inParallel(manifests, (manifest) =>
    admin.create<AnyObject>(resourceOf(manifest), manifest),
  );
}

/** Both say that they have been observed. The policy selects by the label that all objects have. */
async function writePolicy(
  { admin }: Plane,
  name: string,
  wecs: readonly string[],
  objects: readonly AnyObject[],
): Promise<AnyObject> {
  const downsync = [{ objectSelectors: [{ matchLabels: { app: name } }] }];
  const observed = async (resource: Resource, generation = 0) =>
    admin.patch(
      resource,
      name,
      { status: { observedGeneration: generation } },
      { subresource: 'status' },
    );
  const spec = { clusterSelectors: [{}], downsync };
  const policy = await untilServed(() =>
    admin.create<AnyObject>(bindingPolicies, { metadata: { name }, spec }),
  );
  await observed(bindingPolicies, policy.metadata.generation);
  const bound = objects.map((object) => ({
    ...boundOf(object),
    resourceVersion: object.metadata.resourceVersion ?? '',
  }));
  const binding = await untilServed(() =>
    admin.create<AnyObject>(bindings, {
      metadata: { name },
      spec: {
        workload: {
          clusterScope: bound.filter(({ namespace }) => namespace === undefined),
          namespaceScope: bound.filter(({ namespace }) => namespace !== undefined),
        },
        destinations: wecs.map((clusterId) => ({ clusterId })),
      },
    }),
  );
  await observed(bindings, binding.metadata.generation);
  return binding;
}

const boundOf = (object: AnyObject) => {
  const { apiVersion = '', metadata } = object;
  const { namespace, name } = metadata;
  const version = versionOf(apiVersion);
  const resource = resourceOf(object).plural;
  return {
    group: groupOf(apiVersion),
    version,
    resource,
    name,
    ...(namespace === undefined ? {} : { namespace }),
  };
};

/** As the transport creates it, and as the WEC's agent leaves it. */
async function writeWork({ admin }: Plane, work: ManifestWork): Promise<void> {
  const written = await untilServed(() =>
    admin.create<ManifestWork>(manifestWorks, {
      ...work,
      metadata: { ...work.metadata, finalizers: [finalizer.manifestWork] },
    }),
  );
  const since = { lastTransitionTime: new Date().toISOString() };
  const applied = {
    type: 'Applied',
    status: 'True',
    reason: 'AppliedManifestComplete',
    message: '',
    ...since,
  } as const;
  const available = { ...applied, type: 'Available', reason: 'ResourceAvailable' };
  const manifests = work.spec.workload.manifests.map((manifest, ordinal) => {
    const place = {
      kind: manifest.kind ?? '',
      ordinal,
      ...boundOf(manifest),
      namespace: manifest.metadata.namespace ?? '',
    };
    return { resourceMeta: place, conditions: [applied, available], statusFeedback: {} };
  });
  const observedGeneration = written.metadata.generation ?? 0;
  const conditions = [applied, available].map((condition) => ({
    ...condition,
    observedGeneration,
  }));
  const key = `${work.metadata.namespace}/${work.metadata.name}`;
  await admin.patch(
    manifestWorks,
    key,
    { status: { conditions, resourceStatus: { manifests } } },
    { subresource: 'status' },
  );
}

/** A kind is served a moment after its definition is established. */
const untilServed = <T>(create: () => Promise<T>): Promise<T> =>
  until(
    () =>
      create().catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      }),
    'served kind',
  ) as Promise<T>;

async function inParallel<T, U>(
  all: readonly T[],
  work: (one: T, index: number) => Promise<U>,
): Promise<U[]> {
  const results: U[] = [];
  const entries = all.entries();
  const worker = async () => {
    for (const [index, one] of entries) results[index] = await work(one, index);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

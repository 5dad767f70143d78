import type { Api } from '../../kube/api.ts';
import { apply } from '../../kube/apply.ts';
import { findCondition, withCondition } from '../../kube/conditions.ts';
import { isConflict, isNotFound } from '../../kube/errors.ts';
import { Informer } from '../../kube/informer.ts';
import type { Condition, Deployment, Klusterlet, KubeObject, Secret } from '../../kube/objects.ts';
import { deployments, klusterlets, resourceOf, secrets } from '../../kube/resources.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import {
  addonNamespace,
  bootstrapSecret,
  finalizer,
  hubKubeconfigSecret,
  operatorNamespace,
  pullSecret,
} from '../names.ts';
import { availability } from './availability.ts';
import { cleanUp } from './clean-up.ts';
import { hubConnection } from './hub-connection.ts';
import { type Wanted, wantedOf } from './klusterlet-spec.ts';
import { deploymentObjects, namespaceObject, staticObjects } from './manifests.ts';

/** How soon the operator looks again at a hub that does not let the agent in yet (facts 5.3, cadence). */
const unauthorizedRecheck = 30_000;
const resync = 300_000;

/** Stands in for `registration-operator klusterlet`: makes of each Klusterlet what facts 5 and the records in live/ say. */
export async function klusterletOperator({ api, signal, connect, setReady, log }: PodContext): Promise<void> {
  const queueFor = (controller: string, handle: (klusterlet: Klusterlet) => Promise<void>) =>
    new WorkQueue(
      async (name) => {
        const klusterlet = cache.items.get(name);
        if (klusterlet) await handle(klusterlet);
      },
      signal,
      (name, error) => log(`${controller} ${name}: ${error.message}`),
    );

  const applying = queueFor('apply', async (klusterlet) => {
    if (klusterlet.metadata.deletionTimestamp) await cleanUp(api, klusterlet, [...cache.items.values()]);
    else await applyKlusterlet(api, klusterlet);
  });
  const watchingDeployments = queueFor('status', async (klusterlet) => {
    if (isApplied(klusterlet)) await setConditions(api, klusterlet, await availability(api, klusterlet));
  });
  const connecting: WorkQueue = queueFor('hub connection', async (klusterlet) => {
    if (!isApplied(klusterlet)) return;
    const { namespace, clusterName } = wantedOf(klusterlet);
    const condition = await hubConnection({ api, connect, namespace, clusterName });
    await setConditions(api, klusterlet, [{ ...condition, ...observed(klusterlet) }]);
    if (condition.reason === 'BootstrapSecretFunctional,HubKubeConfigUnauthorized') {
      connecting.addAfter(klusterlet.metadata.name, unauthorizedRecheck);
    }
  });

  const all = [applying, watchingDeployments, connecting];
  const onError = ({ message }: Error) => log(message);
  const cache = new Informer<Klusterlet>(
    api,
    klusterlets,
    {
      onError,
      onChange: (klusterlet, _change, before) => {
        const { name } = klusterlet.metadata;
        const isNew = before?.metadata.generation !== klusterlet.metadata.generation;
        if (isNew || isApplied(before) !== isApplied(klusterlet)) for (const queue of all) queue.add(name);
        // Its own status is no news to the operator, except for what the number of replicas hangs on.
        else if (finalizersOf(before) !== finalizersOf(klusterlet) || hubReason(before) !== hubReason(klusterlet))
          applying.add(name);
      },
    },
    signal,
  );
  const everyKlusterlet = (queues: WorkQueue[]) => {
    for (const name of cache.items.keys()) for (const queue of queues) queue.add(name);
  };
  for (const name of [bootstrapSecret, hubKubeconfigSecret, pullSecret]) {
    const options = {
      fieldSelector: `metadata.name=${name}`,
      onError,
      onChange: () => everyKlusterlet([applying, connecting]),
    };
    new Informer<Secret>(api, secrets, options, signal);
  }
  new Informer<Deployment>(
    api,
    deployments,
    { onError, onChange: (_deployment, change) => everyKlusterlet(change === 'deleted' ? all : [watchingDeployments]) },
    signal,
  );
  const timer = setInterval(() => everyKlusterlet(all), resync);
  signal.addEventListener('abort', () => clearInterval(timer));
  setReady(true);
  await cache.done;
}

/** Makes the objects, and says so. */
async function applyKlusterlet(api: Api, klusterlet: Klusterlet): Promise<void> {
  const { finalizers = [], name } = klusterlet.metadata;
  const gates: Condition = {
    type: 'ValidFeatureGates',
    status: 'True',
    reason: 'FeatureGatesAllValid',
    message: 'Feature gates are all valid',
  };
  if (!finalizers.includes(finalizer.klusterlet)) {
    const metadata = {
      finalizers: [...finalizers, finalizer.klusterlet],
      resourceVersion: klusterlet.metadata.resourceVersion,
    };
    await api.patch(klusterlets, name, { metadata });
    await setConditions(api, klusterlet, [gates]);
    // The finalizer's event goes on from here.
    return;
  }
  const wanted = wantedOf(klusterlet);
  try {
    for (const namespace of [wanted.namespace, addonNamespace]) await apply(api, namespaceObject(namespace, name));
    for (const namespace of [wanted.namespace, addonNamespace]) await copyPullSecret(api, namespace);
    const objects = staticObjects(wanted);
    for (const object of objects) await apply(api, object);
    const workloads = await applyDeployments(api, wanted, klusterlet.status?.conditions);
    const applied: Condition = {
      type: 'Applied',
      status: 'True',
      reason: 'KlusterletApplied',
      message: 'Klusterlet Component Applied',
    };
    await setConditions(api, klusterlet, [gates, applied], {
      observedGeneration: klusterlet.metadata.generation ?? 0,
      generations: workloads.map((workload) => ({
        ...reference(workload),
        lastGeneration: workload.metadata.generation,
      })),
      relatedResources: [...objects, ...workloads].map(reference),
    });
  } catch (error) {
    const { message } = error as Error;
    if (!isConflict(error)) {
      const failed: Condition = { type: 'Applied', status: 'False', reason: 'KlusterletApplyFailed', message };
      await setConditions(api, klusterlet, [gates, failed]);
    }
    throw error;
  }
}

/** Without a clue of the hub the work agent is not started (facts 5.2, end). */
async function applyDeployments(api: Api, wanted: Wanted, conditions: Condition[] = []): Promise<Deployment[]> {
  const degraded = findCondition(conditions, 'HubConnectionDegraded');
  const isUnconnected =
    !degraded || (degraded.status === 'True' && degraded.reason.includes('HubKubeConfigSecretMissing'));
  const objects = deploymentObjects(wanted, { workReplicas: isUnconnected ? 0 : 1 });
  return Promise.all(objects.map((object) => apply(api, object as unknown as Deployment)));
}

async function copyPullSecret(api: Api, namespace: string): Promise<void> {
  const source = await api.find<Secret>(secrets, `${operatorNamespace}/${pullSecret}`);
  if (!source) return;
  const { type, data } = source;
  const metadata = { name: pullSecret, namespace };
  await apply<Secret>(api, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    ...(type && { type }),
    ...(data && { data }),
  });
}

/** Stores conditions, and other parts of the status, if anything is new. */
async function setConditions(
  api: Api,
  { metadata: { name } }: Klusterlet,
  wanted: Condition[],
  rest: Partial<Klusterlet['status']> = {},
): Promise<void> {
  // The cache may be older than another controller's write: the conditions are one list, and all write it.
  for (;;) {
    const klusterlet = await api.find<Klusterlet>(klusterlets, name);
    if (!klusterlet) return;
    const present = klusterlet.status?.conditions ?? [];
    const conditions = wanted.reduce(withCondition, present);
    const isSame = Object.entries(rest).every(([field, value]) => {
      return JSON.stringify(klusterlet.status?.[field as keyof typeof rest]) === JSON.stringify(value);
    });
    if (conditions === present && isSame) return;
    const { uid, resourceVersion } = klusterlet.metadata;
    try {
      const body = { metadata: { uid, resourceVersion }, status: { ...rest, conditions } };
      await api.patch(klusterlets, name, body, { subresource: 'status' });
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
    }
  }
}

/** In all records the operator speaks of Deployments and hub only after it has applied a Klusterlet. */
function isApplied(klusterlet: Klusterlet | undefined): boolean {
  return (
    !klusterlet?.metadata.deletionTimestamp && findCondition(klusterlet?.status?.conditions, 'Applied') !== undefined
  );
}

function finalizersOf(klusterlet: Klusterlet | undefined): string | undefined {
  return klusterlet?.metadata.finalizers?.join();
}

function hubReason(klusterlet: Klusterlet | undefined): string | undefined {
  return findCondition(klusterlet?.status?.conditions, 'HubConnectionDegraded')?.reason;
}

function observed({ metadata }: Klusterlet): { observedGeneration: number } {
  return { observedGeneration: metadata.generation ?? 0 };
}

function reference(object: KubeObject) {
  const { plural, apiVersion } = resourceOf(object);
  const { name, namespace = '' } = object.metadata;
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return { group, name, namespace, resource: plural, version };
}

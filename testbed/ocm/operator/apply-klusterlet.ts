import type { Api } from '../../kube/api.ts';
import { apply } from '../../kube/apply.ts';
import { findCondition } from '../../kube/conditions.ts';
import { isConflict } from '../../kube/errors.ts';
import type { Condition, Klusterlet, KubeObject, Secret } from '../../kube/objects.ts';
import { klusterlets, resourceOf, secrets } from '../../kube/resources.ts';
import { addonNamespace, finalizer, operatorNamespace, pullSecret } from '../names.ts';
import { type Wanted, wantedOf } from './klusterlet-spec.ts';
import { setConditions } from './klusterlet-status.ts';
import { deploymentObjects, namespaceObject, staticObjects } from './manifests.ts';

const validGates: Condition = {
  type: 'ValidFeatureGates',
  status: 'True',
  reason: 'FeatureGatesAllValid',
  message: 'Feature gates are all valid',
};

const applied: Condition = {
  type: 'Applied',
  status: 'True',
  reason: 'KlusterletApplied',
  message: 'Klusterlet Component Applied',
};

/** Creates the objects of a Klusterlet, and reports it (ocm pkg/operator/operators/klusterlet). */
export async function applyKlusterlet(api: Api, klusterlet: Klusterlet): Promise<void> {
  const { finalizers = [], name, generation = 0, resourceVersion } = klusterlet.metadata;
  if (!finalizers.includes(finalizer.klusterlet)) {
    const metadata = { finalizers: [...finalizers, finalizer.klusterlet], resourceVersion };
    await api.patch(klusterlets, name, { metadata });
    // The change of the finalizers causes an event, which continues from here.
    return setConditions(api, name, [validGates]);
  }
  try {
    const objects = await applyObjects(api, wantedOf(klusterlet), klusterlet.status?.conditions);
    const workloads = objects.filter(({ kind }) => kind === 'Deployment');
    await setConditions(api, name, [validGates, applied], {
      observedGeneration: generation,
      generations: workloads.map((each) => ({ ...referenceTo(each), lastGeneration: each.metadata.generation })),
      relatedResources: objects.map(referenceTo),
    });
  } catch (error) {
    const { message } = error as Error;
    const failed: Condition = { type: 'Applied', status: 'False', reason: 'KlusterletApplyFailed', message };
    if (!isConflict(error)) await setConditions(api, name, [validGates, failed]);
    throw error;
  }
}

async function applyObjects(api: Api, wanted: Wanted, conditions: Condition[] = []): Promise<KubeObject[]> {
  const namespaces = [wanted.namespace, addonNamespace];
  for (const namespace of namespaces) await apply(api, namespaceObject(namespace, wanted.name));
  for (const namespace of namespaces) await copyPullSecret(api, namespace);
  const made: KubeObject[] = [];
  for (const object of staticObjects(wanted)) made.push(await apply<KubeObject>(api, object));
  const workReplicas = isUnconnected(conditions) ? 0 : 1;
  for (const object of deploymentObjects(wanted, { workReplicas })) made.push(await apply<KubeObject>(api, object));
  return made;
}

/** Without an address of the hub the work agent is not started. */
function isUnconnected(conditions: Condition[]): boolean {
  const degraded = findCondition(conditions, 'HubConnectionDegraded');
  return !degraded || (degraded.status === 'True' && degraded.reason.includes('HubKubeConfigSecretMissing'));
}

async function copyPullSecret(api: Api, namespace: string): Promise<void> {
  const source = await api.find<Secret>(secrets, `${operatorNamespace}/${pullSecret}`);
  if (!source) return;
  const { apiVersion, kind } = secrets;
  const { type, data } = source;
  const content = { ...(type && { type }), ...(data && { data }) };
  await apply<Secret>(api, { apiVersion, kind, metadata: { name: pullSecret, namespace }, ...content });
}

function referenceTo(object: KubeObject) {
  const { plural, apiVersion } = resourceOf(object);
  const { name, namespace = '' } = object.metadata;
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return { group, name, namespace, resource: plural, version };
}

import type { Permission } from '../kube/client/client.ts';
import type { KubeObject, Pod } from '../kube/client/objects.ts';
import { groupOf, type Resource, resources } from '../kube/client/resources.ts';
import { may } from '../kube/permissions.ts';
import { deleteObjects } from '../kube/writes.ts';
import { type Binding, type BindingPolicy, type BoundObject, objectsOf } from '../ocm/policies.ts';
import type { OpenWds } from '../spaces/open-wds.ts';

/**
 * A probe is a policy that selects one object and no WEC. A controller manager handles changes in the order in which it hears of them
 * (kubestellar v0.30.0, pkg/binding: one queue). So when it has bound an object that was created after its start and after its policy was
 * read, all from before is handled.
 */
const label = 'stellarctl.kubestellar.io/restart-probe';
const prefix = 'stellarctl-restart-probe-';

/** ConfigMaps or, where they are not watched, CustomResourceDefinitions: those always are (kubestellar pkg/util). */
const kindOf = ({ apiGroups }: OpenWds): Resource =>
  apiGroups.length === 0 || apiGroups.includes('') ? resources.configMaps : resources.customResourceDefinitions;

const placeOf = ({ namespaced }: Resource) => (namespaced ? { namespace: 'default' } : {});

export const probePermissions = (wds: OpenWds): Permission[] =>
  [resources.bindingPolicies, kindOf(wds)].flatMap((kind) =>
    ['get', 'list', 'create', 'patch', 'delete'].map((verb) => may(verb, kind, placeOf(kind))),
  );

/** The name of the probe for a start of the controller manager: an earlier probe proves nothing about it. */
export function probeFor({ metadata, status }: Pod): string {
  const restarts = (status?.containerStatuses ?? []).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
  return `${prefix}${metadata.uid?.slice(0, 8)}-${restarts}`;
}

const isProbe = ({ name }: { name: string }): boolean => name.startsWith(prefix);

/** The objects of a Binding without a probe: a policy may select all ConfigMaps. */
export const usersObjects = (binding: Binding): BoundObject[] => objectsOf(binding).filter((each) => !isProbe(each));

/** Whether a Binding is or lists a probe. */
export const hasProbe = (binding: Binding): boolean => [binding.metadata, ...objectsOf(binding)].some(isProbe);

/** Whether the controller manager is through with what came before a probe. */
export const isAnswered = (probe: string, bindings: readonly Binding[]): boolean =>
  bindings.some((binding) => binding.metadata.name === probe && objectsOf(binding).some(isProbe));

/**
 * Writes what a probe lacks: first its policy and, when the controller manager has read that, its object. A policy without any object
 * or WEC gets no Binding, but a status (kubestellar v0.30.0, seen live).
 */
export async function writeProbe(wds: OpenWds, name: string): Promise<void> {
  const { apiVersion, kind, plural, namespaced } = kindOf(wds);
  const labels = { [label]: wds.name };
  const group = 'stellarctl.kubestellar.io';
  const objectName = namespaced ? name : `${name}.${group}`;
  const object = { apiVersion, kind, metadata: { name: objectName, labels, ...placeOf(kindOf(wds)) } };
  const schema = { openAPIV3Schema: { type: 'object' } };
  const names = { plural: name, singular: name, kind: 'RestartProbe' };
  const versions = [{ name: 'v1', served: true, storage: true, schema }];
  const downsync = [{ apiGroup: groupOf(apiVersion), resources: [plural], objectNames: [objectName] }];
  // No WEC both has and lacks a label.
  const matchExpressions = ['Exists', 'DoesNotExist'].map((operator) => ({ key: label, operator }));
  const policy: BindingPolicy = {
    ...{ apiVersion: resources.bindingPolicies.apiVersion, kind: resources.bindingPolicies.kind },
    ...{ metadata: { name, labels }, spec: { clusterSelectors: [{ matchExpressions }], downsync } },
  };
  const present = await wds.kube.get<BindingPolicy>(resources.bindingPolicies, name);
  const isRead = present !== undefined && present.status?.observedGeneration === present.metadata.generation;
  const spec = namespaced ? {} : { spec: { group, scope: 'Cluster', names, versions } };
  await wds.kube.apply(isRead ? { ...object, ...spec } : policy);
}

/** Deletes the probes of a WDS, of all runs. */
export async function removeProbes(wds: OpenWds): Promise<void> {
  for (const resource of [resources.bindingPolicies, kindOf(wds)]) {
    const selection = { ...placeOf(resource), labelSelector: `${label}=${wds.name}` };
    const found = (await wds.kube.list<KubeObject>(resource, selection)) ?? [];
    const own = found.filter(({ metadata }) => isProbe(metadata));
    await deleteObjects(wds.kube, resource, own);
  }
}

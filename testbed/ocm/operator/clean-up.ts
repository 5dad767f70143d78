import { type Api, keyOf } from '../../kube/api.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { AppliedManifestWork, Klusterlet } from '../../kube/objects.ts';
import {
  appliedManifestWorks,
  customResourceDefinitions,
  deployments,
  klusterlets,
  namespaces,
  resourceOf,
  secrets,
} from '../../kube/resources.ts';
import { addonNamespace, finalizer, hubKubeconfigSecret } from '../names.ts';
import { deploymentNames, wantedOf } from './klusterlet-spec.ts';
import { staticObjects } from './manifests.ts';

/**
 * Undoes a Klusterlet that is being deleted (ocm pkg/operator/operators/klusterlet): all but the CRDs. Applied
 * workloads stay.
 */
export async function cleanUp(api: Api, klusterlet: Klusterlet, all: Klusterlet[]): Promise<void> {
  const { name, finalizers = [] } = klusterlet.metadata;
  if (!finalizers.includes(finalizer.klusterlet)) return;
  const wanted = wantedOf(klusterlet);
  for (const deployment of deploymentNames(wanted).all)
    await api.delete(deployments, `${wanted.namespace}/${deployment}`);
  await releaseWorks(api, wanted.uid);
  const removable = staticObjects(wanted).filter(({ kind }) => kind !== customResourceDefinitions.kind);
  for (const object of removable) await api.delete(resourceOf(object), keyOf(object));
  await api.delete(secrets, `${wanted.namespace}/${hubKubeconfigSecret}`);
  await api.delete(namespaces, wanted.namespace);
  const hasOthers = all.some(({ metadata }) => metadata.name !== name && !metadata.deletionTimestamp);
  if (!hasOthers) await api.delete(namespaces, addonNamespace);
  await api.patch(klusterlets, name, {
    metadata: { finalizers: finalizers.filter((entry) => entry !== finalizer.klusterlet) },
  });
}

/** The AppliedManifestWorks of this agent stay with the objects that they own; nothing removes them later. */
async function releaseWorks(api: Api, agentId: string): Promise<void> {
  const works = await api.list<AppliedManifestWork>(appliedManifestWorks).catch((error) => {
    if (isNotFound(error)) return { items: [] };
    throw error;
  });
  for (const { metadata, spec } of works.items) {
    if (spec.agentID !== agentId || !metadata.finalizers?.length) continue;
    await api.patch(appliedManifestWorks, metadata.name, { metadata: { finalizers: null } });
  }
}

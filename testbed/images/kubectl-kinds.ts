import { clusterManagementAddOns, controlPlanes, customResourceDefinitions, type Resource } from '../kube/resources.ts';
import { Exit } from '../pod-runner/program.ts';

/** The kinds that manifests of KubeFlex and KubeStellar name to kubectl, in the words that they use. */
const kinds: Record<string, Resource> = {
  'clustermanagementaddons.addon.open-cluster-management.io': clusterManagementAddOns,
  controlplane: controlPlanes,
  crd: customResourceDefinitions,
};

/** The resource that kubectl means by a word. */
export function resourceCalled(word: string): Resource {
  const resource = kinds[word];
  if (!resource) throw new Exit(`error: the server doesn't have a resource type "${word}"`);
  return resource;
}

import type { AnyObject } from '../../kube/objects.ts';
import { managedClusterSets } from '../../kube/resources.ts';

const selectors: Record<string, object> = {
  default: { selectorType: 'ExclusiveClusterSetLabel' },
  global: { selectorType: 'LabelSelector', labelSelector: {} },
};

/** The sets that every hub has: `default` by label, `global` with every cluster in it (facts 1.3). */
export function clusterSetObject(name: string): AnyObject {
  const { apiVersion, kind } = managedClusterSets;
  return { apiVersion, kind, metadata: { name }, spec: { clusterSelector: selectors[name] } };
}

/** What KubeStellar never sends from a WDS (kubestellar v0.30.0, pkg/binding, excludedGroups and excludedGroupResources). */
const groups = new Set([
  'flowcontrol.apiserver.k8s.io',
  'discovery.k8s.io',
  'apiregistration.k8s.io',
  'coordination.k8s.io',
  'control.kubestellar.io',
]);
const kinds = new Set([
  'events.',
  'events.events.k8s.io',
  'nodes.',
  'csistoragecapacities.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'endpoints.',
]);

/** Whether objects of a kind are never sent to a WEC, regardless of what selects them. */
export const isExcludedKind = ({ group, resource }: { group: string; resource: string }): boolean =>
  groups.has(group) || kinds.has(`${resource}.${group}`);

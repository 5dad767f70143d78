import { isValid, type LabelSelector, type Labels, matches } from './label-selectors.ts';

/**
 * Whether clusterSelectors select a WEC with these labels, as KubeStellar decides it (kubestellar v0.30.0, pkg/ocm
 * FindClustersBySelectors): one selector is enough, an empty one selects all, none selects nothing. One that is invalid keeps the
 * controller from looking at any. Whether the WEC is accepted, available or being deleted does not count.
 */
export const selectsLabels = (clusterSelectors: readonly LabelSelector[], labels: Labels): boolean =>
  clusterSelectors.every(isValid) && clusterSelectors.some((selector) => matches(selector, labels));

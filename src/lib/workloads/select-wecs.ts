import type { LabelSelector } from '../kube/client/objects.ts';
import { isValid, type Labels, matches } from './label-selectors.ts';

/**
 * Whether clusterSelectors select a WEC with these labels, by KubeStellar's rules (kubestellar v0.30.0, pkg/ocm
 * FindClustersBySelectors): one matching selector is sufficient, an empty one selects all, no selectors select nothing. An invalid
 * one keeps the controller from evaluating any. Whether the WEC is accepted, available or being deleted does not matter.
 */
export const selectsLabels = (clusterSelectors: readonly LabelSelector[], labels: Labels): boolean =>
  clusterSelectors.every(isValid) && clusterSelectors.some((selector) => matches(selector, labels));

import { destinationsOf, type Policy } from '../ocm/policies.ts';
import type { Labels } from './label-selectors.ts';
import { selectsLabels } from './select-wecs.ts';

/** Whether a policy sends its workload to a WEC with these labels. */
function selectsWec(policy: Policy, wec: string, labels: Labels): boolean {
  return policy.orphaned
    ? destinationsOf(policy.binding).includes(wec)
    : selectsLabels(policy.clusterSelectors, labels);
}

/** The effect of a WEC's label change on policies. Policies without any effect are in none of the lists. */
export interface LabelEffect {
  /** They stop selecting the WEC. */
  released: Policy[];
  /** They start selecting it, for example by NotIn or DoesNotExist. */
  starting: Policy[];
  /** They select it before and after: by labels that it keeps, by an empty selector, or through an orphaned Binding. */
  staying: Policy[];
}

/** Compares the labels only, regardless of what KubeStellar has processed so far. */
export function effectOfRemoval(
  policies: readonly Policy[],
  wec: string,
  labelsBefore: Labels,
  labelsAfter: Labels,
): LabelEffect {
  const effect: LabelEffect = { released: [], starting: [], staying: [] };
  for (const policy of policies) {
    const before = selectsWec(policy, wec, labelsBefore);
    const after = selectsWec(policy, wec, labelsAfter);
    if (before) (after ? effect.staying : effect.released).push(policy);
    else if (after) effect.starting.push(policy);
  }
  return effect;
}

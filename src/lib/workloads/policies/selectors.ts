import type { Labels } from '../selection/label-selectors.ts';
import { selectsLabels } from '../selection/wecs.ts';
import { destinationsOf, type Policy } from './policy.ts';

/** Whether a policy sends its workload to a WEC that has these labels. */
export function selectsWec(policy: Policy, wec: string, labels: Labels): boolean {
  return policy.orphaned
    ? destinationsOf(policy.binding).includes(wec)
    : selectsLabels(policy.clusterSelectors, labels);
}

/** What a change of a WEC's labels means to policies. Those that it means nothing to are in none of the lists. */
export interface LabelEffect {
  /** They stop selecting the WEC. */
  released: Policy[];
  /** They start selecting it, as by NotIn or DoesNotExist. */
  starting: Policy[];
  /** They select it before and after: by labels that it keeps, by an empty selector, or by a Binding that is orphaned. */
  staying: Policy[];
}

/** Judges by the labels alone, not by what KubeStellar has made of them so far. */
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

import { destinationsOf, type PoliciesOfIts, type Policy, type Unread } from '../ocm/kubestellar-api.ts';
import { type Labels, selectsLabels } from './label-selectors.ts';

/** The labels of a WEC before and after a change. */
export interface WecChange {
  name: string;
  before: Labels;
  after: Labels;
}

export type LabelEffect = 'starting' | 'released' | 'staying';

/**
 * Whether a policy starts to select a WEC, stops, or goes on: by labels that it keeps, by an empty selector, or through an orphaned
 * Binding. Compares the labels only, regardless of what KubeStellar has processed so far.
 */
export function effectOn(
  { orphaned, binding, clusterSelectors }: Policy,
  { name, before, after }: WecChange,
): LabelEffect | undefined {
  const selects = (labels: Labels) =>
    orphaned ? destinationsOf(binding).includes(name) : selectsLabels(clusterSelectors, labels);
  if (selects(before)) return selects(after) ? 'staying' : 'released';
  return selects(after) ? 'starting' : undefined;
}

/** What changes of labels do to workloads. */
export interface SideEffects {
  /** Policies that start selecting WECs. */
  starting: Selection[];
  /** Policies that stop selecting WECs: their workloads are deleted there, unless a guard keeps the last objects of a policy. */
  released: Selection[];
  unread: Unread[];
}

interface Selection {
  policy: Policy;
  wecs: string[];
}

/** Judges changes of labels by the policies that could be read. */
export function sideEffectsOf({ policies, unread }: PoliciesOfIts, changes: readonly WecChange[]): SideEffects {
  const selections = (effect: LabelEffect) =>
    policies.flatMap((policy): Selection[] => {
      const wecs = changes.flatMap((change) => (effectOn(policy, change) === effect ? change.name : []));
      return wecs.length === 0 ? [] : [{ policy, wecs }];
    });
  return { starting: selections('starting'), released: selections('released'), unread };
}

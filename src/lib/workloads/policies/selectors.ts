import { destinationsOf, type LabelSelector, type Policy } from './policy.ts';

type Labels = Readonly<Record<string, string>>;
type Requirement = NonNullable<LabelSelector['matchExpressions']>[number];

/**
 * Whether a policy selects a WEC with these labels, as KubeStellar decides it (kubestellar v0.30.0, pkg/ocm FindClustersBySelectors
 * over apimachinery's LabelSelectorAsSelector): one selector is enough, an empty one selects all, none selects nothing. One that is
 * invalid keeps the controller from looking at any.
 */
export function selects({ clusterSelectors }: Pick<Policy, 'clusterSelectors'>, labels: Labels): boolean {
  return clusterSelectors.every(isValid) && clusterSelectors.some((selector) => matches(selector, labels));
}

/** Whether a policy sends its workload to a WEC that has these labels. */
export function selectsWec(policy: Policy, wec: string, labels: Labels): boolean {
  return policy.orphaned ? destinationsOf(policy.binding).includes(wec) : selects(policy, labels);
}

const isValid = ({ matchExpressions }: LabelSelector): boolean => (matchExpressions ?? []).every(isValidRequirement);

/** labels.NewRequirement: the API server lets through what it refuses, as an In without values. */
function isValidRequirement({ operator, values = [] }: Requirement): boolean {
  if (operator === 'In' || operator === 'NotIn') return values.length > 0;
  return (operator === 'Exists' || operator === 'DoesNotExist') && values.length === 0;
}

function matches({ matchLabels, matchExpressions }: LabelSelector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels ?? {}).every(([key, value]) => labelOf(labels, key) === value) &&
    (matchExpressions ?? []).every((requirement) => fulfils(requirement, labelOf(labels, requirement.key)))
  );
}

function fulfils({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  const isOneOf = value !== undefined && values.includes(value);
  return operator === 'In' ? isOneOf : !isOneOf;
}

const labelOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

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
  labelsBefore: Readonly<Record<string, string>>,
  labelsAfter: Readonly<Record<string, string>>,
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

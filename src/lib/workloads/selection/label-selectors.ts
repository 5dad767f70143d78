import { labelKeyProblem, labelValueProblem } from '../../core/changes.ts';
import type { LabelSelector, LabelSelectorRequirement } from '../../kube/client/objects.ts';

export type Labels = Readonly<Record<string, string>>;

/** Whether apimachinery's LabelSelectorAsSelector accepts a selector: the API server admits selectors that it rejects. */
export const isValid = (selector: LabelSelector) =>
  requirementsOf(selector).every(isValidRequirement);

/** Whether a selector has no requirement, which selects everything. */
export const isEmpty = (selector: LabelSelector) => requirementsOf(selector).length === 0;

/** Whether a valid selector selects an object with these labels. */
export const matches = (selector: LabelSelector, labels: Labels) =>
  requirementsOf(selector).every((requirement) =>
    fulfils(requirement, labelOf(labels, requirement.key)),
  );

const requirementsOf = ({
  matchLabels,
  matchExpressions,
}: LabelSelector): LabelSelectorRequirement[] => [
  ...Object.entries(matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: 'In',
    values: [value],
  })),
  ...(matchExpressions ?? []),
];

/** Same rules as labels.NewRequirement. */
function isValidRequirement({ key, operator, values = [] }: LabelSelectorRequirement) {
  if (
    labelKeyProblem(key) !== undefined ||
    values.some((value) => labelValueProblem(value) !== undefined)
  )
    return false;
  if (operator === 'In' || operator === 'NotIn') return values.length > 0;
  return (operator === 'Exists' || operator === 'DoesNotExist') && values.length === 0;
}

function fulfils({ operator, values = [] }: LabelSelectorRequirement, value: string | undefined) {
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  const isOneOf = value !== undefined && values.includes(value);
  return operator === 'In' ? isOneOf : !isOneOf;
}

const labelOf = (labels: Labels, key: string) =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

/**
 * Whether clusterSelectors select a WEC with these labels, by KubeStellar's rules (kubestellar v0.30.0, pkg/ocm
 * FindClustersBySelectors): one matching selector is sufficient, an empty one selects all, no selectors select nothing. An invalid
 * one keeps the controller from evaluating any. Whether the WEC is accepted, available or being deleted does not matter.
 */
export const selectsLabels = (clusterSelectors: readonly LabelSelector[], labels: Labels) =>
  clusterSelectors.every(isValid) && clusterSelectors.some((selector) => matches(selector, labels));

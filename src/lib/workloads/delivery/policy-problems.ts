import { command, type Diagnosis, diagnosisOf, type Problem, run } from '../../core/next-step.ts';
import { isSlip } from '../../core/text/words.ts';
import { ifSeen } from '../../kube/access.ts';
import { isLiving, type KubeObject } from '../../kube/client/objects.ts';
import type { BindingPolicy, PolicySpec } from '../../ocm/model/kubestellar-names.ts';
import { selectsLabels } from '../selection/label-selectors.ts';
import type { DeliveryEvidence } from './delivery-evidence.ts';

/** The fields are an interface: docs/output.md. */
export interface PolicyProblem extends Diagnosis {
  code: string;
  severity: 'error' | 'warning';
  details: readonly string[];
}

export const problemView = (problem: Problem): PolicyProblem => ({
  code: problem.code,
  severity: problem.severity === 'warn' ? 'warning' : 'error',
  ...diagnosisOf(problem),
  details: problem.details ?? [],
});

/**
 * WECs that a slip in a label leaves out. If none is selected, the slip is more likely in the policy.
 * @param wecs those of the ITS @param its its context
 */
export function misspeltLabels(
  { clusterSelectors = [] }: PolicySpec,
  wecs: readonly KubeObject[],
  its = '',
): Problem[] {
  const asked = clusterSelectors.flatMap(({ matchLabels = {} }) => Object.entries(matchLabels));
  const unselected = wecs.filter(
    ({ metadata }) => !selectsLabels(clusterSelectors, metadata.labels ?? {}),
  );
  return (unselected.length === wecs.length ? [] : unselected).flatMap(
    ({ metadata: { name, labels = {} } }) =>
      asked.flatMap(([key, value]) => {
        const isSlipFor = ([k, v]: [string, string]) =>
          (k === key && isSlip(v, value)) || (v === value && isSlip(k, key));
        const slip = Object.entries(labels).find(isSlipFor)?.join('=');
        if (slip === undefined) return [];
        const message = `WEC ${name} is not selected: its label ${slip} is nearly ${key}=${value}.`;
        const label = command`stellarctl label ${name} ${key}=${value} --overwrite --its ${its}`;
        return {
          code: 'label-misspelt',
          message,
          next: [run(label, 'If that is a slip')],
          severity: 'warn' as const,
        };
      }),
  );
}

/** What is wrong with the WECs that policies do not select, each problem once: policies may share one. */
export function leftOut(
  policies: readonly BindingPolicy[],
  { inventory, its }: DeliveryEvidence,
): PolicyProblem[] {
  const wecs = [...(ifSeen(inventory)?.values() ?? [])];
  const problems = policies
    .filter(isLiving)
    .flatMap(({ spec = {} }) => misspeltLabels(spec, wecs, its))
    .map(problemView);
  return [...new Map(problems.map((each) => [each.problem, each])).values()];
}

import { type Check, fail, type Outcome, pass, skipped } from '../engine/checks.ts';
import { command } from '../engine/command-line.ts';
import { count } from '../engine/counts.ts';
import { run } from '../engine/next-step.ts';
import { whyUnseen } from '../kube/access.ts';
import { flagsOf, type OpenWds } from '../spaces/open-wds.ts';
import { listPolicies } from './delivery/policy-list.ts';

/** Checks of the workloads of a WDS. */
export const workloadChecks: readonly Check<OpenWds>[] = [
  {
    ...{ id: 'wds-policies', title: 'its binding policies reach their WECs' },
    needs: ['wds-api-server', 'wds-wds-crds', 'wds-kubestellar-controller', 'wds-transport-controller', 'wds-its'],
    run: judgePolicies,
  },
];

async function judgePolicies(wds: OpenWds): Promise<Outcome> {
  const { view: policies, errors } = await listPolicies(wds);
  const [first, ...others] = policies.filter(({ state }) => state === 'failed');
  if (first === undefined) {
    const why = whyUnseen(wds.its);
    if (policies.length > 0 && why !== undefined) return skipped(`its ITS is not visible: ${why}`);
    const [error] = errors;
    return policies.length > 0 && error !== undefined
      ? skipped(error.why)
      : pass(policies.length === 0 ? 'it has none' : count(policies.length, 'policy', 'policies'));
  }
  const more = others.length === 0 ? '' : `; also affected: ${others.map(({ name }) => name).join(', ')}`;
  return fail(
    'policy-failed',
    `Binding policy ${first.name} of ${wds.name} has a problem: ${first.why}${more}.`,
    run(command`stellarctl policy get ${first.name} ${flagsOf(wds)}`, 'See which objects, and why'),
  );
}

import { type Check, type Outcome, pass, skipped } from '../engine/checks.ts';
import { command } from '../engine/command-line.ts';
import { count, others } from '../engine/counts.ts';
import { run } from '../engine/next-step.ts';
import { problem } from '../engine/problem.ts';
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
  const failed = policies.filter(({ state }) => state === 'failed');
  if (failed.length === 0) {
    if (policies.length === 0) return pass('it has none');
    const why = whyUnseen(wds.its);
    if (why !== undefined) return skipped(`its ITS is not visible: ${why}`);
    const [error] = errors;
    return error === undefined ? pass(count(policies.length, 'policy', 'policies')) : skipped(error.why);
  }
  const byCause = Map.groupBy(failed, ({ why }) => why);
  const groups = [...byCause].map(([why, all]) => ({ why, names: all.map(({ name }) => name) }));
  const [first = '', ...details] = groups.map(
    ({ why, names }) =>
      `Binding ${namesOfPolicies(names)} of ${wds.name} ${names.length === 1 ? 'has' : 'have'} a problem: ${why}.`,
  );
  const next = groups.map(({ names: [name = ''] }) =>
    run(command`stellarctl policy get ${name} ${flagsOf(wds)}`, 'See which objects, and why'),
  );
  return { status: 'fail', problem: { ...problem('policy-failed', first, ...next), details } };
}

const fewNames = 5;

/** Policies with the same problem: `policies a, b`. */
export const namesOfPolicies = (names: readonly string[]): string =>
  `${names.length === 1 ? 'policy' : 'policies'} ${[...names.slice(0, fewNames), ...others(names.length, fewNames)].join(', ')}`;

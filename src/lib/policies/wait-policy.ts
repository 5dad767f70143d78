import { forName, type NamedResult } from '../core/each-name.ts';
import { command, flagsOf } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { getManagedCluster } from '../ocm/hub/find-wecs.ts';
import { describeObject } from '../ocm/model/object-ref.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import { deliveriesIn, hasReached } from '../workloads/delivery/judged-objects.ts';
import { type Open, refuseUnreturned, untilReached } from '../workloads/delivery/wait-workload.ts';
import { getPolicyView, type PolicyView } from '../workloads/policy/policy-view.ts';
import { requireIts } from '../workloads/selection/unseen.ts';
import { untilPolicyGone } from './delete-policy.ts';

export interface PolicyWait {
  name: string;
  goal: 'applied' | 'available' | 'status' | 'gone';
  /** The WECs that it must send to, and no others; undefined for those that it sends to. */
  on: readonly string[] | undefined;
}

/** `wecs`: those that it sends to. */
export type PolicyWaited = NamedResult & { wecs: string[] };

/**
 * Waits until everything that a policy selects has reached a stage on every WEC, or until the policy and its works are gone. A failed
 * stage ends the wait after a grace period. Reads only.
 * @throws StellarError `not-found` unless it waits for that
 */
export async function waitForPolicy(wait: PolicyWait, wds: Wds, run: Run): Promise<PolicyWaited> {
  const { name, goal, on } = wait;
  const its = requireIts(wds);
  await Promise.all((on ?? []).map((wec) => getManagedCluster(its, wec)));
  const see = command`stellarctl policy get ${name} ${flagsOf(wds)}`;
  const result: PolicyWaited = { name, wecs: [] };
  return forName(result, run, async () => {
    if (goal === 'gone') {
      await untilPolicyGone({ name, wds, its }, run);
      run.progress.done(name, 'gone', true);
      return;
    }
    await untilReached({ name, goal, see }, run, async () => {
      const { view, errors } = await getPolicyView(name, wds);
      result.wecs = view.wecs;
      if (goal === 'status') refuseUnreturned(`what ${name} selects`, deliveriesIn(view.objects));
      return { view: openOfPolicy(view, goal, on), errors };
    });
    run.progress.done(name, `${goal} on ${result.wecs.join(', ')}`, true);
  });
}

function openOfPolicy(
  { wecs, objects, why }: PolicyView,
  goal: Exclude<PolicyWait['goal'], 'gone'>,
  on: PolicyWait['on'],
): Open[] {
  if (on !== undefined && on.toSorted().join() !== wecs.toSorted().join())
    return [{ where: 'its WECs', why: wecs.length === 0 ? 'there are none' : wecs.join(', ') }];
  const deliveries = deliveriesIn(objects);
  if (deliveries.length === 0) return [{ where: 'no WEC', why: why ?? 'it selects no object' }];
  return deliveries
    .filter((delivery) => !hasReached(delivery, goal))
    .map((delivery) => ({
      where: `${describeObject(delivery.of)} on ${delivery.wec ?? 'no WEC'}`,
      delivery,
    }));
}

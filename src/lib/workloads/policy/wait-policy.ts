import { forName, type NamedResult } from '../../core/each-name.ts';
import { StellarError } from '../../core/errors.ts';
import { command, run as nextStep } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { met, type Verdict, waiting } from '../../core/stages.ts';
import { count } from '../../core/text/words.ts';
import { type Awaited, untilMet } from '../../core/until-met.ts';
import type { Kube } from '../../kube/client/client.ts';
import { resources } from '../../kube/client/objects.ts';
import { prove } from '../../kube/served.ts';
import { getManagedCluster } from '../../ocm/hub/find-wecs.ts';
import { wecsOf } from '../../ocm/model/manifest-works.ts';
import { describeObject } from '../../ocm/model/object-ref.ts';
import { flagsOf, type Wds } from '../../spaces/choose/open-wds.ts';
import { worksOfPolicy } from '../../spaces/choose/works-of-policy.ts';
import { deliveriesIn, hasReached } from '../delivery/judged-objects.ts';
import { type Open, refuseUnreturned, untilReached } from '../delivery/wait-workload.ts';
import { getPolicy } from '../selection/policy-subject.ts';
import { requireIts } from '../selection/unseen.ts';
import { getPolicyView, type PolicyView } from './policy-view.ts';

export interface PolicyWait {
  name: string;
  goal: 'applied' | 'status' | 'gone';
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
      await untilMet(policyGone(name, see, wds, its), run);
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
  goal: 'applied' | 'status',
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

/** A Binding is deleted after its policy, and the works after the Binding. */
function policyGone(name: string, see: string, wds: Wds, its: Kube): Awaited<Verdict> {
  return {
    name,
    async read() {
      const { object: policy } = await getPolicy(wds.kube, name);
      if (policy !== undefined)
        return waiting(
          policy.metadata.deletionTimestamp
            ? 'it is being deleted'
            : 'its deletion has not been requested',
        );
      if ((await prove(wds.kube, resources.bindings, name)).object !== undefined)
        return waiting('its Binding remains');
      const works = await worksOfPolicy(its, name, wds);
      return works.length === 0
        ? met
        : waiting(`${count(works.length, 'work')} of it on ${wecsOf(works)}`);
    },
    check: (verdict) => verdict,
    unmet: (verdict) =>
      new StellarError(
        'timeout',
        `${name} was not gone in time${'why' in verdict ? `: ${verdict.why}` : ''}.`,
        { next: [nextStep(see, 'See what remains')] },
      ),
  };
}

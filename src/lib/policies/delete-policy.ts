import { mapConcurrently } from '../core/concurrency.ts';
import { forName, type NamedResult } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { untilMet } from '../core/follow.ts';
import { command, run as nextStep } from '../core/next-step.ts';
import { type Confirm, type Effect, readConfirmed } from '../core/read-confirmed.ts';
import type { Run } from '../core/run.ts';
import { met, type Verdict, waiting } from '../core/stages.ts';
import { count } from '../core/text/words.ts';
import type { PolicyChange } from '../forecast/change.ts';
import { lostBy } from '../forecast/losses.ts';
import { readSentForecast } from '../forecast/read-policy-forecast.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { type ForeseenKube, foreseen } from '../kube/client/foreseen.ts';
import { isLiving, resources } from '../kube/client/objects.ts';
import { deleteObjects } from '../kube/writes.ts';
import { isAvailable } from '../ocm/hub/hub-evidence.ts';
import {
  holdersOf,
  type ManifestWork,
  toSeeHolders,
  wecNamesOf,
  wecsOf,
} from '../ocm/model/manifest-works.ts';
import type { ManagedCluster } from '../ocm/model/ocm-objects.ts';
import { senderOf } from '../ocm/sender.ts';
import { toSeeWds, type Wds } from '../spaces/choose/open-wds.ts';
import { provenWorks, worksOfPolicy } from '../spaces/choose/works-of-policy.ts';
import { getPolicy } from '../workloads/selection/policy-subject.ts';
import { requireIts } from '../workloads/selection/unseen.ts';
import { deleteBoth, isOwnerless, readBoth, releasePolicy } from './keep-policy-workloads.ts';

export interface PolicyDeletion {
  name: string;
  /** Keep the workloads running on the WECs. */
  keepWorkloads?: boolean | undefined;
  confirm: Confirm<PolicyToDelete>;
}

/**
 * Deletes a policy and waits until its works are removed from the mailboxes, or keeps the workloads running. A rerun resumes an
 * interrupted deletion.
 * @throws StellarError before anything is written: what inspectPolicy throws, `not-confirmed`
 */
export async function deletePolicy(
  { name, keepWorkloads, confirm }: PolicyDeletion,
  wds: Wds,
  run: Run,
): Promise<NamedResult> {
  const found = await readConfirmed({
    read: () => inspectPolicy(name, wds, { keepsWorkloads: keepWorkloads }),
    effects: agreedTo,
    confirm,
  });
  const {
    policy: { object: policy },
    binding: { object: binding },
  } = found;
  const result: NamedResult = { name, changed: false };
  return forName(result, run, async () => {
    const its = foreseen(found.its, found.effects);
    const inWds = { ...wds, kube: foreseen(wds.kube, found.effects) };
    if (keepWorkloads) await releasePolicy({ name, policy, binding, wds: inWds, its }, name, run);
    else await deleteBoth(inWds.kube, policy, binding);
    await untilPolicyGone(found, run, its);
    if (run.dryRun) return;
    if (hasRemains(found)) run.progress.done(name, 'deleted', true);
    else run.progress.done(name, 'not found; nothing to do');
  });
}

/** Whether anything of the policy exists, such as the remains of an interrupted deletion. */
export const hasRemains = ({ policy, binding, works }: PolicyToDelete) =>
  policy.object !== undefined || isOwnerless(binding.object) || works.length > 0;

/** What a user agrees to lose with a policy. */
export const agreedTo = ({ policy: { object }, effects }: PolicyToDelete): Effect[] => [
  ...(object === undefined
    ? []
    : [{ object: `policy ${object.metadata.name}`, uid: object.metadata.uid }]),
  ...lostBy(effects),
];

type Remains = Pick<PolicyToDelete, 'policy' | 'binding' | 'works'> & {
  /** The WECs of these works, as far as they are read, whose agents do not report. */
  silent: string[];
};

/** So many WECs that works remain on are read. */
const mostRead = 3;

async function silentOf(its: Kube, works: readonly ManifestWork[]) {
  const named = await mapConcurrently(wecNamesOf(works).slice(0, mostRead), async (wec) => {
    const found = await tryRead(() => its.get<ManagedCluster>(resources.managedClusters, wec));
    return isAvailable({ managedCluster: ifSeen(found) }) ? [] : wec;
  });
  return named.flat();
}

/**
 * Waits until a policy is gone with its Binding and its works.
 * @param mailboxes deletes works that nothing else does, if it is given; the Binding may then remain
 */
export async function untilPolicyGone(
  { name, wds, its }: Pick<PolicyToDelete, 'name' | 'wds' | 'its'>,
  run: Run,
  mailboxes?: ForeseenKube,
): Promise<void> {
  const check = ({ policy: { object: policy }, binding, works, silent }: Remains): Verdict => {
    if (policy !== undefined && isLiving(policy))
      return waiting('its deletion has not been requested');
    if (works.length > 0)
      return waiting(
        `removing ${count(works.length, 'work')} from ${wecsOf(works)}${silent.length === 0 ? '' : `; not available: ${silent.join(', ')}`}`,
      );
    if (policy !== undefined) return waiting('it is being deleted');
    return mailboxes || binding.object === undefined ? met : waiting('its Binding remains');
  };
  await untilMet<Remains>(
    {
      name,
      check,
      // The works are read after the Binding: the transport releases the Binding once it has deleted its works.
      async read() {
        const both = await readBoth(name, wds.kube);
        const works = await worksOfPolicy(its, name, wds);
        return { ...both, works, silent: await silentOf(its, works) };
      },
      // With a Binding, the transport deletes only the works of the WECs that the Binding names at that time. Works of a WEC that
      // it dropped unnoticed stay, and nothing deletes them.
      act: async ({ policy, binding, works }) => {
        if (mailboxes && policy.object === undefined && binding.object === undefined)
          await deleteObjects(mailboxes, resources.manifestWorks, works.filter(isLiving));
      },
      unmet: (last) => {
        const verdict = check(last);
        const why = verdict.state === 'met' ? '' : `: ${verdict.why}`;
        return new StellarError(
          'timeout',
          `Policy ${name} was not gone in time${why}.`,
          ...toSeeHolders(last.works, its.cluster.context),
          ...toSeeWds(wds, 'Do the controllers of the WDS run?'),
          nextStep(
            command`stellarctl wec list --its ${its.cluster.context}`,
            'Do the agents of the WECs run?',
          ),
        ).with({
          details: last.works.flatMap((work) =>
            holdersOf(work).map(
              (holder) => `${work.metadata.name} is blocked by finalizer ${holder}`,
            ),
          ),
        });
      },
    },
    run,
  );
}

/** A policy to delete, with what it has sent. A Binding without its policy shows an interrupted deletion. */
export type PolicyToDelete = Awaited<ReturnType<typeof inspectPolicy>>;

/** What becomes of a policy: it is deleted, unless it sends something else. */
type Becoming = Partial<Pick<PolicyChange, 'after' | 'keepsWorkloads'>>;

/**
 * @throws StellarError if the ITS is not reachable, or does not show which works belong to the WDS (`identity-unproven`): the
 * objects that would be removed from the WECs are then unknown
 */
export async function inspectPolicy(name: string, wds: Wds, becoming: Becoming = {}) {
  const its = requireIts(wds);
  const [policy, { binding, works }] = await Promise.all([
    getPolicy(wds.kube, name),
    provenWorks(name, wds, its),
  ]);
  const sender = works.length === 0 ? wds.name : await senderOf(wds, its);
  const change = { name, after: null, ...becoming };
  const effects = await readSentForecast(its, [change], works, { sender });
  return { name, wds, policy, binding, its, works, effects };
}

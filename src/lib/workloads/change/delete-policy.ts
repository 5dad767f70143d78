import { command } from '../../engine/command-line.ts';
import { count } from '../../engine/counts.ts';
import { forName, type NamedResult } from '../../engine/each-name.ts';
import { StellarError } from '../../engine/errors.ts';
import { run as nextStep } from '../../engine/next-step.ts';
import { type Confirm, readConfirmed } from '../../engine/read-confirmed.ts';
import type { Run } from '../../engine/run.ts';
import { met, waiting } from '../../engine/stages.ts';
import { untilMet } from '../../engine/until-met.ts';
import { holdersOf, toSeeHolders } from '../../hub/holders.ts';
import { isOrphan, makeOrphans } from '../../hub/orphan-works.ts';
import type { Kube } from '../../kube/client/client.ts';
import { resources } from '../../kube/resources.ts';
import { getServed } from '../../kube/served.ts';
import { patchCurrent } from '../../kube/writes.ts';
import { labelValueProblem } from '../../model/labels.ts';
import { type ManifestWork, wecsOf } from '../../model/manifest-works.ts';
import type { Binding, BindingPolicy } from '../../model/policies.ts';
import { type OpenWds, toSeeWds } from '../../spaces/open-wds.ts';
import { worksOfPolicy } from '../../spaces/sender.ts';
import { getPolicy } from '../explain/subject.ts';
import { inspectPolicy, type PolicyToDelete } from './inspect-policy.ts';

export interface PolicyDeletion {
  name: string;
  /** Keep the workloads running on the WECs. */
  keepWorkloads?: boolean | undefined;
  confirm: Confirm<PolicyToDelete>;
}

export interface PolicyDeleted extends NamedResult {
  changed: boolean;
}

/**
 * Deletes a policy and waits until its works are removed from the mailboxes, or keeps the workloads running. A rerun resumes an
 * interrupted deletion.
 * @throws StellarError before anything is written: what inspectPolicy throws, `not-confirmed`
 */
export async function deletePolicy(
  { name, keepWorkloads, confirm }: PolicyDeletion,
  wds: OpenWds,
  run: Run,
): Promise<PolicyDeleted> {
  const found = await readConfirmed({ read: () => inspectPolicy(name, wds), losses: lossesOfPolicy, confirm });
  const { policy, binding } = found;
  const result: PolicyDeleted = { name, changed: hasRemains(found) };
  return forName(result, run, async () => {
    if (keepWorkloads) await releaseWorkloads(found, run);
    else await deleteBoth(found, policy, binding);
    await untilWorksGone(found, run);
    if (run.dryRun) return;
    if (hasRemains(found)) run.progress.done(name, 'deleted', true);
    else run.progress.done(name, 'not found; nothing to do');
  });
}

/** Whether anything of the policy exists, such as the remains of an interrupted deletion. */
export const hasRemains = ({ policy, binding, works }: PolicyToDelete): boolean =>
  policy !== undefined || isOwnerless(binding) || isHeldForGood(binding) || works.length > 0;

const isOwnerless = (binding: Binding | undefined): binding is Binding =>
  binding !== undefined && !binding.metadata.ownerReferences?.length;

/**
 * Whether the transport never releases a Binding that is being deleted. It selects its works by a label that cannot hold the
 * Binding's name (kubestellar v0.30.0, pkg/transport/generic): there are none.
 */
const isHeldForGood = (binding: Binding | undefined): binding is Binding =>
  binding?.metadata.deletionTimestamp !== undefined && labelValueProblem(binding.metadata.name) !== undefined;

const transportFinalizer = 'transport.kubestellar.io/object-cleanup';

/** What a user agrees to lose with a policy. */
export const lossesOfPolicy = ({ policy, effects }: PolicyToDelete): string[] => [
  ...(policy === undefined ? [] : [`policy ${policy.metadata.name} (${policy.metadata.uid})`]),
  ...effects.flatMap(({ wec, removed, removedWithNamespace }) =>
    [...removed, ...removedWithNamespace].map((object) => `${object} on ${wec}`),
  ),
];

/** A Binding with a policy is deleted with the policy. */
async function deleteBoth(
  { wds: { kube }, name }: PolicyToDelete,
  policy: BindingPolicy | undefined,
  binding: Binding | undefined,
): Promise<void> {
  if (policy !== undefined) await kube.delete(resources.bindingPolicies, name, { uid: policy.metadata.uid });
  else if (isOwnerless(binding)) await kube.delete(resources.bindings, name, { uid: binding.metadata.uid });
}

/**
 * Keeps the workloads: without its policy the Binding is frozen, so nothing reverts the works while they release ownership. Only
 * then the Binding is deleted, and the works with it. This order was observed to work with KubeStellar's controllers.
 */
async function releaseWorkloads({ name, wds, policy, its, sender }: PolicyToDelete, run: Run): Promise<void> {
  if (policy !== undefined)
    await wds.kube.delete(resources.bindingPolicies, name, { uid: policy.metadata.uid, orphan: true });
  await untilBindingOrphaned(name, wds, run);
  const otherwise = {
    state: `Policy ${name} is deleted; its Binding, the works and the workloads are still there.`,
    next: (wec: string) =>
      nextStep(command`stellarctl wec get ${wec} --its ${its.cluster.context}`, 'Fix the objects, then run it again'),
  };
  for (let works = await worksOfPolicy(its, name, sender); ; works = await worksOfPolicy(its, name, sender)) {
    await makeOrphans(its, works, run, undefined, otherwise);
    if (run.dryRun || works.every(isOrphan)) break;
  }
  const binding = await getServed<Binding>(wds.kube, resources.bindings, name);
  if (binding !== undefined && (run.dryRun || isOwnerless(binding)))
    await wds.kube.delete(resources.bindings, name, { uid: binding.metadata.uid });
}

async function readBoth(name: string, { kube }: OpenWds) {
  const [policy, binding] = await Promise.all([
    getPolicy(kube, name),
    getServed<Binding>(kube, resources.bindings, name),
  ]);
  return { policy, binding };
}

/** Waits until the policy is deleted and nothing changes the Binding. */
async function untilBindingOrphaned(name: string, wds: OpenWds, run: Run): Promise<void> {
  await untilMet(
    {
      name,
      check: ({ policy, binding }) => {
        if (policy !== undefined) return waiting('the policy is being deleted');
        return binding === undefined || isOwnerless(binding)
          ? met
          : waiting('the Binding still has its policy as owner');
      },
      read: () => readBoth(name, wds),
      // In a WDS that is seconds old, the garbage collector may not know Bindings yet. It then keeps the reference to the deleted
      // owner, and deletes the Binding because of it later.
      act: async ({ policy, binding }) => {
        if (policy === undefined && binding !== undefined)
          await patchCurrent(wds.kube, resources.bindings, binding, ({ metadata: { ownerReferences = [] } }) => ({
            ownerReferences: ownerReferences.filter(({ kind }) => kind !== resources.bindingPolicies.kind),
          }));
      },
      unmet: ({ policy }) =>
        new StellarError(
          'timeout',
          `${policy === undefined ? 'The Binding' : 'The policy'} ${name} was not released in time: the workloads are still there.`,
          { next: toSeeWds(wds, 'Do its controllers run?') },
        ),
    },
    run,
  );
}

async function untilWorksGone({ name, wds, its, sender }: PolicyToDelete, run: Run): Promise<void> {
  await untilMet<{ policy: BindingPolicy | undefined; binding: Binding | undefined; works: readonly ManifestWork[] }>(
    {
      name,
      check: ({ policy, binding, works }) => {
        if (binding !== undefined && labelValueProblem(name) !== undefined)
          return waiting('the Binding is being deleted');
        if (works.length > 0) return waiting(`removing ${count(works.length, 'work')} from ${wecsOf(works)}`);
        return policy === undefined ? met : waiting('the policy is being deleted');
      },
      read: async () => {
        const both = await readBoth(name, wds);
        // Read after the Binding: the transport releases the Binding once it has deleted its works.
        const works = await worksOfPolicy(its, name, sender);
        return { ...both, works };
      },
      // With a Binding, the transport deletes only the works of the WECs that the Binding names at that time. Works of a WEC that
      // it dropped unnoticed stay, and nothing deletes them.
      act: async ({ policy, binding, works }) => {
        if (isHeldForGood(binding)) await releaseBinding(wds.kube, binding);
        if (policy === undefined && binding === undefined) for (const work of works) await deleteWork(its, work);
      },
      unmet: ({ works }) =>
        new StellarError(
          'timeout',
          works.length === 0
            ? `Policy ${name} was not deleted in time.`
            : `The works of ${name} were not removed in time; ${count(works.length, 'work')} left on ${wecsOf(works)}.`,
          {
            details: works.flatMap((work) =>
              holdersOf(work).map((holder) => `${work.metadata.name} is blocked by finalizer ${holder}`),
            ),
            next: [
              ...toSeeHolders(works, its.cluster.context),
              ...toSeeWds(wds, 'Do the controllers of the WDS run?'),
              nextStep(command`stellarctl wec list --its ${its.cluster.context}`, 'Do the agents of the WECs run?'),
            ],
          },
        ),
    },
    run,
  );
}

const releaseBinding = (kube: Kube, binding: Binding): Promise<unknown> =>
  patchCurrent(kube, resources.bindings, binding, ({ metadata: { finalizers = [] } }) => ({
    finalizers: finalizers.filter((finalizer) => finalizer !== transportFinalizer),
  }));

async function deleteWork(its: Kube, { metadata }: ManifestWork): Promise<void> {
  const { name, namespace, uid, deletionTimestamp } = metadata;
  if (deletionTimestamp === undefined) await its.delete(resources.manifestWorks, name, { namespace, uid });
}

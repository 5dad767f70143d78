import { StellarError } from '../core/errors.ts';
import { untilMet } from '../core/follow.ts';
import { command, run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { met, waiting } from '../core/stages.ts';
import type { Kube } from '../kube/client/client.ts';
import type { ForeseenKube } from '../kube/client/foreseen.ts';
import { resources } from '../kube/client/objects.ts';
import { prove } from '../kube/served.ts';
import { patchCurrent } from '../kube/writes.ts';
import type { Binding, BindingPolicy } from '../ocm/model/kubestellar-names.ts';
import { isOrphan } from '../ocm/model/manifest-works.ts';
import { makeOrphans } from '../ocm/orphan-works.ts';
import { toSeeWds, type Wds } from '../spaces/choose/open-wds.ts';
import { worksOfPolicy } from '../spaces/choose/works-of-policy.ts';

/** A policy whose workloads are kept, or what is left of it. */
export interface PolicyToRelease {
  name: string;
  /** Undefined if it is already deleted. */
  policy: BindingPolicy | undefined;
  binding: Binding | undefined;
  wds: Pick<Wds, 'name' | 'sender' | 'beside' | 'isContext'> & { kube: ForeseenKube };
  its: ForeseenKube;
}

/**
 * Deletes a policy and keeps its workloads. The Binding is released before: the garbage collector of a WDS that is seconds old may
 * not know Bindings yet, and later deletes one whose owner is gone. Without its policy the Binding is frozen, so nothing reverts
 * the works while they release ownership. Only then the Binding is deleted, and the works with it. This order was observed to work
 * with KubeStellar's controllers. A rerun resumes.
 * @param subject whose progress shows the wait
 */
export async function releasePolicy(
  { name, policy, binding, wds, its }: PolicyToRelease,
  subject: string,
  run: Run,
) {
  await disown(wds.kube, binding);
  if (policy !== undefined)
    await wds.kube.delete(resources.bindingPolicies, policy, { orphan: true });
  await untilBindingOrphaned(name, wds, subject, run);
  const otherwise = {
    state: `Policy ${name} is deleted; its Binding, the works and the workloads are still there.`,
    next: (wec: string) =>
      nextStep(
        command`stellarctl wec get ${wec} --its ${its.cluster.context}`,
        'Fix the objects, then run it again',
      ),
  };
  for (;;) {
    const works = await worksOfPolicy(its, name, wds);
    await makeOrphans(its, works, run, otherwise);
    if (run.dryRun || works.every(isOrphan)) break;
  }
  const { object: frozen } = await prove<Binding>(wds.kube, resources.bindings, name);
  if (frozen !== undefined && (run.dryRun || isOwnerless(frozen)))
    await wds.kube.delete(resources.bindings, frozen);
}

/** Removes the policy as owner of its Binding. KubeStellar writes it again only with another change of the Binding. */
async function disown(kube: ForeseenKube, binding: Binding | undefined) {
  if (binding !== undefined && !isOwnerless(binding))
    await patchCurrent(
      kube,
      resources.bindings,
      binding,
      ({ metadata: { ownerReferences = [] } }) => ({
        ownerReferences: ownerReferences.filter(
          ({ kind }) => kind !== resources.bindingPolicies.kind,
        ),
      }),
    );
}

/** Whether a Binding has no policy as owner, as after an interrupted deletion that keeps workloads. */
export const isOwnerless = (binding: Binding | undefined): binding is Binding =>
  binding !== undefined && !binding.metadata.ownerReferences?.length;

/** Reads a policy and its Binding. */
export async function readBoth(name: string, kube: Kube) {
  const [policy, binding] = await Promise.all([
    prove<BindingPolicy>(kube, resources.bindingPolicies, name),
    prove<Binding>(kube, resources.bindings, name),
  ]);
  return { policy, binding };
}

/** Deletes a policy and what it has sent. A Binding with a policy is deleted with the policy. */
export async function deleteBoth(
  kube: ForeseenKube,
  policy: BindingPolicy | undefined,
  binding: Binding | undefined,
) {
  if (policy !== undefined) await kube.delete(resources.bindingPolicies, policy);
  if (isOwnerless(binding)) await kube.delete(resources.bindings, binding);
}

/** Waits until the policy is deleted and nothing changes the Binding. */
async function untilBindingOrphaned(
  name: string,
  wds: PolicyToRelease['wds'],
  subject: string,
  run: Run,
) {
  const read = () => readBoth(name, wds.kube);
  type Both = Awaited<ReturnType<typeof read>>;
  const check = ({ policy, binding }: Both) => {
    if (policy.object !== undefined) return waiting('the policy is being deleted');
    if (binding.object === undefined || isOwnerless(binding.object)) return met;
    return waiting('the Binding still has its policy as owner');
  };
  const act = async ({ policy, binding }: Both) => {
    if (policy.object === undefined) await disown(wds.kube, binding.object);
  };
  const unmet = ({ policy }: Both) => {
    const message = `${policy.object === undefined ? 'The Binding' : 'The policy'} ${name} was not released in time`;
    const next = toSeeWds(wds, 'Do its controllers run?');
    return new StellarError('timeout', `${message}: the workloads are still there.`, ...next);
  };
  await untilMet({ name: subject, check, read, act, unmet }, run);
}

import { command } from '../../engine/command-line.ts';
import { mapConcurrently, requestsAtOnce } from '../../engine/concurrency.ts';
import { StellarError } from '../../engine/errors.ts';
import { run } from '../../engine/next-step.ts';
import { whyUnseen } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { resources } from '../../kube/resources.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import { labelValueProblem } from '../../wecs/labels.ts';
import { getPolicy } from '../explain/subject.ts';
import { type ManifestWork, objectsIn } from '../manifest-works.ts';
import { originBindingLabel, originWdsLabel } from '../names.ts';
import { isOrphan } from '../orphan-works.ts';
import { type Binding, type BindingPolicy, destinationsOf } from '../policies/policy.ts';

/** What becomes of the objects of a policy on one WEC. */
export interface Leaving {
  wec: string;
  /** Objects that go, as `ConfigMap shop/settings`. */
  removed: string[];
  /** Objects that stay, because another work has them as well, or their work leaves them. */
  staying: string[];
  /** Objects that would stay, or are of other works, and are in a Namespace that goes. */
  takenAlong: string[];
}

/** A policy that is to be deleted, with what it has sent. */
export interface PolicyToDelete {
  name: string;
  wds: OpenWds;
  /** Undefined where it is gone already. */
  policy: BindingPolicy | undefined;
  /** One that has lost its policy marks a deletion that was interrupted. */
  binding: Binding | undefined;
  its: Kube;
  works: ManifestWork[];
  leaving: Leaving[];
}

/** @throws StellarError where the ITS cannot be reached, or the WDS has another name there (`identity-unproven`): what would leave the WECs is not seen then */
export async function inspectPolicy(name: string, wds: OpenWds): Promise<PolicyToDelete> {
  const { its } = wds;
  if (its.state !== 'seen') throw itsUnseen(name, its);
  const { kube } = its.value;
  const [policy, binding, works] = await Promise.all([
    getPolicy(wds.kube, name),
    wds.kube.get<Binding>(resources.bindings, name),
    worksOfPolicy(kube, name, wds.name),
  ]);
  if (works.length === 0 && destinationsOf(binding).length > 0) await refuseOtherName(name, wds, kube);
  const wecs = [...new Set(works.flatMap(({ metadata }) => metadata.namespace ?? []))].sort();
  const leaving = await mapConcurrently(wecs, requestsAtOnce, async (wec) => {
    const all = (await kube.list<ManifestWork>(resources.manifestWorks, { namespace: wec })) ?? [];
    return leavingFrom(wec, works, all);
  });
  return { name, wds, policy, binding, its: kube, works, leaving };
}

/** Works by their labels: their names depend on how many objects one may have. What no label can hold is the policy of none, and would be more than one requirement of a selector. Without a WDS: those of policies of this name in all WDSes. */
export async function worksOfPolicy(its: Kube, policy: string, wds?: string): Promise<ManifestWork[]> {
  if (labelValueProblem(policy) !== undefined) return [];
  const ofWds = wds === undefined ? '' : `,${originWdsLabel}=${wds}`;
  const labelSelector = `${originBindingLabel}=${policy}${ofWds}`;
  return (await its.list<ManifestWork>(resources.manifestWorks, { labelSelector })) ?? [];
}

/** Works carry the name of their WDS, and a context may have another one: what the policy has sent would seem to be nothing, and be removed. */
async function refuseOtherName(policy: string, { name, context }: OpenWds, its: Kube): Promise<void> {
  const all = await worksOfPolicy(its, policy);
  const [other] = all.flatMap(({ metadata }) => metadata.labels?.[originWdsLabel] ?? []);
  if (other === undefined) return;
  throw new StellarError(
    'identity-unproven',
    `${its.cluster.context} has works of a policy ${policy} of WDS ${other}, and none of ${name}: a context counts as the name of its WDS where no hosting cluster tells. Nothing was written.`,
    { next: [run(command`kubectl config rename-context ${context} ${other}`, 'If they are one WDS')] },
  );
}

function leavingFrom(wec: string, works: readonly ManifestWork[], all: readonly ManifestWork[]): Leaving {
  const own = works.filter(({ metadata }) => metadata.namespace === wec);
  const uids = new Set(own.map(({ metadata }) => metadata.uid));
  const others = new Set(all.filter(({ metadata }) => !uids.has(metadata.uid)).flatMap(objectsIn));
  const stays = (work: ManifestWork) => (object: string) => isOrphan(work) || others.has(object);
  const removed = own.flatMap((work) => objectsIn(work).filter((object) => !stays(work)(object)));
  const kept = own.flatMap((work) => objectsIn(work).filter(stays(work)));
  const spaces = removed.flatMap((object) => /^Namespace (.+)$/.exec(object)?.[1] ?? []);
  const isInside = (object: string) => spaces.some((space) => object.includes(` ${space}/`));
  return {
    ...{ wec, removed, staying: kept.filter((object) => !isInside(object)) },
    takenAlong: [...new Set([...others, ...kept])].filter(isInside),
  };
}

function itsUnseen(name: string, its: OpenWds['its']): StellarError {
  if (its.state === 'hidden' && its.error !== undefined) return its.error;
  return new StellarError('unreachable', `What policy ${name} has sent cannot be seen: ${whyUnseen(its)}.`);
}

import { mapConcurrently, requestsAtOnce } from '../../engine/concurrency.ts';
import type { Kube } from '../../kube/client/client.ts';
import { resources } from '../../kube/resources.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import { labelValueProblem } from '../../wecs/labels.ts';
import { getPolicy } from '../explain/subject.ts';
import { type ManifestWork, objectsIn } from '../manifest-works.ts';
import { originBindingLabel, originWdsLabel } from '../names.ts';
import { isOrphan } from '../orphan-works.ts';
import type { Binding, BindingPolicy } from '../policies/policy.ts';
import { provenSender } from '../policies/sender.ts';
import { requireIts } from '../unseen.ts';

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
  /** The name of the WDS on its works; undefined where none is of it. */
  sender: string | undefined;
  works: ManifestWork[];
  leaving: Leaving[];
}

/** @throws StellarError where the ITS cannot be reached, or does not tell which works are of the WDS (`identity-unproven`): what would leave the WECs is not seen then */
export async function inspectPolicy(name: string, wds: OpenWds): Promise<PolicyToDelete> {
  const its = requireIts(wds);
  const [policy, bindings = []] = await Promise.all([
    getPolicy(wds.kube, name),
    wds.kube.list<Binding>(resources.bindings),
  ]);
  const binding = bindings.find(({ metadata }) => metadata.name === name);
  const sender = await provenSender(wds, bindings, its);
  const works = await worksOfPolicy(its, name, sender);
  const wecs = [...new Set(works.flatMap(({ metadata }) => metadata.namespace ?? []))].sort();
  const leaving = await mapConcurrently(wecs, requestsAtOnce, async (wec) => {
    const all = (await its.list<ManifestWork>(resources.manifestWorks, { namespace: wec })) ?? [];
    return leavingFrom(wec, works, all);
  });
  return { name, wds, policy, binding, its, sender, works, leaving };
}

/**
 * Works by their labels: their names depend on how many objects one may have. What no label can hold is the policy of none, and would be
 * more than one requirement of a selector.
 * @param sender the name of the WDS on its works; undefined where none is of it
 */
export async function worksOfPolicy(its: Kube, policy: string, sender: string | undefined): Promise<ManifestWork[]> {
  if (sender === undefined || labelValueProblem(policy) !== undefined) return [];
  const labelSelector = `${originBindingLabel}=${policy},${originWdsLabel}=${sender}`;
  return (await its.list<ManifestWork>(resources.manifestWorks, { labelSelector })) ?? [];
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

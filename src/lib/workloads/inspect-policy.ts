import { concurrentRequests, mapConcurrently } from '../core/concurrency.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import { listServed } from '../kube/served.ts';
import { type ManifestWork, objectsIn, wecNamesOf } from '../ocm/manifest-works.ts';
import { isOrphan } from '../ocm/orphan-works.ts';
import type { Binding, BindingPolicy } from '../ocm/policies.ts';
import type { OpenWds } from '../spaces/open-wds.ts';
import { provenWorks } from '../spaces/sender.ts';
import { getPolicy } from './policy-subject.ts';
import { requireIts } from './unseen.ts';

/** What happens to the objects of a policy on one WEC. */
export interface DeletionEffect {
  wec: string;
  /** Objects that are removed, for example `ConfigMap shop/settings`. */
  removed: string[];
  /** Objects that stay, because another work also has them, or because their work orphans them. */
  staying: string[];
  /** Objects that would stay or belong to other works, but are in a Namespace that is removed. */
  removedWithNamespace: string[];
}

/** A policy to delete, with what it has sent. */
export interface PolicyToDelete {
  name: string;
  wds: OpenWds;
  /** Undefined if it is already deleted. */
  policy: BindingPolicy | undefined;
  /** A Binding without its policy shows an interrupted deletion. */
  binding: Binding | undefined;
  its: Kube;
  works: ManifestWork[];
  effects: DeletionEffect[];
}

/**
 * @throws StellarError if the ITS is not reachable, or does not show which works belong to the WDS (`identity-unproven`): the
 * objects that would be removed from the WECs are then unknown
 */
export async function inspectPolicy(name: string, wds: OpenWds): Promise<PolicyToDelete> {
  const its = requireIts(wds);
  const [policy, { binding, works }] = await Promise.all([getPolicy(wds.kube, name), provenWorks(name, wds, its)]);
  const wecs = wecNamesOf(works).sort();
  const effects = await mapConcurrently(wecs, concurrentRequests, async (wec) => {
    const all = await listServed<ManifestWork>(its, resources.manifestWorks, { namespace: wec });
    return effectOn(wec, works, all);
  });
  return { name, wds, policy, binding, its, works, effects };
}

function effectOn(wec: string, works: readonly ManifestWork[], all: readonly ManifestWork[]): DeletionEffect {
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
    removedWithNamespace: [...new Set([...others, ...kept])].filter(isInside),
  };
}

import { mapConcurrently } from '../core/concurrency.ts';
import { tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { isLiving, type KubeObject, type Resource, resources } from '../kube/client/objects.ts';
import { listServed } from '../kube/served.ts';
import { type Binding, originBindingLabel, originWdsLabel } from './model/kubestellar-names.ts';
import type { ObjectOnWec, ObjectView } from './model/object-ref.ts';

/** The origin that a work in a mailbox names. */
export interface Origin {
  wds: string;
  binding: string;
  /** Undefined if the work's name does not contain it. */
  bindingUid: string | undefined;
  /** Whose mailbox it is in. */
  wec: string;
}

/**
 * Reads the origins of KubeStellar's works in all mailboxes, without those that are being deleted.
 * @param known WDSes whose works are left out
 */
export async function readOrigins(hub: Kube, known: readonly string[] = []): Promise<Origin[]> {
  const others = known.length === 0 ? [] : [`${originWdsLabel} notin (${known.join()})`];
  const query = { labelSelector: [originWdsLabel, ...others].join(), metadataOnly: true };
  const works = await listServed(hub, resources.manifestWorks, query);
  return works.filter(isLiving).flatMap((work) => originOf(work) ?? []);
}

/**
 * A work of one object is named BINDING-UID-WDS-OBJECT-UID, a work of several objects BINDING-WDS-NUMBER (kubestellar v0.30.0,
 * wrapBatch).
 */
export function originOf({ metadata }: KubeObject): Origin | undefined {
  const { [originWdsLabel]: wds, [originBindingLabel]: binding } = metadata.labels ?? {};
  if (wds === undefined || binding === undefined) return undefined;
  const [bindingUid] =
    /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=-)/.exec(metadata.name) ?? [];
  return {
    wds,
    binding,
    wec: metadata.namespace ?? '',
    bindingUid: metadata.name.startsWith(`${bindingUid}-${wds}-`) ? bindingUid : undefined,
  };
}

/** Whether a work comes from a Binding of a WDS of the name that it carries: WDSes of several hosting clusters may have one name. */
export const isFrom = (
  { binding, bindingUid }: Origin,
  { metadata: { name, uid } }: Pick<Binding, 'metadata'>,
): boolean => name === binding && (bindingUid === undefined || uid === bindingUid);

/** Whether a work comes from one of some Bindings: its label has only the name of its WDS. */
export const comesFromAny =
  (bindings: readonly Pick<Binding, 'metadata'>[]) =>
  (work: KubeObject): boolean => {
    const origin = originOf(work);
    return origin !== undefined && bindings.some((binding) => isFrom(origin, binding));
  };

/** Whether a work has applied an object on a WEC: its agent makes the record of the work an owner (ocm pkg/work/spoke). */
const isAppliedByWork = ({ metadata }: KubeObject): boolean =>
  (metadata.ownerReferences ?? []).some(({ kind }) => kind === resources.appliedManifestWorks.kind);

/** Of so many WECs, so many objects are looked for. */
const mostLookedFor = 20;

/** An object that may be on a WEC already. */
interface Sought {
  resource: Resource;
  object: ObjectView;
}

/**
 * Objects that are on WECs already, and that no work has applied: an agent overwrites them, and removes them with the work.
 * @param openOn opens a WEC; undefined or an error if no context is proven to lead there, of which nothing is said
 */
export async function findUnapplied(
  wecs: readonly string[],
  objects: readonly Sought[],
  openOn: (wec: string) => Promise<Kube | undefined>,
): Promise<ObjectOnWec[]> {
  const sought = objects.slice(0, mostLookedFor);
  const looked = await mapConcurrently(wecs.slice(0, mostLookedFor), async (wec) => {
    const found = await tryRead(async () => {
      const kube = await openOn(wec);
      if (kube === undefined) return [];
      return mapConcurrently(sought, async ({ resource, object }) => {
        const namespace = object.namespace ?? undefined;
        const present = await kube.get(resource, object.name, { namespace });
        return present === undefined || isAppliedByWork(present) ? [] : { wec, object };
      });
    });
    return found.state === 'seen' ? found.value.flat() : [];
  });
  return looked.flat();
}

import { mapConcurrently } from '../core/concurrency.ts';
import { partialReader } from '../kube/access.ts';
import { type Kube, readsOneByOne } from '../kube/client/client.ts';
import { missing } from '../kube/client/missing.ts';
import { type KubeObject, resources } from '../kube/client/objects.ts';
import { listServed } from '../kube/served.ts';
import { type Binding, originBindingLabel, originWdsLabel } from './model/kubestellar-names.ts';

/** The origin that a work in a mailbox names. */
export interface Origin {
  wds: string;
  binding: string;
  /** Undefined if the work's name does not contain it. */
  bindingUid: string | undefined;
}

/** Reads the origins of KubeStellar's works in the mailboxes of WECs: for many WECs, of all mailboxes at once, if that is allowed. */
export async function readOrigins(hub: Kube, wecs: readonly string[]): Promise<Origin[]> {
  const query = { labelSelector: originWdsLabel, metadataOnly: true };
  const all =
    wecs.length > readsOneByOne
      ? await partialReader(hub).list(resources.manifestWorks, query)
      : missing;
  if (all !== missing) {
    const names = new Set(wecs);
    return all.flatMap((work) =>
      names.has(work.metadata.namespace ?? '') ? (originOf(work) ?? []) : [],
    );
  }
  const works = await mapConcurrently(wecs, (namespace) =>
    listServed(hub, resources.manifestWorks, { namespace, ...query }),
  );
  return works.flatMap((found) => found.flatMap((work) => originOf(work) ?? []));
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
    bindingUid: metadata.name.startsWith(`${bindingUid}-${wds}-`) ? bindingUid : undefined,
  };
}

/** Whether works come from these Bindings: a context with the name of a WDS may belong to another WDS. */
export function isOriginOf(
  bindings: readonly Binding[],
  wds: string,
  origins: readonly Origin[],
): boolean {
  const isFrom = ({ binding, bindingUid }: Origin, { metadata: { name, uid } }: Binding) =>
    name === binding && (bindingUid === undefined || uid === bindingUid);
  return origins.some(
    (origin) => origin.wds === wds && bindings.some((binding) => isFrom(origin, binding)),
  );
}

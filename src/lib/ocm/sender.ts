import type { Reader } from '../kube/client/client.ts';
import { type KubeObject, resources } from '../kube/client/objects.ts';
import { listServed } from '../kube/served.ts';
import { originBindingLabel, originWdsLabel } from './model/kubestellar-names.ts';

/** A WDS by what shows how its works name it. */
interface Sender {
  name: string;
  isContext?: boolean;
  sender?: string | undefined;
  kube: Pick<Reader, 'cluster' | 'list'>;
}

/**
 * The name that the works of a WDS carry. If nothing marks its context, it is in the works whose names begin with the UID of one of
 * its Bindings, as those of one object do; else it may be that of the context, unless no label can hold it.
 */
export async function senderOf(
  wds: Sender,
  its: Pick<Reader, 'cluster' | 'list'>,
): Promise<string> {
  const { name, isContext, sender = isContext ? undefined : name } = wds;
  if (sender !== undefined) return sender;
  const [bindings, works] = await Promise.all([
    listServed(wds.kube, resources.bindings, { metadataOnly: true }),
    listServed(its, resources.manifestWorks, { labelSelector: originWdsLabel, metadataOnly: true }),
  ]);
  const isOwn = ({ metadata }: KubeObject) =>
    bindings.some(({ metadata: { uid } }) => metadata.name.startsWith(`${uid}-`));
  const { labels } = works.find(isOwn)?.metadata ?? {};
  // Only what is proven is kept: the first work of a WDS may be on its way.
  wds.sender = labels?.[originWdsLabel];
  return wds.sender ?? (/^[\w.-]{1,63}$/.test(name) ? name : '');
}

/** Selects what the ITS holds of a WDS, for some policies or for all if no names are given. */
export async function selectorOfSent(
  wds: Sender,
  its: Pick<Reader, 'cluster' | 'list'>,
  policies?: readonly string[],
): Promise<string> {
  const ofPolicies =
    policies === undefined ? '' : `,${originBindingLabel} in (${policies.join(',')})`;
  return `${originWdsLabel}=${await senderOf(wds, its)}${ofPolicies}`;
}

import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords, run } from '../../engine/next-step.ts';
import type { Reader } from '../../kube/client/client.ts';
import { resources } from '../../kube/resources.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import { labelValueProblem } from '../../wecs/labels.ts';
import { originBindingLabel } from '../names.ts';
import { type Origin, originOf } from './origins.ts';
import { type Binding, destinationsOf, objectsOf } from './policy.ts';

/** The name that the works of a WDS carry. */
export interface Sender {
  name: string;
  /** False if only the names of Bindings are evidence for it: another WDS may have policies with these names. */
  isProven: boolean;
}

/**
 * Returns the name that an ITS knows a WDS by. The hosting cluster shows it. If only a context identifies the WDS, works show it:
 * the name of a work of one object contains the UID of its Binding, that of several objects the Binding's name.
 * @returns undefined if no work on the ITS comes from its Bindings
 * @throws StellarError `identity-unproven` if works of several WDSes have names of its Bindings, and no UID
 */
export async function senderOf(wds: OpenWds, bindings: readonly Binding[], its: Reader): Promise<Sender | undefined> {
  if (!wds.isContext) return { name: wds.name, isProven: true };
  const named = new Set<string>();
  for (const binding of bindings) {
    const origins = await originsOf(binding, its);
    const own = origins.find(({ bindingUid }) => bindingUid === binding.metadata.uid);
    if (own !== undefined) return { name: own.wds, isProven: true };
    for (const { wds: name, bindingUid } of origins) if (bindingUid === undefined) named.add(name);
  }
  if (named.has(wds.name)) return { name: wds.name, isProven: false };
  const [name, ...others] = named;
  if (others.length > 0) throw unproven(wds, [...named], its);
  return name === undefined ? undefined : { name, isProven: false };
}

/** Returns the origins of works with a Binding's name. The works of one WEC are sufficient. */
async function originsOf(binding: Binding, its: Reader): Promise<Origin[]> {
  const { name } = binding.metadata;
  if (labelValueProblem(name) !== undefined) return [];
  const [namespace] = destinationsOf(binding);
  const labelSelector = `${originBindingLabel}=${name}`;
  const works = await its.list(resources.manifestWorks, { namespace, labelSelector, metadataOnly: true });
  return (works ?? []).flatMap((work) => originOf(work) ?? []);
}

/**
 * Returns the same as `senderOf`, as proof for a write: if the WDS has no work here, its works may be on another ITS.
 * @throws StellarError `identity-unproven`
 */
export async function provenSender(
  wds: OpenWds,
  bindings: readonly Binding[],
  its: Reader,
): Promise<string | undefined> {
  const sender = await senderOf(wds, bindings, its);
  if (sender?.isProven === false) throw unproven(wds, [sender.name], its);
  const sent = bindings.find(isSent);
  if (sender === undefined && sent !== undefined) throw sentElsewhere(sent.metadata.name, wds, its);
  return sender?.name;
}

/** Whether the Binding shows that the transport should have created works of it. */
function isSent(binding: Binding): boolean {
  const { observedGeneration = 0, errors = [] } = binding.status ?? {};
  const isRead = observedGeneration > 0 && observedGeneration >= (binding.metadata.generation ?? 0);
  const isBeingDeleted = binding.metadata.deletionTimestamp !== undefined;
  return (
    isRead &&
    !isBeingDeleted &&
    errors.length === 0 &&
    destinationsOf(binding).length > 0 &&
    objectsOf(binding).length > 0
  );
}

const sentElsewhere = (policy: string, { name, context }: OpenWds, { cluster }: Reader): StellarError =>
  new StellarError(
    'identity-unproven',
    `${cluster.context} has no works of ${name}, although its transport has read policy ${policy}: it may send through another ITS. Nothing was written.`,
    {
      next: [
        inWords('Name its ITS by --its'),
        run(command`kubectl --context ${context} get binding ${policy} -o yaml`, 'See what it was to send'),
      ],
    },
  );

const unproven = ({ name }: OpenWds, found: readonly string[], { cluster }: Reader): StellarError =>
  new StellarError(
    'identity-unproven',
    `${cluster.context} has works of WDS ${found.join(' and ')} for policies of these names, and nothing proves that ${name} is ${found.length === 1 ? 'that WDS' : 'one of them'}.`,
    { next: [inWords('Name the hosting cluster by --hosting-context: it shows which WDS that is')] },
  );

import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { advice, run } from '../core/next-step.ts';
import type { Reader } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import { listServed } from '../kube/served.ts';
import { originBindingLabel, originWdsLabel } from '../ocm/kubestellar-names.ts';
import { labelValueProblem } from '../ocm/labels.ts';
import type { ManifestWork } from '../ocm/manifest-works.ts';
import { type Origin, originOf } from '../ocm/origins.ts';
import { type Binding, destinationsOf, objectsOf } from '../ocm/policies.ts';
import { type OpenWds, toSeeWds } from './open-wds.ts';

/** The name that the works of a WDS carry. */
export interface Sender {
  name: string;
  /** False if only the names of Bindings are evidence for it: another WDS may have policies with these names. */
  isProven: boolean;
}

/**
 * Returns the name that an ITS knows a WDS by. The hosting cluster shows it. If only a context identifies the WDS, or only the user
 * its ITS, works show it: the name of a work of one object contains the UID of its Binding, that of several objects the Binding's name.
 * @returns undefined if no work on the ITS comes from its Bindings
 * @throws StellarError `identity-unproven` if works of several WDSes have names of its Bindings, and no UID
 */
export async function senderOf(wds: OpenWds, bindings: readonly Binding[], its: Reader): Promise<Sender | undefined> {
  if (isShown(wds)) return { name: wds.name, isProven: true };
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

/** Whether the hosting cluster shows the WDS and its ITS. */
const isShown = ({ isContext, isItsAssumed }: OpenWds): boolean => !isContext && !isItsAssumed;

/** Returns the origins of works with a Binding's name. The works of one WEC are sufficient. */
async function originsOf(binding: Binding, its: Reader): Promise<Origin[]> {
  const { name } = binding.metadata;
  if (labelValueProblem(name) !== undefined) return [];
  const [namespace] = destinationsOf(binding);
  const labelSelector = `${originBindingLabel}=${name}`;
  const works = await listServed(its, resources.manifestWorks, { namespace, labelSelector, metadataOnly: true });
  return works.flatMap((work) => originOf(work) ?? []);
}

/**
 * Returns the name on the works, as proof for a write, and the works of a policy: if its transport has sent it, and this ITS has no
 * work of it, its works may be on another ITS.
 * @throws StellarError `identity-unproven`
 */
export async function provenWorks(
  policy: string,
  wds: OpenWds,
  its: Reader,
): Promise<{ binding: Binding | undefined; sender: string | undefined; works: ManifestWork[] }> {
  const bindings = await listServed<Binding>(wds.kube, resources.bindings);
  const sender = await senderOf(wds, bindings, its);
  if (sender?.isProven === false) throw unproven(wds, [sender.name], its);
  const works = await worksOfPolicy(its, policy, sender?.name);
  const binding = bindings.find(({ metadata }) => metadata.name === policy);
  // Without a name, no work here comes from any of them.
  const sent = sender === undefined ? bindings : bindings.filter((each) => each === binding);
  const elsewhere = sentElsewhere(sent, works);
  if (elsewhere !== undefined) throw notHere(elsewhere, wds, its);
  return { binding, sender: sender?.name, works };
}

/**
 * Finds works by label: their names depend on how many objects a work may have. A name that no label can hold has no works, and
 * would change the meaning of the selector.
 * @param sender the name of the WDS on its works; undefined if it has no works
 */
export async function worksOfPolicy(its: Reader, policy: string, sender: string | undefined): Promise<ManifestWork[]> {
  if (sender === undefined || labelValueProblem(policy) !== undefined) return [];
  const labelSelector = `${originBindingLabel}=${policy},${originWdsLabel}=${sender}`;
  return listServed<ManifestWork>(its, resources.manifestWorks, { labelSelector });
}

/** A Binding that its transport has sent, and that has none of these works of its WDS: they are on another ITS. */
export const sentElsewhere = (bindings: readonly Binding[], works: readonly ManifestWork[]): Binding | undefined =>
  bindings.find(
    (binding) =>
      isSent(binding) && !works.some(({ metadata }) => metadata.labels?.[originBindingLabel] === binding.metadata.name),
  );

/** Why what a Binding has sent is not visible, without a full stop. */
export const whyElsewhere = ({ metadata: { name } }: Binding, its: string): string =>
  `${its} has no works of policy ${name}, although its transport has read it: it may send through another ITS`;

/** Whether the Binding shows that the transport should have created works of it. Their labels hold its name. */
function isSent(binding: Binding): boolean {
  const { observedGeneration = 0, errors = [] } = binding.status ?? {};
  const isRead = observedGeneration > 0 && observedGeneration >= (binding.metadata.generation ?? 0);
  const { name, deletionTimestamp } = binding.metadata;
  return (
    isRead &&
    deletionTimestamp === undefined &&
    labelValueProblem(name) === undefined &&
    errors.length === 0 &&
    destinationsOf(binding).length > 0 &&
    objectsOf(binding).length > 0
  );
}

const notHere = (binding: Binding, wds: OpenWds, its: Reader): StellarError =>
  new StellarError('identity-unproven', `${whyElsewhere(binding, its.cluster.context)}. Nothing was written.`, {
    next: [
      ...(isShown(wds)
        ? toSeeWds(wds, 'Is its ITS right, and does its transport run?')
        : [advice('Name its ITS by --its')]),
      run(
        command`kubectl --context ${wds.context} get binding ${binding.metadata.name} -o yaml`,
        'See what it was to send',
      ),
    ],
  });

const unproven = (wds: OpenWds, found: readonly string[], { cluster }: Reader): StellarError =>
  new StellarError(
    'identity-unproven',
    `${cluster.context} has works of WDS ${found.join(' and ')} for policies of these names, and nothing proves that ${wds.name} is ${found.length === 1 ? 'that WDS' : 'one of them'}.`,
    {
      next: wds.isContext
        ? [advice('Name the hosting cluster by --hosting-context: it shows which WDS that is')]
        : toSeeWds(wds, 'See its ITS'),
    },
  );

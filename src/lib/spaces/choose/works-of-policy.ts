import { labelValueProblem } from '../../core/changes.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, run } from '../../core/next-step.ts';
import { type Access, through } from '../../kube/access.ts';
import type { Reader, Selection } from '../../kube/client/client.ts';
import { resources } from '../../kube/client/objects.ts';
import { listServed, type Proven, prove } from '../../kube/served.ts';
import {
  type Binding,
  destinationsOf,
  objectsOf,
  originBindingLabel,
  originWdsLabel,
} from '../../ocm/model/kubestellar-names.ts';
import type { ManifestWork } from '../../ocm/model/manifest-works.ts';
import { selectorOfSent } from '../../ocm/sender.ts';
import { originOf } from '../../ocm/work-origins.ts';
import { inWds, toSeeWds, type Wds } from './open-wds.ts';

/**
 * Returns the works of a policy, for a write. Works carry the name of their WDS, and WDSes of several hosting clusters may have the
 * same one: the hosting cluster shows the WDS and its ITS, else the UID of the Binding in the name of a work proves both. If its
 * transport has sent a policy, and this ITS has no work of it, its works may be on another ITS.
 * @throws StellarError `identity-unproven`
 */
export async function provenWorks(
  policy: string,
  wds: Wds,
  its: Reader,
): Promise<{ binding: Proven<Binding>; works: ManifestWork[] }> {
  const [proof, works] = await Promise.all([
    prove<Binding>(wds.kube, resources.bindings, policy),
    worksOfPolicy(its, policy, wds),
  ]);
  const { object: binding } = proof;
  const elsewhere = sentElsewhere(binding === undefined ? [] : [binding], works);
  if (elsewhere !== undefined) throw notHere(elsewhere, wds, its);
  const isNamed = !wds.isContext && !wds.isItsAssumed;
  const isProven =
    binding !== undefined &&
    works.some((work) => originOf(work)?.bindingUid === binding.metadata.uid);
  if (!isNamed && works.length > 0 && !isProven) throw senderUnproven(wds, its);
  return { binding: proof, works };
}

/**
 * Finds works by label: their names depend on how many objects a work may have. A name that no label can hold has no works, and
 * would change the meaning of the selector.
 */
export async function worksOfPolicy(
  its: Reader,
  policy: string,
  wds: Pick<Wds, 'name' | 'isContext' | 'sender' | 'kube'>,
  selection: Selection = {},
): Promise<ManifestWork[]> {
  if (labelValueProblem(policy) !== undefined) return [];
  const labelSelector = await selectorOfSent(wds, its, [policy]);
  return listServed<ManifestWork>(its, resources.manifestWorks, { ...selection, labelSelector });
}

/** The works that a WDS of this name has sent. */
export const worksSentBy = (its: Reader, wds: string, selection: Selection = {}) =>
  listServed<ManifestWork>(its, resources.manifestWorks, {
    ...selection,
    labelSelector: `${originWdsLabel}=${wds}`,
  });

/** The metadata of the works that carry the name of a WDS, on its ITS. */
export const worksOf = ({
  name,
  its,
}: Pick<Wds, 'name' | 'its'>): Promise<Access<ManifestWork[]>> =>
  through(its, ({ kube }) => worksSentBy(kube, name, { metadataOnly: true }));

/** A Binding that its transport has sent, and that has none of these works of its WDS: they are on another ITS. */
export const sentElsewhere = (
  bindings: readonly Binding[],
  works: readonly ManifestWork[],
): Binding | undefined =>
  bindings.find(
    (binding) =>
      isSent(binding) &&
      !works.some(
        ({ metadata }) => metadata.labels?.[originBindingLabel] === binding.metadata.name,
      ),
  );

/** Why what a Binding has sent is not visible, without a full stop. */
export const whyElsewhere = ({ metadata: { name } }: Binding, its: string) =>
  `${its} has no works of policy ${name}, although its transport has read it: it may send through another ITS`;

/** Whether the Binding shows that the transport should have created works of it. Their labels hold its name. */
function isSent(binding: Binding) {
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

function notHere(binding: Binding, wds: Wds, its: Reader) {
  const get = inWds(
    wds,
    command`kubectl --context ${wds.context} get binding ${binding.metadata.name} -o yaml`,
  );
  const see = toSeeWds(wds, 'Is its ITS right, and does its transport run?');
  const next = [...see, run(get, 'See what it was to send')];
  const why = whyElsewhere(binding, its.cluster.context);
  return new StellarError('identity-unproven', `${why}. Nothing was written.`, ...next);
}

function senderUnproven(wds: Wds, { cluster: { context } }: Reader) {
  if (!wds.isContext)
    return new StellarError(
      'identity-unproven',
      `Nothing proves that WDS ${wds.name} sends through ${context}.`,
      ...toSeeWds(wds, 'See its ITS'),
    );
  const what = `which works on ${context} are those of ${wds.name}: no hosting cluster shows this WDS`;
  return new StellarError(
    'identity-unproven',
    `Nothing proves ${what}.`,
    advice('Name its hosting cluster: --hosting-context CONTEXT'),
  );
}

import { type DiscoveredKind, discoverKinds } from '../../kube/discovery.ts';
import type { BoundObject } from '../../ocm/model/kubestellar-names.ts';
import { keyOf, keyOfCandidate, type ObjectView } from '../../ocm/model/object-ref.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import {
  clausesFor,
  kindNames,
  readContents,
  type WdsContents,
} from '../selection/wds-contents.ts';
import {
  type DeliveryEvidence,
  deliveriesOf,
  heldBindings,
  readDelivery,
  unseenIn,
} from './delivery.ts';
import { type DeliveryView, viewOfDelivery } from './delivery-view.ts';
import { followed } from './workload.ts';

/** A delivery, with its object. */
export interface JudgedDelivery extends DeliveryView {
  of: ObjectView;
}

/** An object, and its delivery to each WEC. The fields are an interface: docs/output.md. */
export interface PolicyObject extends ObjectView {
  deliveries: DeliveryView[];
}

export const deliveriesIn = (objects: readonly PolicyObject[]): JudgedDelivery[] =>
  objects.flatMap((of) => of.deliveries.map((delivery) => ({ ...delivery, of })));

/** Whether an evidence shows how far deliveries are. */
export const showsDeliveries = ({ works, inventory, transforms }: DeliveryEvidence): boolean =>
  [works, inventory, transforms].every(({ state }) => state === 'seen');

/** Reads every object in the Bindings of a WDS and judges its delivery, with one list per kind. */
export async function judgeObjects(wds: Wds) {
  const kinds = await discoverKinds(wds.kube);
  const evidence = await readDelivery(wds);
  const bound = [...evidence.bound.values()].flatMap((deliveries) =>
    [...deliveries.values()].slice(0, 1),
  );
  const contents = await readContents(wds.kube, clausesFor(bound), kinds);
  const judge = await judging(wds, contents, kinds, evidence.policies, evidence);
  const unseen = [...unseenIn(evidence), ...contents.unread];
  return { evidence, objects: bound.map(judge), errors: unseen.map(({ error }) => error) };
}

/** Returns a function that judges the delivery of an object by these policies. @param kinds those of the WDS */
export async function judging(
  { kube }: Pick<Wds, 'kube'>,
  contents: WdsContents,
  kinds: readonly DiscoveredKind[],
  policies: DeliveryEvidence['policies'],
  inWds: DeliveryEvidence,
) {
  const { objects, unread, namespaces } = contents;
  const evidence = { ...inWds, held: await heldBindings(kube, inWds, contents) };
  const found = new Map(objects.map((object) => [keyOfCandidate(object), object]));
  const kindOf = kindNames(kinds);
  return (
    named: Omit<BoundObject, 'namespace'> & { namespace?: string | undefined },
  ): PolicyObject => {
    const { group = '', version = '', resource, namespace, name } = named;
    const kind = kindOf(named) ?? resource;
    const object = found.get(keyOf(named));
    const why = unread.find(({ what }) => what === resource)?.why;
    const ref = { group, version, resource, kind, namespace, name, object, unread: why };
    const deliveries = deliveriesOf(followed(ref, policies, namespaces), evidence);
    return {
      kind,
      group,
      namespace: namespace ?? null,
      name,
      deliveries: deliveries.map(viewOfDelivery),
    };
  };
}

/**
 * What the guard of a WDS keeps on WECs: it is removed there once the guard is deleted.
 * @throws StellarError if a part of the WDS cannot be read
 */
export async function keptByGuard(wds: Wds): Promise<JudgedDelivery[]> {
  const { objects, errors } = await judgeObjects(wds);
  if (errors[0] !== undefined) throw errors[0];
  return deliveriesIn(objects).filter(({ code }) => code === 'binding-guarded');
}

export const hasFailed = ({ blockedAt }: DeliveryView): boolean => blockedAt?.state === 'failed';

/**
 * Whether the goal is reached: for an object of which no status is requested, all its stages. A later stage proves nothing while an
 * earlier one is open: a new state may be on its way.
 */
export function hasReached({ stages }: Pick<DeliveryView, 'stages'>, goal: string): boolean {
  const index = stages.findIndex(({ id }) => id === goal);
  return stages
    .slice(0, index === -1 ? stages.length : index + 1)
    .every(({ state }) => state === 'met');
}

import { discoverKinds } from '../../kube/discovery.ts';
import { groupOf } from '../../kube/resources.ts';
import { describeObject, keyOf, keyOfCandidate, type ObjectView } from '../../model/object-ref.ts';
import type { BoundObject } from '../../model/policies.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import type { Unseen } from '../unseen.ts';
import { readContents } from '../wds/contents.ts';
import { deliveriesOf } from './delivery.ts';
import { type DeliveryEvidence, readDelivery, unseenIn } from './evidence.ts';
import { type DeliveryView, viewOfDelivery } from './view.ts';
import { followed } from './workload.ts';

/** The delivery of an object to one WEC, judged by the same stages that `workload get` shows. */
export interface JudgedDelivery {
  /** For example `Deployment shop/web`. */
  object: string;
  policy: string | null;
  wec: string | null;
  isApplied: boolean;
  isAvailable: boolean;
  /** What blocks the delivery; null if nothing visible does. */
  blockedAt: DeliveryView['blockedAt'];
}

export interface JudgedObject extends ObjectView {
  deliveries: JudgedDelivery[];
}

/** Whether an evidence shows how far deliveries are. */
export const showsDeliveries = ({ works, inventory, templates }: DeliveryEvidence): boolean =>
  [works, inventory, templates].every(({ state }) => state === 'seen');

/** Reads every object in the Bindings of a WDS and judges its delivery, with one list per kind. */
export async function judgeObjects(
  wds: OpenWds,
): Promise<{ evidence: DeliveryEvidence; objects: JudgedObject[]; unseen: Unseen[] }> {
  const kinds = await discoverKinds(wds.kube);
  const evidence = await readDelivery(wds, kinds);
  const bound = [...evidence.bound.values()].flatMap((deliveries) => [...deliveries.values()].slice(0, 1));
  const clauses = [...new Set(bound.map(({ group = '', resource }) => `${group}/${resource}`))].map((kind) => ({
    apiGroup: kind.split('/')[0] ?? '',
    resources: [kind.split('/')[1] ?? ''],
  }));
  const contents = await readContents(wds.kube, clauses, kinds);
  const found = new Map(contents.objects.map((object) => [keyOfCandidate(object), object]));
  const unread = new Map(contents.unread.map(({ what, why }) => [what, why]));
  const kindOf = new Map(kinds.map(({ apiVersion, plural, kind }) => [`${groupOf(apiVersion)}/${plural}`, kind]));
  const judge = (each: BoundObject): JudgedObject => {
    const { group = '', version = '', resource, namespace, name } = each;
    const kind = kindOf.get(`${group}/${resource}`) ?? resource;
    const metadata = found.get(keyOf(each))?.metadata;
    const object = metadata && { metadata };
    const ref = { group, version, resource, kind, namespace, name, object, unread: unread.get(resource) };
    const view: ObjectView = { kind, group, namespace: namespace ?? null, name };
    const deliveries = deliveriesOf(followed(ref, evidence.policies, contents.namespaces), evidence);
    return { ...view, deliveries: deliveries.map((delivery) => judgedOf(view, viewOfDelivery(delivery))) };
  };
  return { evidence, objects: bound.map(judge), unseen: [...unseenIn(evidence), ...contents.unread] };
}

/** The part of a delivery's view that lists keep. */
export function judgedOf({ kind, ...metadata }: ObjectView, view: DeliveryView): JudgedDelivery {
  const { policy, wec, blockedAt } = view;
  const reached = { isApplied: hasReached(view, 'applied'), isAvailable: hasReached(view, 'available') };
  return { object: describeObject({ kind, metadata }), policy, wec, ...reached, blockedAt };
}

export const hasFailed = ({ blockedAt }: JudgedDelivery): boolean => blockedAt?.state === 'failed';

/** Whether the goal is reached. A later stage proves nothing while an earlier one is open: a new state may be on its way. */
export function hasReached({ stages }: Pick<DeliveryView, 'stages'>, goal: string): boolean {
  const index = stages.findIndex(({ id }) => id === goal);
  return index !== -1 && stages.slice(0, index + 1).every(({ state }) => state === 'met');
}

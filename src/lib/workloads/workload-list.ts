import { describeObject } from '../ocm/model/object-ref.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import type { DeliveryView } from './delivery/delivery-view.ts';
import {
  hasFailed,
  hasReached,
  isHidden,
  judgeObjects,
  showsDeliveries,
} from './delivery/judged-objects.ts';

/** An object that policies send, and the number of WECs that have it. The fields are an interface: docs/output.md. */
export type WorkloadSummary = Awaited<ReturnType<typeof listWorkloads>>['view'][number];

/** What a list is of; without a value, of everything. */
export interface Wanted {
  namespace?: string;
  policy?: string;
  wec?: string[];
}

/** Lists the objects in the Bindings of a WDS, in their order. */
export async function listWorkloads(wds: Wds, wanted: Wanted = {}) {
  const { evidence, objects, errors } = await judgeObjects(wds);
  const isSeen = showsDeliveries(evidence);
  const isWanted = ({ policy, wec }: DeliveryView) =>
    (wanted.policy === undefined || policy === wanted.policy) &&
    (wanted.wec === undefined || wanted.wec.includes(wec ?? ''));
  const view = objects.flatMap(({ kind, group, namespace, name, deliveries: all }) => {
    const deliveries = all.filter(isWanted);
    if (
      deliveries.length < Math.min(1, all.length) ||
      (wanted.namespace ?? namespace) !== namespace
    )
      return [];
    const byWec = [...Map.groupBy(deliveries, ({ wec }) => wec)].flatMap(([wec, own]) =>
      wec === null ? [] : [own],
    );
    /** If two policies send the object to a WEC, both must have applied it, and one failure counts. */
    const count = (isOne: (all: readonly DeliveryView[]) => boolean) =>
      isSeen && !deliveries.some(isHidden) ? byWec.filter(isOne).length : null;
    return {
      kind,
      group,
      namespace,
      /** For example `Deployment shop/web`. */
      name: describeObject({ kind, namespace, name }),
      policies: [...new Set(deliveries.flatMap(({ policy }) => policy ?? []))],
      /** Counts each WEC once, regardless of the number of policies. */
      wecs: byWec.length,
      /** Null if that is not visible. */
      applied: count((own) => own.every((each) => hasReached(each, 'applied'))),
      available: count((own) => own.every((each) => hasReached(each, 'available'))),
      failed: count((own) => own.some(hasFailed)),
    };
  });
  return { view, errors };
}

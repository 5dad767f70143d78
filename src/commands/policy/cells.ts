import type { DeliveryView } from '../../lib/workloads/delivery/delivery-view.ts';

const hasFailed = ({ blockedAt }: DeliveryView) => blockedAt?.state === 'failed';

/** The one of several deliveries that counts most: one that failed, one that is waited for, one that is not visible. */
export const worstOf = (deliveries: readonly DeliveryView[]): DeliveryView | undefined =>
  deliveries.find(hasFailed) ??
  deliveries.find(({ blockedAt }) => blockedAt !== null) ??
  deliveries.find(({ done }) => !done) ??
  deliveries[0];

/** Returns the current stage of a delivery. */
export function deliveryCell(delivery: DeliveryView | undefined): string {
  if (delivery === undefined) return '';
  const { blockedAt, stage, code } = delivery;
  if (blockedAt === null) return stage ?? 'not visible';
  if (code === 'binding-guarded') return 'kept by the guard';
  if (blockedAt.stage === 'exists') return 'not found';
  return `${blockedAt.state === 'failed' ? 'failed' : 'waiting'} at ${blockedAt.stage}`;
}

export function doneOfAll(deliveries: readonly DeliveryView[]): string {
  const failed = deliveries.filter(hasFailed).length;
  return `${deliveries.filter(({ done }) => done).length}/${deliveries.length}${failed === 0 ? '' : `, ${failed} failed`}`;
}

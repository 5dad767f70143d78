import { begun } from '../../lib/core/deadline.ts';
import type { DeliveryView } from '../../lib/workloads/delivery-view.ts';
import type { Style } from '../terminal/style.ts';

/** Returns the symbol for the state of a delivery. */
export function symbolOfDelivery({ done, blockedAt }: Pick<DeliveryView, 'done' | 'blockedAt'>, style: Style): string {
  if (blockedAt?.state === 'failed') return style.bad;
  if (blockedAt !== null) return style.dot;
  return done ? style.ok : '?';
}

/** What blocks a delivery, and since when. */
export const whyBlocked = ({ why, since }: NonNullable<DeliveryView['blockedAt']>, now: number): string =>
  `${why}${begun(since, now)}`;

import type { Style } from '../../lib/terminal/style.ts';
import type { DeliveryView } from '../../lib/workloads/delivery/view.ts';

/** Returns the symbol for the state of a delivery. */
export function symbolOfDelivery({ done, blockedAt }: Pick<DeliveryView, 'done' | 'blockedAt'>, style: Style): string {
  if (blockedAt?.state === 'failed') return style.bad;
  if (blockedAt !== null) return style.dot;
  return done ? style.ok : '?';
}

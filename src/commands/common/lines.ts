import { begun, formatAge } from '../../lib/core/deadline.ts';
import type { DeliveryView } from '../../lib/workloads/delivery/delivery-view.ts';
import type { Style } from '../terminal/style.ts';

const titleWidth = 10;
const lineWidth = 100;

/** Formats a title with lines beside it; nothing if there are no lines. */
export function section(title: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? title : '').padEnd(titleWidth)}  ${line}`);
}

/** What could not be read, and why. */
export function unknown(notVisible: readonly { what: string; why: string }[]): string[] {
  const lines = notVisible.map(({ what, why }) => `${what}: ${why}`);
  return section('unknown', lines);
}

/** Wraps words into as few lines as possible. */
export function wrap(words: readonly string[], separator = ' '): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)}${separator}${word}`;
    if (lines.length > 0 && longer.length <= lineWidth) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** @param time RFC 3339 @param now milliseconds since the epoch, by the cluster's clock */
export const ago = (time: string, now: number): string =>
  `${formatAge(now - Date.parse(time))} ago`;

/** Returns the symbol for the state of a delivery. */
export function symbolOfDelivery(
  { done, blockedAt }: Pick<DeliveryView, 'done' | 'blockedAt'>,
  style: Style,
): string {
  if (blockedAt?.state === 'failed') return style.bad;
  if (blockedAt !== null) return style.dot;
  return done ? style.ok : '?';
}

/** What blocks a delivery, and since when. */
export const whyBlocked = (
  { why, since }: NonNullable<DeliveryView['blockedAt']>,
  now: number,
): string => `${why}${begun(since, now)}`;

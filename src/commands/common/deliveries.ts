import { few } from '../../lib/core/counts.ts';
import { begun } from '../../lib/core/duration.ts';
import type { DeliveryView } from '../../lib/workloads/delivery-view.ts';
import type { PolicyProblem } from '../../lib/workloads/policy-problems.ts';
import type { AppliedTransform } from '../../lib/workloads/transforms.ts';
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

/** Formats what CustomTransforms keep from WECs. */
export const transformLines = (transforms: readonly AppliedTransform[]): string[] =>
  transforms.map(
    ({ name, resource, remove }) =>
      `  CustomTransform ${name} removes from the ${resource} that are sent: ${remove.join(', ')}`,
  );

/** Formats a problem of a policy with its next steps. */
export function problemLines(
  { severity, problem, details, steps }: PolicyProblem,
  style: Style,
  isWide = false,
): string[] {
  const lines = isWide ? details : few(details);
  return [`${severity === 'error' ? style.bad : '!'} ${problem}`, ...[...lines, ...steps].map((line) => `    ${line}`)];
}

import { begun, formatAge } from '../../lib/core/deadline.ts';
import type { Diagnosis } from '../../lib/core/next-step.ts';
import type { StageView } from '../../lib/core/stages.ts';
import { refusalOf } from '../../lib/core/text/words.ts';
import type { DeliveryView } from '../../lib/workloads/delivery/delivery-view.ts';
import type { Style } from '../terminal/style.ts';
import type { Session } from './session.ts';

const titleWidth = 10;

/** Formats a title with lines beside it; nothing if there are no lines. */
export function section(title: string, lines: readonly string[]): string[] {
  return lines
    .filter((line) => line !== '')
    .map((line, index) => `  ${(index === 0 ? title : '').padEnd(titleWidth)}  ${line}`);
}

/** What could not be read, and why: a line for all kinds that a user may not read. */
export function unknown(notVisible: readonly { what: string; why: string }[]): string[] {
  const alike = [...Map.groupBy(notVisible, ({ why }) => refusalOf(why)).values()];
  const lines = alike.map(
    (all) => `${all.map(({ what }) => what).join(', ')}: ${all[0]?.why ?? ''}`,
  );
  return section('unknown', lines);
}

/** @param time RFC 3339 @param now milliseconds since the epoch, by the cluster's clock */
export const age = (time: string, now: number) => formatAge(now - Date.parse(time));

/** Returns the symbol for the state of a stage. */
const symbolOfStage = (state: StageView['state'], { ok, bad, dot }: Style) =>
  ({ met: ok, failed: bad, waiting: dot, 'not-visible': '?' })[state];

/** A line for each stage. Shows a reason that several stages share once. */
export function stageLines(
  stages: readonly Pick<StageView, 'state' | 'title' | 'why'>[],
  style: Style,
): string[] {
  const listed = new Set<string>();
  return stages.map(({ state, title, why }) => {
    const isNews = why !== undefined && !listed.has(why);
    if (isNews) listed.add(why);
    return `${symbolOfStage(state, style)} ${title}${isNews ? `   ${why}` : ''}`;
  });
}

/** Returns the symbol for the state of a delivery. */
export const symbolOfDelivery = (
  { done, blockedAt }: Pick<DeliveryView, 'done' | 'blockedAt'> = { done: false, blockedAt: null },
  style: Style,
) => symbolOfStage(blockedAt?.state ?? (done ? 'met' : 'not-visible'), style);

/** Suggests what helps the first delivery that is blocked. */
export function nextOfBlocked(session: Session, deliveries: readonly DeliveryView[]): void {
  const blocked = deliveries.find(({ blockedAt }) => blockedAt !== null);
  if (session.isForPeople && blocked?.next) session.next(blocked.next);
}

/** Where something of a WDS is sent. */
export const sentThrough = (its: string | null) =>
  `sent through ${its ?? 'an ITS that is not visible'}`;

/** What blocks a delivery, and since when. */
export const whyBlocked = ({ why, since }: NonNullable<DeliveryView['blockedAt']>, now: number) =>
  `${why}${begun(since, now)}`;

/** Warnings beside what is shown, each with its steps below. */
export const warningLines = (problems: readonly Diagnosis[], { warn }: Style) =>
  problems.flatMap(({ problem, steps }) => [
    `${warn} ${problem}`,
    ...steps.map((step) => `    ${step}`),
  ]);

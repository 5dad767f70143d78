import { isDeepStrictEqual } from 'node:util';
import type { DeliveryView } from '../../lib/workloads/delivery-view.ts';
import type { WorkloadView } from '../../lib/workloads/workload.ts';
import { problemLines, symbolOfDelivery, transformLines, whyBlocked } from '../common/deliveries.ts';
import { aligned } from '../common/lines.ts';
import type { Style } from '../terminal/style.ts';

/**
 * Formats the delivery of an object as human-readable lines: one line per delivery with its next steps below, or every stage with
 * `-o wide`.
 */
export function describeWorkload(view: WorkloadView, now: number, style: Style, isWide: boolean): string[] {
  const { kind, namespace, name, wds, its, deliveries, transforms, problems } = view;
  const head = `${kind} ${namespace === null ? '' : `${namespace}/`}${name} in ${wds}, sent through ${its ?? 'an ITS that is not visible'}`;
  const rows = aligned(
    deliveries.map((delivery) => [delivery.wec ?? 'no WEC', delivery.policy ?? 'no policy', wordsOf(delivery, now)]),
  );
  return [
    head,
    ...deliveries.flatMap((delivery, index) => [
      `  ${symbolOfDelivery(delivery, style)} ${rows[index]?.trimEnd()}`,
      ...(isWide ? delivery.stages.map((stage) => `      ${linkLine(stage, style)}`) : []),
      ...unshownSteps(delivery, deliveries.slice(0, index)),
    ]),
    ...[...createOnlyOf(deliveries)].map(
      (policy) => `  Policy ${policy} sends it with createOnly: a WEC that has it keeps its version`,
    ),
    ...transformLines(transforms),
    ...problems.flatMap((problem) => problemLines(problem, style)),
  ];
}

const createOnlyOf = (deliveries: readonly DeliveryView[]): Set<string> =>
  new Set(deliveries.flatMap(({ policy, createOnly }) => (createOnly && policy !== null ? policy : [])));

function wordsOf({ done, blockedAt, stages }: DeliveryView, now: number): string {
  if (blockedAt !== null) return whyBlocked(blockedAt, now);
  if (done) return stages.at(-1)?.title ?? '';
  const unseen = stages.find(({ state }) => state === 'not-visible');
  return `${unseen?.title}: not visible: ${unseen?.why}`;
}

/** Shows steps that several deliveries share once. The first step that is a complete command is printed after everything else. */
function unshownSteps({ steps, next }: DeliveryView, before: readonly DeliveryView[]): string[] {
  const isSuggested = before.some((other) => isDeepStrictEqual(other.steps, steps));
  const isPrintedLast = isDeepStrictEqual(steps, [next]) && before.every((other) => other.blockedAt === null);
  return isSuggested || isPrintedLast ? [] : steps.map((step) => `      ${step}`);
}

function linkLine({ state, title, why }: DeliveryView['stages'][number], style: Style): string {
  const symbol = { met: style.ok, failed: style.bad, waiting: style.dot, 'not-visible': '?' }[state];
  return `${symbol} ${title}${why === undefined ? '' : `   ${why}`}`;
}

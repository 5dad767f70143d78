import { isDeepStrictEqual } from 'node:util';
import { describeObject } from '../../lib/ocm/model/object-ref.ts';
import type { DeliveryView } from '../../lib/workloads/delivery/delivery-view.ts';
import type { WorkloadView } from '../../lib/workloads/delivery/workload.ts';
import type { Definition } from '../common/define.ts';
import {
  nextOfBlocked,
  sentThrough,
  stageLines,
  symbolOfDelivery,
  warningLines,
  whyBlocked,
} from '../common/lines.ts';
import { repeatable, wdsOptions } from '../common/options.ts';
import { aligned } from '../terminal/output.ts';
import type { Style } from '../terminal/style.ts';

type Options = { namespace?: string };

/** An object of a WDS, as kubectl takes it. */
export const objectArguments = [
  ['<object>', 'KIND/NAME or KIND.GROUP/NAME, or only the kind'],
  ['[name]', 'its name, after the kind'],
] as const;

export const namespaceOption = [
  '-n, --namespace <namespace>',
  'its Namespace, if it has one (default: default)',
] as const;

/** The WECs on which an object is read. */
export const wecsOption = () =>
  repeatable('--wec <name[=context]>', 'only this WEC, and its context if it has another name');

export const definition: Definition<Options> = {
  description:
    'Follows an object of a WDS to the WECs: which policies select it, and whether it is in their Bindings, in the mailbox of each WEC, applied, available, and its status returned. A line for each policy and WEC names the first stage that is not met, with the command that fixes it.',
  examples: [
    ['stellarctl workload get deployment/web -n shop', 'where it is, and what blocks it'],
    [
      'stellarctl workload get deployment/web -n shop -o wide',
      'every stage on the way to each WEC',
    ],
    ['stellarctl workload get gadgets.example.com/g1 --wds wds2', 'an object of another kind'],
  ],
  arguments: objectArguments,
  options: [namespaceOption, ...wdsOptions()],
  async run(session, { namespace }, words) {
    const { getWorkload, parseObject } = await import('../../lib/workloads/delivery/workload.ts');
    const named = parseObject(words, namespace);
    const wds = await session.wds();
    const { view, errors } = await getWorkload(named, wds);
    // The error below says it.
    const isMissing = view.deliveries.length === 1 && view.deliveries[0]?.code === 'object-missing';
    if (session.isForPeople && isMissing) session.progress.stop();
    else
      await session.show(view, (style, isWide) =>
        describeWorkload(view, wds.kube.now(), style, isWide),
      );
    session.incomplete(errors);
    nextOfBlocked(session, view.deliveries);
  },
};

/**
 * Formats the delivery of an object as human-readable lines: one line per delivery with its next steps below, or every stage with
 * `-o wide`.
 */
export function describeWorkload(
  view: WorkloadView,
  now: number,
  style: Style,
  isWide: boolean,
): string[] {
  const { wds, its, deliveries, problems } = view;
  const rows = aligned(
    deliveries.map((delivery) => [
      delivery.wec ?? 'no WEC',
      delivery.policy ?? 'no policy',
      deliveryWords(delivery, now),
    ]),
  );
  return [
    `${describeObject(view)} in ${wds}, ${sentThrough(its)}`,
    ...deliveries.flatMap((delivery, index) => [
      `  ${symbolOfDelivery(delivery, style)} ${rows[index]}`,
      ...(isWide ? stageLines(delivery.stages, style).map((line) => `      ${line}`) : []),
      ...unshownSteps(delivery, deliveries.slice(0, index)),
    ]),
    ...[...createOnlyOf(deliveries)].map(
      (policy) =>
        `  Policy ${policy} sends it with createOnly: a WEC that has it keeps its version`,
    ),
    ...warningLines(problems, style),
  ];
}

const createOnlyOf = (deliveries: readonly DeliveryView[]): Set<string> =>
  new Set(
    deliveries.flatMap(({ policy, createOnly }) => (createOnly && policy !== null ? policy : [])),
  );

function deliveryWords({ done, blockedAt, stages }: DeliveryView, now: number) {
  if (blockedAt !== null) return whyBlocked(blockedAt, now);
  if (done) return stages.at(-1)?.title ?? '';
  const unseen = stages.find(({ state }) => state === 'not-visible');
  return `${unseen?.title}: not visible: ${unseen?.why}`;
}

/** Shows steps that several deliveries share once. The first step that is a complete command is printed after everything else. */
function unshownSteps({ steps, next }: DeliveryView, before: readonly DeliveryView[]) {
  const isSuggested = before.some((other) => isDeepStrictEqual(other.steps, steps));
  const isPrintedLast =
    isDeepStrictEqual(steps, [next]) && before.every((other) => other.blockedAt === null);
  return isSuggested || isPrintedLast ? [] : steps.map((step) => `      ${step}`);
}

import { command, run, textOf } from '../../lib/core/next-step.ts';
import { checkDnsName } from '../../lib/core/object-names.ts';
import { count, few } from '../../lib/core/text/words.ts';
import { describeObject } from '../../lib/ocm/model/object-ref.ts';
import type { DeliveryView } from '../../lib/workloads/delivery/delivery-view.ts';
import type { PolicyView } from '../../lib/workloads/policy/policy-view.ts';
import type { Definition } from '../common/define.ts';
import {
  nextOfBlocked,
  sentThrough,
  symbolOfDelivery,
  unknown,
  warningLines,
  whyBlocked,
} from '../common/lines.ts';
import { wdsOptions } from '../common/options.ts';
import { outputFormats } from '../terminal/io.ts';
import { aligned } from '../terminal/output.ts';
import type { Style } from '../terminal/style.ts';
import { deliveryCell, doneOfAll, worstOf } from './cells.ts';

export const definition: Definition = {
  description:
    'Shows the objects that a BindingPolicy sends and, for each WEC, what has arrived, what is on its way, and what has failed, with the command that fixes it.',
  examples: [
    ['stellarctl policy get shop', 'its objects and WECs'],
    ['stellarctl policy get shop -o manifest > shop.yaml', 'a file to change, for policy apply'],
    ['stellarctl policy get shop -o json', 'every stage of each object on each WEC, for scripts'],
  ],
  formats: [...outputFormats, 'manifest'],
  arguments: [['<name>', 'the policy']],
  options: wdsOptions(),
  async run(session, _options, [name = '']) {
    checkDnsName(name, 'a binding policy');
    if (session.output === 'manifest') {
      const { policyManifest } = await import('../../lib/policies/create-policy.ts');
      return session.printDocument(await policyManifest(name, await session.wds()));
    }
    const { getPolicyView } = await import('../../lib/workloads/policy/policy-view.ts');
    const wds = await session.wds();
    const { view, errors } = await getPolicyView(name, wds, true);
    await session.show(view, (style) => describePolicyView(view, style, wds.kube.now()));
    session.incomplete(errors);
    nextOfBlocked(
      session,
      view.objects.flatMap(({ deliveries }) => deliveries),
    );
  },
};

/** Up to this number, each WEC has a column; more WECs are counted. */
const widestMatrix = 6;

/** Formats the objects of a policy by WEC as human-readable lines, with their problems below. */
export function describePolicyView(view: PolicyView, style: Style, now: number): string[] {
  const { name, wds, its, wecs, objects, problems, notVisible, state, why, code } = view;
  const isMatrix = wecs.length > 0 && wecs.length <= widestMatrix;
  const cells = objects.map((object) => [
    describeObject(object),
    ...(isMatrix
      ? wecs.map((wec) => deliveryCell(object.deliveries.find((delivery) => delivery.wec === wec)))
      : [doneOfAll(object.deliveries)]),
  ]);
  const rows = aligned([...(isMatrix ? [['', ...wecs]] : []), ...cells]);
  const symbols = objects.map(({ deliveries }) => symbolOfDelivery(worstOf(deliveries), style));
  const blocked = failureLines(objects, style, now);
  return [
    `${name} in ${wds}, ${sentThrough(its)}   ${count(wecs.length, 'WEC')} · ${count(objects.length, 'object')}`,
    ...rows.map((row, index) =>
      `  ${isMatrix ? (symbols[index - 1] ?? ' ') : symbols[index]} ${row}`.trimEnd(),
    ),
    ...createOnlyLine(objects),
    ...unknown(notVisible),
    // What blocks objects says more than the state of the policy.
    ...(code === 'policy-deleting' || (state === 'failed' && blocked.length === 0)
      ? [
          `${state === 'failed' ? style.bad : style.dot} ${why}`,
          `    ${textOf(run(command`stellarctl policy ${code === 'policy-deleting' ? 'delete' : 'explain'} ${name} --wds ${wds}`))}`,
        ]
      : blocked),
    ...warningLines(problems, style),
  ];
}

/** The objects of which WECs keep the version that they have. */
function createOnlyLine(objects: PolicyView['objects']) {
  const kept = objects.filter(({ deliveries }) => deliveries.some(({ createOnly }) => createOnly));
  const names = few(kept.map(describeObject));
  return names.length === 0
    ? []
    : [`  With createOnly, a WEC keeps its version of: ${names.join(', ')}`];
}

/** Shows a problem that several objects and WECs share once, with its count. */
function failureLines(objects: PolicyView['objects'], style: Style, now: number) {
  const all = objects.flatMap(({ deliveries }) =>
    deliveries.filter(({ blockedAt }) => blockedAt !== null),
  );
  const groups = Map.groupBy(all, ({ blockedAt, steps }) =>
    JSON.stringify([blockedAt?.why, steps]),
  );
  return [...groups.values()].flatMap((deliveries) => {
    const [first] = deliveries as [DeliveryView, ...DeliveryView[]];
    const on = [...new Set(deliveries.flatMap(({ wec }) => wec ?? []))];
    const where =
      on.length === 0
        ? ''
        : ` (${on.length > widestMatrix ? count(on.length, 'WEC') : on.join(', ')})`;
    return [
      `${symbolOfDelivery(first, style)} ${first.blockedAt && whyBlocked(first.blockedAt, now)}${where}`,
      ...first.steps.map((step) => `    ${step}`),
    ];
  });
}

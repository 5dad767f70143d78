import { ExitCode } from '../../lib/core/errors.ts';
import { count } from '../../lib/core/text/words.ts';
import { describeObject } from '../../lib/ocm/model/object-ref.ts';
import type {
  DifferingField,
  WorkloadDifference,
} from '../../lib/workloads/delivery/difference.ts';
import type { Definition } from '../common/define.ts';
import { age } from '../common/lines.ts';
import { wdsOptions } from '../common/options.ts';
import { parseWecArguments } from '../common/wec-argument.ts';
import type { Style } from '../terminal/style.ts';
import { namespaceOption, wecsOption } from './get.ts';

type Options = { namespace?: string; policy?: string; wec?: string[]; exitCode?: boolean };

export const definition: Definition<Options> = {
  description:
    "Compares what the works say with what is on the WECs: OCM's agent calls an object applied that it has updated only in part. A WEC is read by the context of its name, one such as kind-NAME, or that of --wec, once it is proven to lead to it. Values of Secrets are not shown.",
  examples: [
    ['stellarctl workload diff', 'everything that the WDS sends'],
    ['stellarctl workload diff deployment/web -n shop', 'one object, on each of its WECs'],
    [
      'stellarctl workload diff --policy shop --wec cluster1 --exit-code',
      'for scripts: exits with 5 if anything differs',
    ],
  ],
  rare: ['--its', '--hosting-context'],
  arguments: [
    ['[object]', 'KIND/NAME or KIND.GROUP/NAME, or only the kind'],
    ['[name]', 'its name, after the kind'],
  ],
  options: [
    namespaceOption,
    ['--policy <name>', 'only what this policy sends'],
    wecsOption(),
    ['--exit-code', 'exit with 5 if anything differs'],
    ...wdsOptions(),
  ],
  async run(session, { namespace, policy, wec = [], exitCode }, words) {
    const { findObject, parseObject } = await import('../../lib/workloads/delivery/workload.ts');
    const { diffWorkloads } = await import('../../lib/workloads/delivery/diff.ts');
    const named = words.length === 0 ? undefined : parseObject(words, namespace);
    const wecs = await session.wecs(parseWecArguments(wec));
    const wds = await session.wds();
    const object = named && (await findObject(named, wds)).ref;
    const { items, errors } = await diffWorkloads(wds, { object, policy, wecs });
    const now = wds.kube.now();
    await session.show({ wds: wds.name, items }, (style) =>
      describeDifferences(items, object !== undefined, now, style),
    );
    session.incomplete(errors);
    if (items.some(({ state }) => state === 'unseen')) session.exitCode ||= ExitCode.unreachable;
    if (exitCode && items.some(isFault)) session.exitCode ||= ExitCode.different;
  },
};

/** With createOnly, a WEC keeps its own version. */
const isFault = ({ state, createOnly }: WorkloadDifference) =>
  state === 'missing' || (state === 'different' && !createOnly);

/** What differs, an object after the other; of one object also where it is equal. */
function describeDifferences(
  items: readonly WorkloadDifference[],
  isOne: boolean,
  now: number,
  style: Style,
) {
  const unseen = items.filter(({ state }) => state === 'unseen');
  const seen = items.filter(({ state }) => state !== 'unseen');
  const equal = seen.filter(({ state }) => state === 'equal');
  const shown = isOne ? seen : seen.filter((item) => !equal.includes(item));
  return [
    ...[...Map.groupBy(shown, describeObject)].flatMap(([object, of]) => [
      object,
      ...of.flatMap((each) => linesOf(each, now, style).map((line) => `  ${line}`)),
    ]),
    ...[...Map.groupBy(unseen, ({ wec, why }) => `${wec}: ${why}`)].map(
      ([why, of]) => `? ${count(of.length, 'object')} not compared on ${why}`,
    ),
    ...(isOne
      ? []
      : [`${equal.length} of ${count(items.length, 'object')} on WECs are equal to their works.`]),
  ];
}

function linesOf(item: WorkloadDifference, now: number, { ok, bad, dot }: Style) {
  const { wec, state, createOnly, differs, left, steps } = item;
  if (state === 'equal') return [`${ok} ${wec}   equal to its work`];
  if (state === 'missing') return [`${bad} ${wec}   it is not there`];
  const kept = createOnly ? ' (createOnly: it keeps its own version)' : '';
  return [
    `${createOnly ? dot : bad} ${wec}   differs from its work${kept}`,
    ...differs.map((field) => `    ${fieldLine(field, now)}`),
    ...left.map((field) => `    ${field}: left over, the work no longer has it`),
    ...steps.map((step) => `    ${step}`),
  ];
}

function fieldLine({ field, work, wec, by, since }: DifferingField, now: number) {
  const value = (of: unknown) => (of === null ? 'nothing' : JSON.stringify(of));
  const values = work === undefined ? 'differs' : `${value(work)} in the work, ${value(wec)} there`;
  const writer =
    by === null ? '' : `, written by ${by}${since === null ? '' : ` ${age(since, now)} ago`}`;
  return `${field}: ${values}${writer}`;
}

import { describeObject } from '../../lib/ocm/model/object-ref.ts';
import type { CombinedTable, ReturnedView } from '../../lib/workloads/delivery/returned.ts';
import type { Definition } from '../common/define.ts';
import { age } from '../common/lines.ts';
import { wdsOptions } from '../common/options.ts';
import { aligned } from '../terminal/output.ts';
import { namespaceOption, objectArguments } from './get.ts';

type Options = { namespace?: string };

export const definition: Definition<Options> = {
  description:
    'Shows the status that each WEC has returned for an object, whether or not a policy asks for it, and the tables that status collectors have made from it.',
  examples: [
    ['stellarctl workload status deployment/web -n shop', 'a line for each WEC, then the tables'],
    ['stellarctl workload status deployment/web -n shop -o json', 'the statuses themselves'],
  ],
  arguments: objectArguments,
  options: [namespaceOption, ...wdsOptions()],
  async run(session, { namespace }, words) {
    const { parseObject } = await import('../../lib/workloads/delivery/workload.ts');
    const { getReturned } = await import('../../lib/workloads/delivery/returned.ts');
    const wds = await session.wds();
    const { view, errors } = await getReturned(parseObject(words, namespace), wds);
    await session.show(view, () => describeReturned(view, wds.kube.now()));
    session.incomplete(errors);
  },
};

/** Formats one line per WEC, and one table per collector. */
export function describeReturned(view: ReturnedView, now: number): string[] {
  const { wds, wecs, why, combined } = view;
  const rows = (wecs ?? []).map(({ wec, status, unavailableSince }) => {
    return [
      wec,
      status === null ? 'no status yet' : statusWords(status),
      unavailableSince === null
        ? ''
        : `may be old: not available for ${age(unavailableSince, now)}`,
    ];
  });
  const none = wecs === null ? `not visible: ${why}` : 'no WEC has returned a status of it';
  return [
    `${describeObject(view)} in ${wds}`,
    ...(rows.length === 0 ? [none] : aligned(rows)).map((line) => `  ${line}`),
    ...combined.flatMap(table),
  ];
}

function table({ policy, collector, columns, rows }: CombinedTable) {
  const cells = rows.map((row) =>
    row.map((cell) =>
      cell !== null && typeof cell === 'object' ? JSON.stringify(cell) : `${cell ?? '-'}`,
    ),
  );
  return [
    '',
    `${collector} (policy ${policy})`,
    ...aligned([columns.map((column) => column.toUpperCase()), ...cells.sort()]).map(
      (line) => `  ${line}`,
    ),
  ];
}

/** Summarizes the status fields that most kinds have: replicas, a phase, conditions that are true. */
function statusWords(status: Readonly<Record<string, unknown>>) {
  const {
    replicas,
    availableReplicas,
    desiredNumberScheduled,
    numberAvailable,
    phase,
    conditions,
  } = status;
  const wanted = replicas ?? desiredNumberScheduled;
  const available =
    wanted === undefined
      ? []
      : [`${availableReplicas ?? numberAvailable ?? 0}/${wanted} available`];
  const named = typeof phase === 'string' ? [phase] : [];
  const all = [...available, ...named, ...trueOf(conditions)];
  return all.length > 0 ? all.join(', ') : JSON.stringify(status);
}

const trueOf = (conditions: unknown) =>
  (Array.isArray(conditions) ? (conditions as { type?: string; status?: string }[]) : []).flatMap(
    ({ type, status }) => (status === 'True' && type !== undefined ? [type] : []),
  );

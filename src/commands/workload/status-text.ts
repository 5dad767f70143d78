import type { CombinedTable, ReturnedView } from '../../lib/workloads/returned.ts';
import { aligned } from '../common/lines.ts';

/** Formats one line per WEC, and one table per collector. */
export function describeReturned({ kind, namespace, name, wds, wecs, why, combined }: ReturnedView): string[] {
  const head = `${kind} ${namespace === null ? '' : `${namespace}/`}${name} in ${wds}`;
  const rows = (wecs ?? []).map(({ wec, status }) => [wec, status === null ? 'no status yet' : summaryOf(status)]);
  const none = wecs === null ? `not visible: ${why}` : 'no WEC has returned a status of it';
  return [
    head,
    ...(rows.length === 0 ? [none] : aligned(rows)).map((line) => `  ${line.trimEnd()}`),
    ...combined.flatMap(table),
  ];
}

function table({ policy, collector, columns, rows }: CombinedTable): string[] {
  const cells = rows.map((row) =>
    row.map((cell) => (cell !== null && typeof cell === 'object' ? JSON.stringify(cell) : `${cell ?? '-'}`)),
  );
  return [
    '',
    `${collector} (policy ${policy})`,
    ...aligned([columns.map((column) => column.toUpperCase()), ...cells.sort()]).map((line) => `  ${line.trimEnd()}`),
  ];
}

/** Summarizes the status fields that most kinds have: replicas, a phase, conditions that are true. */
function summaryOf(status: Readonly<Record<string, unknown>>): string {
  const { replicas, availableReplicas, desiredNumberScheduled, numberAvailable, phase, conditions } = status;
  const wanted = replicas ?? desiredNumberScheduled;
  const available = wanted === undefined ? [] : [`${availableReplicas ?? numberAvailable ?? 0}/${wanted} available`];
  const named = typeof phase === 'string' ? [phase] : [];
  const all = [...available, ...named, ...trueOf(conditions)];
  return all.length > 0 ? all.join(', ') : JSON.stringify(status);
}

const trueOf = (conditions: unknown): string[] =>
  (Array.isArray(conditions) ? (conditions as { type?: string; status?: string }[]) : []).flatMap(({ type, status }) =>
    status === 'True' && type !== undefined ? [type] : [],
  );

import type { KubeObject } from '../kube/client/objects.ts';

/** control.kubestellar.io/v1alpha1 CombinedStatus: the results of StatusCollectors for one object. */
export interface CombinedStatus extends KubeObject {
  results?: { name: string; columnNames: string[]; rows?: { columns: Column[] }[] }[];
}

interface Column {
  type: string;
  string?: string;
  /** A number, as text. */
  float?: string;
  bool?: boolean;
  object?: unknown;
  array?: unknown;
}

export type Cell = string | number | boolean | null | object;

/** The result of a collector. The fields are an interface: docs/output.md. */
export interface CombinedTable {
  policy: string;
  collector: string;
  columns: string[];
  rows: Cell[][];
}

export const tablesOf = ({ results = [] }: CombinedStatus, policy: string): CombinedTable[] =>
  results.map(({ name, columnNames, rows = [] }) => ({
    ...{ policy, collector: name, columns: columnNames },
    rows: rows.map(({ columns }) => columns.map(cellOf)),
  }));

function cellOf({ type, string, float, bool, object, array }: Column): Cell {
  if (type === 'Number' && float !== undefined) return Number(float);
  return string ?? bool ?? object ?? array ?? null;
}

import { type CelContent, evaluate } from './cel.ts';
import type { CollectorSpec } from './status-collectors.ts';

/** A value in a CombinedStatus; numbers are texts there. */
type Value =
  | { type: 'String'; string: string }
  | { type: 'Number'; float: string }
  | { type: 'Bool'; bool: boolean }
  | { type: 'Object'; object: unknown }
  | { type: 'Null' };

/** The column of an error in the filter. */
const filterColumn = '';

interface ColumnError {
  columnName: string;
  error: string;
}

/** The result of one StatusCollector for the status of an object on several clusters. */
export interface NamedCombination {
  name: string;
  columnNames: string[];
  rows?: { columns: Value[] }[];
  rowErrors?: (ColumnError & { wec: { clusterId: string } })[];
  aggregationErrors?: ColumnError[];
}

/** The names available to an expression about one cluster. */
export interface ClusterContent {
  cluster: string;
  content: CelContent;
}

/** One cluster's values by column, and the errors. */
interface Row {
  cluster: string;
  values: Map<string, unknown>;
  errors: ColumnError[];
}

/** Applies a valid collector to the clusters that have a status (kubestellar pkg/status/combinedstatus-resolution.go). */
export function combine(name: string, spec: CollectorSpec, clusters: readonly ClusterContent[]): NamedCombination {
  const { select = [], groupBy = [], combinedFields = [] } = spec;
  const rows = clusters.flatMap((cluster) => rowOf(spec, cluster) ?? []);
  if (select.length > 0) {
    const table = rows.map(({ values }) => ({ columns: select.map((column) => typed(values.get(column.name))) }));
    return { name, columnNames: select.map((column) => column.name), ...(table.length > 0 && { rows: table }) };
  }
  const groups = new Map<string, Row[]>(groupBy.length === 0 && rows.length === 0 ? [['', []]] : []);
  for (const row of rows.filter(({ errors }) => errors.length === 0)) {
    const key = JSON.stringify(groupBy.map((column) => typed(row.values.get(column.name))));
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const aggregationErrors: ColumnError[] = [];
  const table = [...groups.values()].map((group) => {
    const keys = groupBy.map((column) => typed(group[0]?.values.get(column.name)));
    const aggregates = combinedFields.map((field) => {
      const { value, error } = aggregate(field, group);
      if (error) aggregationErrors.push({ columnName: field.name, error });
      return value;
    });
    return { columns: [...keys, ...aggregates] };
  });
  const rowErrors = errorsOf(rows);
  return {
    name,
    columnNames: [...groupBy, ...combinedFields].map((column) => column.name),
    ...(table.length > 0 && { rows: table }),
    ...(rowErrors.length > 0 && { rowErrors }),
    ...(aggregationErrors.length > 0 && { aggregationErrors }),
  };
}

/** Undefined if the filter excludes the cluster. An unavailable value is the error's text. */
function rowOf(
  { filter, select = [], groupBy = [], combinedFields = [] }: CollectorSpec,
  { cluster, content }: ClusterContent,
): Row | undefined {
  const row: Row = { cluster, values: new Map(), errors: [] };
  const put = (column: string, text: string) => {
    try {
      row.values.set(column, evaluate(text, content));
    } catch (error) {
      const { message } = error as Error;
      row.values.set(column, message);
      row.errors.push({ columnName: column, error: message });
    }
  };
  if (filter !== undefined) {
    put(filterColumn, filter);
    const passes = row.values.get(filterColumn);
    if (passes === false) return undefined;
    if (typeof passes !== 'boolean' && passes !== null && row.errors.length === 0)
      row.errors.push({
        columnName: filterColumn,
        error: 'filter expression has wrong type but expected bool or null',
      });
  }
  for (const { name, def } of [...select, ...groupBy]) put(name, def);
  for (const { name, subject } of combinedFields) if (subject !== undefined) put(name, subject);
  return row;
}

/** The first error of each column. */
function errorsOf(rows: readonly Row[]): NonNullable<NamedCombination['rowErrors']> {
  const all = rows.flatMap(({ cluster, errors }) => errors.map((error) => ({ ...error, wec: { clusterId: cluster } })));
  return all.filter(({ columnName }, index) => all.findIndex((each) => each.columnName === columnName) === index);
}

function aggregate(
  { name, type }: { name: string; type: string },
  rows: readonly Row[],
): { value: Value; error?: string | undefined } {
  const number = (value: number) => ({ type: 'Number' as const, float: inGoWords(value) });
  if (type === 'COUNT') return { value: number(rows.length) };
  let error: string | undefined;
  const numbers = rows.flatMap(({ cluster, values }) => {
    const value = values.get(name);
    const parsed = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
    if (['bigint', 'number', 'string'].includes(typeof value) && !Number.isNaN(parsed)) return [parsed];
    const why =
      typeof value === 'string'
        ? `failed to parse combinedField subject as a float: strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`
        : `combinedField subject has unexpected type ${typeof value}`;
    error ??= `for WEC ${cluster}, ${why}`;
    return [];
  });
  const sum = numbers.reduce((one, other) => one + other, 0);
  if (type === 'SUM') return { value: number(sum), error };
  if (type === 'MIN') return { value: number(Math.min(...numbers)), error };
  if (type === 'MAX') return { value: number(Math.max(...numbers)), error };
  if (type !== 'AVG') return { value: { type: 'Null' }, error: `unsupported aggregation type ${type}` };
  return { value: number(sum / rows.length), error: rows.length > 0 ? error : 'no values to average' };
}

function inGoWords(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function typed(value: unknown): Value {
  if (value === null || value === undefined) return { type: 'Null' };
  if (typeof value === 'string') return { type: 'String', string: value };
  if (typeof value === 'boolean') return { type: 'Bool', bool: value };
  if (typeof value === 'bigint') return { type: 'Number', float: String(value) };
  if (typeof value === 'number') return { type: 'Number', float: inGoWords(value) };
  const plain = (_key: string, each: unknown) => (typeof each === 'bigint' ? Number(each) : each);
  return { type: 'Object', object: JSON.parse(JSON.stringify(value, plain)) };
}

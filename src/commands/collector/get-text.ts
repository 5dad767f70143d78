import type { CollectorView } from '../../lib/workloads/collectors.ts';
import { section } from '../common/lines.ts';

export function describeCollector({ name, spec, usedBy, errors }: CollectorView): string[] {
  const { filter, groupBy = [], combinedFields = [], select = [], limit } = spec;
  const columns = [...groupBy, ...select].map((column) => `${column.name}   ${column.def}`);
  const combined = combinedFields.map(
    (field) => `${field.name}   ${field.type}${field.subject ? ` of ${field.subject}` : ''}`,
  );
  return [
    `StatusCollector ${name}`,
    ...section('filter', filter === undefined || filter === '' ? [] : [filter]),
    ...section('columns', [...columns, ...combined]),
    ...section('limit', limit === undefined ? [] : [`${limit} rows`]),
    ...section('used by', [usedBy.length === 0 ? 'no binding policy' : usedBy.join(', ')]),
    ...section(
      'errors',
      errors.flatMap((error) => error.split('\n')),
    ),
  ];
}

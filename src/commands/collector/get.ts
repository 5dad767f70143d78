import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { CollectorView } from '../../lib/workloads/change-collector.ts';
import type { Definition } from '../common/define.ts';
import { section } from '../common/lines.ts';
import { type WdsOptions, wdsOptions } from '../common/options.ts';

export const definition: Definition<WdsOptions> = {
  description:
    'Shows the expressions of a StatusCollector, the policies that name it, and where KubeStellar cannot evaluate it.',
  timeout: '30s',
  examples: [['stellarctl collector get replicas', 'its columns, and its errors']],
  arguments: [['<name>', 'the collector']],
  options: [...wdsOptions()],
  async run(session, _options, [name = '']) {
    checkDnsName(name, 'a status collector');
    const { getCollector } = await import('../../lib/workloads/change-collector.ts');
    const { view } = await getCollector(await session.wds(), name);
    await session.show(view, () => describeCollector(view));
  },
};

function describeCollector({ name, spec, usedBy, errors }: CollectorView): string[] {
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

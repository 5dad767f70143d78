import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { Definition } from '../common/define.ts';
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
    const { getCollector } = await import('../../lib/workloads/collectors.ts');
    const { view } = await getCollector(await session.wds(), name);
    const { describeCollector } = await import('./get-text.ts');
    await session.show(view, () => describeCollector(view));
  },
};

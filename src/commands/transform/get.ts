import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { Definition } from '../common/define.ts';
import { type WdsOptions, wdsOptions } from '../common/options.ts';

export const definition: Definition<WdsOptions> = {
  description: 'Shows which fields a CustomTransform removes, and what KubeStellar cannot read in it.',
  timeout: '30s',
  examples: [['stellarctl transform get no-replicas', 'the fields that it removes']],
  arguments: [['<name>', 'the transform']],
  options: [...wdsOptions()],
  async run(session, _options, [name = '']) {
    checkDnsName(name, 'a custom transform');
    const { getTransform } = await import('../../lib/workloads/transforms.ts');
    const view = await getTransform(await session.wds(), name);
    const { describeTransform } = await import('./transform-text.ts');
    await session.show(view, () => describeTransform(view));
  },
};

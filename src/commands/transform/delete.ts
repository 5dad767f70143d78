import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, type WdsOptions, type WritingOptions, wdsOptions } from '../common/options.ts';
import { nextRefresh } from './transform-text.ts';

export const definition: Definition<WdsOptions & WritingOptions> = {
  description: 'Deletes a CustomTransform. Existing works stay without the removed fields until `policy refresh`.',
  timeout: '30s',
  destroys: true,
  examples: [['stellarctl transform delete no-replicas', 'then run policy refresh']],
  arguments: [['<name>', 'the transform']],
  options: [...wdsOptions(), dryRunOption()],
  async run(session, _options, [name = '']) {
    checkDnsName(name, 'a custom transform');
    const { deleteTransform } = await import('../../lib/workloads/transforms.ts');
    const wds = await session.wdsToWrite();
    const result = await deleteTransform(name, wds, session.run);
    await session.finish([result]);
    await nextRefresh(session, result, wds);
  },
};

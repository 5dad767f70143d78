import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { Definition } from '../common/define.ts';
import { type WdsOptions, wdsOptions } from '../common/options.ts';

export const definition: Definition<WdsOptions> = {
  description:
    'Shows which fields a CustomTransform removes from which of the objects that are sent now, and what KubeStellar cannot read in it.',
  timeout: '30s',
  examples: [['stellarctl transform get no-replicas', 'what it removes from the objects that are sent now']],
  arguments: [['<name>', 'the transform']],
  options: [...wdsOptions()],
  async run(session, _options, [name = '']) {
    checkDnsName(name, 'a custom transform');
    const { effectOf, getTransform } = await import('../../lib/workloads/transforms/transforms.ts');
    const { readable } = await import('../../lib/workloads/transforms/path.ts');
    const wds = await session.wds();
    const { view } = await getTransform(wds, name);
    const spec = { apiGroup: view.group, resource: view.resource, remove: readable(view.remove) };
    const document = { ...view, effect: await effectOf(spec, wds) };
    const { describeEffect, describeTransform } = await import('./transform-text.ts');
    await session.show(document, () => [...describeTransform(view), ...describeEffect(document.effect)]);
  },
};

import type { Definition } from '../common/define.ts';
import { type WdsOptions, wdsOptions } from '../common/options.ts';
import { stateOf } from './transform-text.ts';

export const definition: Definition<WdsOptions> = {
  description:
    'Lists the CustomTransforms of a WDS: which fields each removes from the objects of which kind, and what is wrong with it.',
  timeout: '30s',
  examples: [['stellarctl transform list', 'the transforms of the default WDS']],
  options: [...wdsOptions()],
  async run(session) {
    const { listTransforms } = await import('../../lib/workloads/transforms.ts');
    const wds = await session.wds();
    const items = await listTransforms(wds);
    await session.print({ wds: wds.name, items }, items, [
      { header: 'NAME', value: ({ name }) => name },
      { header: 'KIND', value: ({ resource, group }) => (group === '' ? resource : `${resource}.${group}`) },
      { header: 'REMOVES', value: ({ remove }) => remove.join(',') },
      { header: 'STATE', value: stateOf },
    ]);
    const create = ['transform', 'create', 'NAME', '--select', 'KIND', '--remove', 'PATH'];
    if (items.length === 0) await session.noneInWds(wds, 'transforms', create);
  },
};

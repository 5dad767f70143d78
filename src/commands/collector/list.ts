import type { Definition } from '../common/define.ts';
import { type WdsOptions, wdsOptions } from '../common/options.ts';

export const definition: Definition<WdsOptions> = {
  description:
    'Lists the StatusCollectors of a WDS with the policies that name them, and the errors in their expressions.',
  timeout: '30s',
  examples: [['stellarctl collector list', 'the collectors of the default WDS']],
  options: [...wdsOptions()],
  async run(session) {
    const { listCollectors } = await import('../../lib/workloads/change-collector.ts');
    const wds = await session.wds();
    const items = await listCollectors(wds);
    await session.print({ wds: wds.name, items }, items, [
      { header: 'NAME', value: ({ name }) => name },
      { header: 'COLUMNS', value: ({ columns }) => columns.join(',') },
      { header: 'USED BY', value: ({ usedBy }) => usedBy.join(',') || '-' },
      { header: 'STATE', value: ({ errors }) => errors[0]?.split('\n')[0] ?? 'ok' },
    ]);
    const create = ['collector', 'create', 'NAME', '--preset', 'replicas'];
    if (items.length === 0) await session.noneInWds(wds, 'status collectors', create);
  },
};

import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import { action } from '../shell/action.ts';
import { defineCommand, type WdsOptions, wdsOptions } from '../shell/options.ts';

export function collectorListCommand(io: Io): Command {
  const definition = defineCommand('list', {
    description:
      'Lists the StatusCollectors of a WDS with the policies that name them, and the errors in their expressions.',
    timeout: '30s',
    examples: [['stellarctl collector list', 'the collectors of the default WDS']],
  });
  for (const option of wdsOptions()) definition.addOption(option);
  return definition.action(
    action<WdsOptions>(io, async (session) => {
      const { listCollectors } = await import('../../lib/workloads/status/collectors.ts');
      const wds = await session.wds();
      const { items, missing } = await listCollectors(wds);
      await session.print({ wds: wds.name, items, missing }, items, [
        { header: 'NAME', value: ({ name }) => name },
        { header: 'COLUMNS', value: ({ columns }) => columns.join(',') },
        { header: 'USED BY', value: ({ usedBy }) => usedBy.join(',') || '-' },
        { header: 'STATE', value: ({ errors }) => errors[0]?.split('\n')[0] ?? 'ok' },
      ]);
      const create = ['collector', 'create', 'NAME', '--preset', 'replicas'];
      if (items.length === 0) await session.noneInWds(wds, 'status collectors', create);
      if (missing.length > 0) session.progress.note(`Named by policies, but not found: ${missing.join(', ')}`);
    }),
  );
}

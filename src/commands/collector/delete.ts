import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, type WdsOptions, type WritingOptions, wdsOptions } from '../common/options.ts';

type Options = WdsOptions & WritingOptions & { force?: boolean };

export const definition: Definition<Options> = {
  description: 'Deletes a StatusCollector and what it has collected. Refuses while a binding policy names it.',
  timeout: '30s',
  destroys: true,
  examples: [['stellarctl collector delete replicas', 'a collector that no policy names']],
  arguments: [['<name>', 'the collector']],
  options: [
    ['--force', 'delete a collector that binding policies name; they then have an error'],
    ...wdsOptions(),
    dryRunOption(),
  ],
  async run(session, { force }, [name = '']) {
    checkDnsName(name, 'a status collector');
    const { deleteCollector } = await import('../../lib/workloads/change-collector.ts');
    const wds = await session.wdsToWrite();
    await session.finish([await deleteCollector(name, { force }, wds, session.run)]);
  },
};

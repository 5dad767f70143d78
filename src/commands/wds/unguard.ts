import type { Unguarding } from '../../lib/workloads/guard-wds.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import {
  type ConfirmedOptions,
  dryRunOption,
  type HostingOptions,
  hostingContextOption,
  yesOption,
} from '../common/options.ts';

type Options = HostingOptions & ConfirmedOptions;

export const definition: Definition<Options> = {
  description:
    'Shows what the guard of a WDS keeps on its WECs, asks, and deletes the guard: KubeStellar then removes that. WDSes of type host have one guard, which all of them lose. The API server keeps its flags.',
  timeout: '2m',
  destroys: true,
  examples: [['stellarctl wds unguard wds1', 'a restart of its controllers removes workloads again']],
  arguments: [['<name>', 'the name of the WDS']],
  options: [yesOption(), hostingContextOption(), dryRunOption()],
  async run(session, { yes }, [name = '']) {
    const { hasGuard, unguardWds } = await import('../../lib/workloads/guard-wds.ts');
    const tools = await session.hostingToWrite(yes);
    const confirm = confirming<Unguarding>(session, {
      show: ({ kept, sharedWith }) => {
        for (const { object, wec, policy } of kept)
          session.progress.note(`  ${wec}   ${object} will be removed (policy ${policy}).`);
        for (const other of sharedWith) session.progress.note(`  ${other} loses its guard as well.`);
      },
      confirmations: ({ guard }) => (hasGuard(guard) ? [{ verb: 'Unguard', doing: 'Unguarding', name, yes }] : []),
    });
    await session.finish([await unguardWds(name, confirm, tools, session.run)]);
  },
};

import { Option } from 'commander';
import { command } from '../../lib/core/next-step.ts';
import { newestOcm } from '../../lib/ocm/model/ocm-versions.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, hostingContextOption, imageRegistryOption } from '../common/options.ts';

type Options = { to: string; imageRegistry?: string };

export const definition: Definition<Options> = {
  description:
    'Upgrades OCM in an ITS, and then the status add-on to the version of the installed hooks. Only images change, and the rights and fields that the version needs; registrations and workloads stay. It can be rerun to finish an upgrade that was interrupted. Upgrade the WECs afterwards.',
  timeout: '15m',
  examples: [
    ['stellarctl its upgrade its1', `upgrade OCM to ${newestOcm}`],
    ['stellarctl its upgrade its1 --to 1.2.1', 'to another version'],
  ],
  arguments: [['<name>', 'the name of the ITS']],
  options: [
    hostingContextOption(),
    new Option('--to <version>', 'the version of OCM').default(newestOcm),
    imageRegistryOption('the registry of the images (default: that of the present ones)'),
    dryRunOption(),
  ],
  async run(session, { to, imageRegistry }, [name = '']) {
    const { upgradeIts } = await import('../../lib/spaces/upgrade-its.ts');
    const tools = await session.hostingToWrite();
    const { result, wecs } = await upgradeIts(name, { to, imageRegistry }, tools, session.run);
    await session.finish([result]);
    // The upgrade proves that a context with the name of a WEC leads to it.
    const named = await Promise.all(
      wecs.map(async (wec) =>
        (await session.contextsNamed(wec)).length > 0 ? wec : `${wec}=CONTEXT`,
      ),
    );
    if (wecs.length > 0) session.next(command`stellarctl wec upgrade ${named} --its ${name}`);
  },
};

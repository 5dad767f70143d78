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
    const { contexts } = await session.kubeconfig();
    const { localNames, providerNames } = await import(
      '../../lib/spaces/local/local-cluster-names.ts'
    );
    const guesses = (wec: string) => [
      wec,
      ...providerNames.map((provider) => localNames(provider, wec).context),
    ];
    // The upgrade proves that it leads to the WEC.
    const contextOf = (wec: string) => guesses(wec).find((each) => contexts.has(each));
    const named = wecs.map((wec) => `${wec}=${contextOf(wec) ?? 'CONTEXT'}`);
    const all = wecs.every((wec) => contexts.has(wec)) ? ['--all'] : named;
    if (wecs.length > 0) session.next(command`stellarctl wec upgrade ${all} --its ${name}`);
  },
};

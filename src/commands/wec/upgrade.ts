import { Option } from 'commander';
import { StellarError } from '../../lib/core/errors.ts';
import { advice } from '../../lib/core/next-step.ts';
import type { Definition } from '../common/define.ts';
import {
  dryRunOption,
  imageRegistryOption,
  itsOption,
  wecKubeconfigOption,
  wholeNumber,
} from '../common/options.ts';
import { parseChosenWecs } from '../common/wec-argument.ts';

interface Options {
  all?: boolean;
  to?: string;
  imageRegistry?: string;
  batch: number;
  maxFailed: number;
  adopt?: boolean;
}

export const definition: Definition<Options> = {
  description:
    'Upgrades the agents of WECs to the version of OCM of their ITS: first the operator, then the images that its Klusterlet names. Workloads keep running, and works keep their UIDs. The first WEC goes alone; the others follow in batches once its agent runs and has renewed its Lease three times. To resume, rerun it.',
  timeout: '2h',
  examples: [
    ['stellarctl wec upgrade cluster1=kind-cluster1', 'upgrade the agent of one WEC'],
    [
      'stellarctl wec upgrade --all --wec-kubeconfig wecs.yaml',
      'of all, by the contexts of their names in a file',
    ],
    [
      'stellarctl wec upgrade cluster1 cluster2 --to 1.2.1',
      'to another version than that of the ITS',
    ],
  ],
  usage: 'NAME[=CONTEXT]… | --all [options]',
  arguments: [['[wecs...]', 'names of the WECs; a bare NAME means the context of that name']],
  options: [
    itsOption(),
    wecKubeconfigOption(),
    ['--all', 'every WEC of the ITS'],
    ['--to <version>', 'the version of OCM (default: that of the ITS)'],
    new Option('--batch <number>', 'how many are upgraded at once, after the first')
      .argParser(wholeNumber(1))
      .default(10),
    new Option('--max-failed <number>', 'with more failures than this, no further one begins')
      .argParser(wholeNumber(0))
      .default(0),
    ['--adopt', 'upgrade operators that another program has installed as well'],
    imageRegistryOption('the registry of the images (default: that of the present ones)'),
    dryRunOption(),
  ],
  async run(session, options, positional) {
    const chosen = parseChosenWecs(positional, options);
    const its = await session.itsToWrite();
    const { upgradeWecs } = await import('../../lib/wecs/upgrade.ts');
    const { inspectHub } = await import('../../lib/ocm/hub/hub-access.ts');
    const { ocmVersion } = await inspectHub(its);
    const to = options.to ?? ocmVersion;
    if (to === undefined)
      throw new StellarError(
        'hub-version-unknown',
        `${its.context.name} does not say which version of OCM it runs.`,
        advice('Give the version: --to X.Y.Z'),
      );
    const clusters = await session.registeredWecs(await chosen.find(its.kube), its.kube);
    const wecs = clusters.map((wec) => ({ ...wec, its }));
    const { imageRegistry, adopt = false, batch: size, maxFailed } = options;
    const target = { to, hub: ocmVersion, imageRegistry, adopt };
    await session.finish(await upgradeWecs(wecs, target, { size, maxFailed }, session.run));
    session.next('stellarctl wec list -o wide');
  },
};

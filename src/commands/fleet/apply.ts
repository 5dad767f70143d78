import type { Definition } from '../common/define.ts';
import { dryRunOption, yesOption } from '../common/options.ts';
import { rareRehearsal, rehearsalOptions } from '../common/rehearsal.ts';
import type { Options } from './applying.ts';
import { fileOptions } from './open.ts';

export const definition: Definition<Options> = {
  description:
    'Makes the WECs of the ITS what a file says: shows the plan and asks, registers and accepts what is missing, then sets labels, annotations and properties. What leaves the file is removed, unless another program wants it too. If a part of the file cannot be true, nothing is written; otherwise every WEC is tried. It can be rerun to resume.',
  timeout: '30m',
  examples: [
    ['stellarctl fleet apply -f fleet.yaml', 'show the plan, ask, and apply it'],
    ['stellarctl fleet apply -f fleet.yaml --its its1 --yes', 'in a script'],
    [
      'stellarctl fleet apply -f fleet.yaml --force-conflicts tier',
      'own a label that another program has set',
    ],
  ],
  usage: '-f FILE [options]',
  rare: [
    '--wec-kubeconfig',
    '--trust-kubeconfigs',
    '--max-removed',
    '--evict-works',
    '--hosting-context',
    '--keep-workloads',
    ...rareRehearsal,
  ],
  options: [
    ...fileOptions(),
    ['--keep-workloads', 'with --prune: keep the workloads running'],
    yesOption(),
    ...rehearsalOptions(),
    dryRunOption(),
  ],
  destroys: true,
  run: async (session, options) => (await import('./applying.ts')).applyFile(session, options),
};

import { Option } from 'commander';
import type { WaitGoal } from '../../lib/wecs/accept.ts';
import { registrationStageIds } from '../../lib/wecs/registration/registration-stage-ids.ts';
import type { Definition } from '../common/define.ts';
import { itsOption, selectionOptions, wecKubeconfigOption } from '../common/options.ts';
import { noneMatches, parseChosenWecs, type SelectionOptions } from '../common/wec-argument.ts';

type Options = SelectionOptions & { for: WaitGoal };

export const definition: Definition<Options> = {
  description:
    'Waits until the registration of every WEC reaches a stage, or until its ManagedCluster is deleted. A name that the ITS does not know is an error, except with --for request and the stages before it. For scripts; writes nothing. --timeout works as in kubectl wait. The exit code is 0 when every WEC has reached the stage, and 3 if the deadline passes first; the message then says what is still awaited.',
  examples: [
    ['stellarctl wec wait cluster1 cluster2', 'wait until two WECs are available'],
    ['stellarctl wec wait cluster1 --for accepted --timeout 5m', 'wait until a WEC is accepted'],
    [
      'stellarctl wec wait -l location-group=edge',
      'wait until all WECs with a label are available',
    ],
    ['stellarctl wec wait cluster1 --timeout 0', 'check once, for the exit code'],
    ['stellarctl wec wait cluster1 --for delete', 'wait until its ManagedCluster is deleted'],
  ],
  usage: 'NAME[=CONTEXT]… | -l SELECTOR | --all [options]',
  arguments: [['[wecs...]', 'WECs; with a context, for stages that only the WEC itself shows']],
  rare: ['--allow-none', '--wec-kubeconfig'],
  options: [
    new Option('--for <stage>', 'the stage to wait for')
      .choices([...registrationStageIds, 'delete'])
      .default('available'),
    itsOption(),
    ...selectionOptions('all WECs that the ITS has when the command begins'),
    wecKubeconfigOption(),
  ],
  async run(session, options, positional) {
    // As in kubectl wait: what is gone is deleted.
    const allowNone =
      options.allowNone || (options.for === 'delete' && options.selector !== undefined);
    const { named, find } = parseChosenWecs(positional, { ...options, allowNone });
    const { checkWaitGoal, waitFor } = await import('../../lib/wecs/accept.ts');
    checkWaitGoal(options.for, named ?? [{ name: 'NAME', context: undefined }]);
    const { kube: hub } = await session.its();
    const wecs = await find(hub);
    if (wecs.length === 0) session.progress.note(noneMatches(hub));
    await session.finish(await waitFor(hub, await session.wecs(wecs), options.for, session.run));
  },
};

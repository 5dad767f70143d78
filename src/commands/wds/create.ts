import { Option } from 'commander';
import { command, noted, textOf } from '../../lib/core/next-step.ts';
import type { WdsType } from '../../lib/ocm/model/kubeflex-names.ts';
import type { Definition } from '../common/define.ts';
import {
  dryRunOption,
  hostingContextOption,
  imageRegistryOption,
  listOption,
  registryOfSpace,
} from '../common/options.ts';

interface Options {
  type: WdsType;
  its?: string;
  apiGroups: string[];
  imageRegistry?: string;
  guard?: boolean;
}

export const definition: Definition<Options> = {
  description:
    'Creates a WDS on the hosting cluster and waits until it serves workloads and binding policies: an API server of its own (k8s), or the hosting cluster itself (host). Failures are reported at once, with their logs. Writes its context to the kubeconfig. It can be rerun to resume.',
  timeout: '10m',
  examples: [
    ['stellarctl wds create wds1', 'an API server of its own, sending through the only ITS'],
    ['stellarctl wds create wds2 --type host', 'the hosting cluster itself as the WDS'],
    ['stellarctl wds create wds1 --its its2', 'if there are several ITSes'],
  ],
  arguments: [['<name>', 'its name']],
  options: [
    new Option('--type <type>', 'the type of its control plane')
      .choices(['k8s', 'host'])
      .default('k8s'),
    [
      '--its <its>',
      'the ITS to send workloads through, by its name or a context; required if there are several',
    ],
    listOption('--api-groups <groups>', 'watch workloads of these API groups only').default(
      [],
      'all',
    ),
    ['--guard', 'keep workloads running whenever its controllers start: `wds guard`'],
    imageRegistryOption(registryOfSpace),
    hostingContextOption(),
    dryRunOption(),
  ],
  async run(session, { type, its, apiGroups, imageRegistry, guard }, [name = '']) {
    const { createWds } = await import('../../lib/spaces/create-wds.ts');
    const { nameOfIts } = await import('../../lib/spaces/choose/its-choice.ts');
    const tools = await session.hostingToWrite();
    const itsName = its && nameOfIts(its, tools);
    const result = await createWds(
      { name, type, itsName, apiGroups, imageRegistry },
      tools,
      session.run,
    );
    if (guard && result.error === undefined && !session.run.dryRun) {
      const { guardNew } = await import('../../lib/maintenance/guard-wds.ts');
      const { guarded, error } = await guardNew(name, tools, session.run);
      Object.assign(result, { guarded: guarded && error === undefined }, error && { error });
    }
    await session.finish([result]);
    session.next(
      textOf(
        noted(command`kubectl --context ${name} apply -f …`, 'workloads and binding policies'),
      ),
    );
  },
};

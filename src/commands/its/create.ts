import { Option } from 'commander';
import { command } from '../../lib/core/next-step.ts';
import type { ItsType } from '../../lib/ocm/model/kubeflex-names.ts';
import { safeOcm } from '../../lib/ocm/model/ocm-versions.ts';
import type { ItsInput } from '../../lib/spaces/create-its.ts';
import type { Definition } from '../common/define.ts';
import {
  dryRunOption,
  hostingContextOption,
  imageRegistryOption,
  refuseWithout,
  registryOfSpace,
} from '../common/options.ts';
import type { Session } from '../common/session.ts';

interface Options {
  type: ItsType;
  ocm: boolean;
  bootstrapKubeconfig?: string;
  bootstrapContext?: string;
  hubApiserver?: string;
  imageRegistry?: string;
  ocmVersion?: string;
}

export const definition: Definition<Options> = {
  description:
    'Creates an ITS on the hosting cluster and waits until WECs can join it: a virtual cluster (vcluster), the hosting cluster itself (host), or another cluster (external). Failures are reported at once, with their logs. Writes its context to the kubeconfig. It can be rerun to resume.',
  timeout: '10m',
  examples: [
    ['stellarctl its create its1', 'a virtual cluster as the ITS'],
    ['stellarctl its create its1 --type host', 'the hosting cluster itself as the ITS'],
    [
      'stellarctl its create its1 --type external --bootstrap-context ext',
      'another cluster as the ITS',
    ],
    [
      'stellarctl its create its1 --type external --bootstrap-context hub --no-ocm',
      'a cluster that is already an OCM hub',
    ],
  ],
  arguments: [['<name>', 'its name']],
  rare: [
    '--no-ocm',
    '--ocm-version',
    '--bootstrap-kubeconfig',
    '--hub-apiserver',
    '--image-registry',
  ],
  options: [
    new Option('--type <type>', 'the type of its control plane')
      .choices(['vcluster', 'host', 'external'])
      .default('vcluster'),
    ['--no-ocm', 'do not install OCM: the cluster is already an OCM hub'],
    new Option(
      '--ocm-version <version>',
      `the version of OCM, or chart: what the hooks install, even with known holes (default: ${safeOcm})`,
    ).conflicts('ocm'),
    ['--bootstrap-context <context>', 'for type external: the context of that cluster'],
    [
      '--bootstrap-kubeconfig <file>',
      'for type external: a kubeconfig with that context (default: its current one)',
    ],
    [
      '--hub-apiserver <url>',
      'for type external: the address at which the hosting cluster reaches it, if different from yours',
    ],
    imageRegistryOption(registryOfSpace),
    hostingContextOption(),
    dryRunOption(),
  ],
  async run(session, options, [name = '']) {
    if (options.type !== 'external')
      refuseWithout('--type external', {
        '--bootstrap-context': options.bootstrapContext,
        '--bootstrap-kubeconfig': options.bootstrapKubeconfig,
        '--hub-apiserver': options.hubApiserver,
      });
    const { createIts } = await import('../../lib/spaces/create-its.ts');
    const tools = await session.hostingToWrite();
    const input: ItsInput = {
      ...options,
      name,
      installOcm: options.ocm,
      external: await externalOf(session, options),
    };
    const result = await createIts(input, tools, session.run);
    await session.finish([result]);
    if (result.error !== undefined || options.dryRun || result.context === null) return;
    const { useItsIfNone } = await import('../../lib/spaces/choose/its-choice.ts');
    const isSelected = await useItsIfNone(result.context, tools, session.io.env);
    session.next(
      command`stellarctl wec join NAME=CONTEXT --accept ${isSelected ? [] : ['--its', result.context]}`,
    );
  },
};

async function externalOf(session: Session, options: Options): Promise<ItsInput['external']> {
  const { bootstrapKubeconfig: file, bootstrapContext, hubApiserver: address } = options;
  if (file === undefined && bootstrapContext === undefined) return undefined;
  const { loadKubeconfig, selectContext } = await import('../../lib/kube/kubeconfig/kubeconfig.ts');
  const { noneGiven } = await import('../../lib/kube/kubeconfig/entries.ts');
  const kubeconfig =
    file === undefined ? await session.kubeconfig() : await loadKubeconfig(file, session.io.env);
  const name = bootstrapContext ?? kubeconfig.currentContext;
  if (name === undefined) throw noneGiven('No context', '--bootstrap-context', kubeconfig);
  const context = selectContext(kubeconfig, name);
  return { context, kube: session.connect(context), address, isOwnContext: file === undefined };
}

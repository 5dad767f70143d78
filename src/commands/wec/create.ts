import { Option } from 'commander';
import { StellarError } from '../../lib/core/errors.ts';
import { command } from '../../lib/core/next-step.ts';
import { ifSeen, tryRead } from '../../lib/kube/access.ts';
import {
  checkClusterName,
  nodeImage,
  type ProviderName,
  providerNames,
} from '../../lib/spaces/local/local-cluster-names.ts';
import type { ItsLocation } from '../../lib/spaces/local/local-network.ts';
import type { Definition } from '../common/define.ts';
import {
  dryRunOption,
  itsOption,
  maxRemovedByLabels,
  nodeImageOption,
  refuseWithout,
  repeatable,
  wecKubeconfigOption,
} from '../common/options.ts';
import type { Session } from '../common/session.ts';
import { parseWecArguments } from '../common/wec-argument.ts';
import { requireForeseenJoin } from './foreseen-join.ts';
import { checkAddresses, nextAfterJoin, openAccess, toJoinOptions } from './join-options.ts';

interface Options {
  provider: ProviderName;
  network?: string;
  image?: string;
  join?: boolean;
  accept?: boolean;
  label?: string[];
  hubApiserver?: string;
  maxRemoved?: number;
}

export const definition: Definition<Options> = {
  description:
    'Creates clusters on this machine with kind or k3d, on a network that reaches the ITS, each with the context NAME; with --join, also registers them. Existing clusters are kept.',
  timeout: '15m',
  examples: [
    [
      'stellarctl wec create cluster1 cluster2 --provider kind',
      'two clusters, with contexts of these names',
    ],
    [
      'stellarctl wec create cluster1 --provider kind --join --accept --its its1',
      'create, register and accept one',
    ],
    [
      'stellarctl wec create cluster1 --provider k3d --network k3d-kubeflex',
      'on the network of a hosting cluster',
    ],
  ],
  usage: 'NAME… --provider kind|k3d [options]',
  arguments: [['<wecs...>', 'names of the clusters']],
  rare: ['--network', '--image', '--hub-apiserver', '--wec-kubeconfig', '--max-removed'],
  options: [
    new Option('--provider <name>', 'the tool that creates them')
      .choices(providerNames)
      .makeOptionMandatory(),
    [
      '--network <name>',
      'the container network (default: that of the ITS, if it is of the same provider)',
    ],
    nodeImageOption(),
    itsOption(),
    ['--join', 'join them to the ITS'],
    ['--accept', 'with --join: accept them, and wait until they are available'],
    repeatable('--label <key=value>', 'with --join: a label for them'),
    maxRemovedByLabels(),
    ['--hub-apiserver <address>', 'with --join: the address at which they reach the ITS'],
    wecKubeconfigOption(),
    dryRunOption(),
  ],
  async run(session, options, positional) {
    const names = clusterNames(positional, options.provider);
    const { provider, accept, label, hubApiserver } = options;
    if (!options.join)
      refuseWithout('--join', {
        '--accept': accept,
        '--label': label,
        '--hub-apiserver': hubApiserver,
      });
    checkAddresses(options);
    const image = nodeImage(provider, options.image);
    // Detect problems with the ITS before clusters are created.
    const joining = options.join ? await foreseenJoin(session, names, options) : undefined;
    const { createWecs } = await import('../../lib/wecs/join/create-wec.ts');
    const { chooseNetwork } = await import('../../lib/spaces/local/local-network.ts');
    const { network, note } = chooseNetwork(
      provider,
      options.network,
      ifSeen(await tryRead(() => findItsLocation(session))),
    );
    if (note !== undefined) session.progress.note(note);
    const tools = session.localTools();
    const created = await createWecs(names, { provider, image, network, joining }, tools);
    await session.finish(created);
    const its = options.its === undefined ? [] : ['--its', options.its];
    session.next(
      joining === undefined
        ? command`stellarctl wec join ${names} --accept ${its}`
        : nextAfterJoin(joining.access, created),
    );
  },
};

/** The join of clusters that may not exist yet. */
async function foreseenJoin(session: Session, names: readonly string[], options: Options) {
  const asked = await toJoinOptions(options);
  const access = await openAccess(session, options, undefined);
  const wecs = names.map((name) => ({ name }));
  const effects = await requireForeseenJoin(session, access, wecs, asked, options);
  return { access, options: { ...asked, effects } };
}

/** Accepts names only: the context of a created cluster has the cluster's name. */
function clusterNames(positional: readonly string[], provider: ProviderName) {
  return parseWecArguments(positional).map(({ name, context }) => {
    const why = `${name}=${context}: the context of a cluster that is created is called ${name}.`;
    if (context !== undefined) throw new StellarError('usage', why);
    checkClusterName(provider, name);
    return name;
  });
}

/**
 * Returns where the ITS runs, if known. Clusters can be created before the ITS exists or while it is not reachable: then the ITS is
 * assumed to run where the hosting cluster does.
 */
async function findItsLocation(session: Session): Promise<ItsLocation | undefined> {
  const { locationOf } = await import('../../lib/spaces/local/local-network.ts');
  const { hubEndpoints } = await import('../../lib/ocm/hub/hub-access.ts');
  const { hostingContext } = await import('../../lib/spaces/hosting/hosting.ts');
  const kubeconfig = await session.kubeconfig();
  const locate = (name: string, endpoints: Parameters<typeof locationOf>[1]) =>
    locationOf(name, endpoints, kubeconfig.contexts.get(name)?.cluster);
  const ofIts = await tryRead(async () => {
    const its = await session.its();
    return locate(its.context.name, await hubEndpoints(its));
  });
  const hosting = hostingContext(kubeconfig);
  return ifSeen(ofIts) ?? (hosting === undefined ? undefined : locate(hosting, []));
}

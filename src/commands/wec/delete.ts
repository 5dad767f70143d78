import { Option } from 'commander';
import { failureOf } from '../../lib/core/errors.ts';
import { readConfirmed } from '../../lib/core/read-confirmed.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { LocalTools } from '../../lib/spaces/local/create-local-cluster.ts';
import type { FoundCluster } from '../../lib/spaces/local/delete-local-cluster.ts';
import { type ProviderName, providerNames } from '../../lib/spaces/local/local-cluster-names.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, itsOption, wecKubeconfigOption, yesOption } from '../common/options.ts';
import type { Session } from '../common/session.ts';
import { splitNames } from '../common/wec-argument.ts';

type Options = { provider?: ProviderName; force?: boolean };

export const definition: Definition<Options> = {
  description:
    'Deletes local clusters: kind or k3d clusters of this machine, and their contexts. To deregister a WEC and keep its cluster, use `wec deregister`. Refuses to delete a cluster that is still registered with an ITS (deregister it first), a hosting cluster, or one that does not answer.',
  timeout: '5m',
  destroys: true,
  examples: [
    ['stellarctl wec delete cluster1', 'find it in kind or k3d, and ask'],
    ['stellarctl wec delete cluster1 cluster2 --provider kind --yes', 'in a script'],
  ],
  usage: 'NAME… [options]',
  arguments: [['<wecs...>', 'names of the clusters']],
  options: [
    new Option(
      '--provider <name>',
      'the tool that created them (default: both are searched)',
    ).choices(providerNames),
    itsOption(),
    yesOption(),
    [
      '--force',
      'delete clusters that are still registered, host ITSes and WDSes, or do not answer',
    ],
    wecKubeconfigOption(),
    dryRunOption(),
  ],
  async run(session, options, positional) {
    const { deleteWecs } = await import('../../lib/wecs/join/create-wec.ts');
    const tools = session.localTools();
    const found = await readConfirmed({
      read: readClusters(session, new Set(splitNames(positional)), options, tools),
      effects: (found) => found.flatMap(lossesOfCluster),
      confirm: confirming<FoundCluster[]>(session, {
        show: (found) => {
          for (const { name, provider, contexts, elsewhere } of found) {
            const leading =
              contexts.length === 0 ? 'no context leads to it' : `context ${contexts.join(', ')}`;
            if (provider !== undefined || contexts.length > 0)
              session.progress.note(
                provider === undefined
                  ? `${leading} of a former cluster ${name}, with its credentials in the kubeconfig`
                  : `${name}, a cluster of ${provider} on this machine (${leading}), with all that runs on it`,
              );
            for (const context of elsewhere)
              session.progress.note(`Context ${context} stays: its server is not on this machine.`);
          }
        },
        confirmations: (found) =>
          found
            .filter((cluster) => lossesOfCluster(cluster).length > 0)
            .map(({ name }) => ({ verb: 'Delete', name })),
      }),
    });
    await session.finish(await deleteWecs(found, tools));
  },
};

const lossesOfCluster = ({ name, provider, contexts }: FoundCluster) => [
  ...(provider === undefined ? [] : [{ object: `${provider} cluster ${name}` }]),
  ...contexts.map((context) => ({ object: `context ${context}` })),
];

/** Found once, it is that cluster which is confirmed and deleted, and its address is not read again: each program takes time. */
function readClusters(
  session: Session,
  names: ReadonlySet<string>,
  { provider, force }: Options,
  tools: LocalTools,
) {
  const clients = new Map<string, Kube | undefined>();
  let found: FoundCluster[] = [];
  return async () => {
    const { findLocalCluster } = await import('../../lib/spaces/local/delete-local-cluster.ts');
    const before = found;
    found = [];
    for (const name of names)
      found.push(await findLocalCluster(name, before[found.length]?.provider ?? provider, tools));
    if (!force)
      await refuseNeeded(
        session,
        found.filter((each) => each.provider !== undefined),
        clients,
        tools,
      );
    return found;
  };
}

/** Checks the clusters themselves, and the ITS, before anything is deleted. */
async function refuseNeeded(
  session: Session,
  found: readonly FoundCluster[],
  clients: Map<string, Kube | undefined>,
  tools: LocalTools,
) {
  if (found.length === 0) return;
  const { connectLocal } = await import('../../lib/spaces/local/delete-local-cluster.ts');
  const { refuseHosting, refuseRegistered } = await import('../../lib/wecs/join/create-wec.ts');
  const connect = async (cluster: FoundCluster) =>
    clients.set(cluster.name, clients.get(cluster.name) ?? (await connectLocal(cluster, tools)));
  await Promise.all(found.map(connect));
  const answering: [string, Kube][] = [];
  for (const cluster of found)
    answering.push([cluster.name, await refuseHosting(cluster, clients.get(cluster.name))]);
  const choice = await session.itsIfAny();
  const its =
    choice &&
    (await session.its().catch((error: unknown) => {
      // The user has not chosen the current context: kind makes that of its last cluster the current one.
      if (choice.source === 'current context' && failureOf(error).code === 'not-a-hub')
        return undefined;
      throw error;
    }));
  for (const [name, kube] of answering) await refuseRegistered(name, its, kube);
}

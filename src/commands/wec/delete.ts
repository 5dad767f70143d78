import { type Command, Option } from 'commander';
import { StellarError } from '../../lib/errors.ts';
import type { Kube } from '../../lib/kube/client.ts';
import type { FoundCluster } from '../../lib/local-clusters/delete.ts';
import { type ProviderName, providerNames } from '../../lib/local-clusters/names.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { action } from '../action.ts';
import { confirm } from '../confirm.ts';
import {
  defineCommand,
  dryRunOption,
  type ItsOptions,
  itsOption,
  type WritingOptions,
  wecKubeconfigOption,
} from '../options.ts';
import type { Session } from '../session.ts';
import { localTools } from './local.ts';

interface Options extends ItsOptions, WritingOptions {
  provider?: ProviderName;
  yes?: boolean;
  force?: boolean;
  wecKubeconfig?: string;
}

export function deleteWecCommand(io: Io): Command {
  return defineCommand('delete', {
    summary: 'delete local clusters',
    description:
      'Deletes clusters that kind or k3d has made on this machine, and the contexts that lead to them. A cluster that is still registered with the ITS is not deleted: deregister it first.',
    timeout: '5m',
    examples: [
      ['stellarctl wec delete cluster1', 'look for it at kind and k3d, and ask'],
      ['stellarctl wec delete cluster1 cluster2 --provider kind --yes', 'in a script'],
    ],
  })
    .usage('NAME… [options]')
    .argument('<wecs...>', 'names of the clusters')
    .addOption(new Option('--provider <name>', 'what has made them (else both are asked)').choices(providerNames))
    .addOption(itsOption())
    .option('-y, --yes', 'do not ask')
    .option('--force', 'although they are still registered')
    .addOption(wecKubeconfigOption())
    .addOption(dryRunOption())
    .action(
      action<Options>(io, async (session, options, positional) => {
        const { findLocalCluster } = await import('../../lib/local-clusters/delete.ts');
        const { deleteWecs } = await import('../../lib/local-clusters/wecs.ts');
        const tools = localTools(session, options);
        const found: FoundCluster[] = [];
        for (const name of new Set(positional)) found.push(await findLocalCluster(name, options.provider, tools));
        if (!options.force) await refuseAllRegistered(session, found, options);
        for (const { name, provider, contexts } of found) {
          if (provider === undefined) continue;
          const context = contexts.length === 0 ? 'no context leads to it' : `context ${contexts.join(', ')}`;
          session.progress.note(
            `${name}, a cluster of ${provider} on this machine (${context}), with all that runs on it`,
          );
          if (!options.dryRun) await confirm(session, { verb: 'Delete', doing: 'Deleting', name, yes: options.yes });
        }
        await session.finish(await deleteWecs(found, tools));
      }),
    );
}

async function refuseAllRegistered(session: Session, found: readonly FoundCluster[], options: Options): Promise<void> {
  const { refuseRegistered } = await import('../../lib/local-clusters/registered.ts');
  const existing = found.filter(({ provider }) => provider !== undefined);
  if (existing.length === 0) return;
  for (const cluster of existing) await refuseHosting(session, cluster, options);
  const its = (await session.hasIts()) ? (await session.its()).kube : undefined;
  for (const { name, contexts } of existing)
    await refuseRegistered(name, its, await clientFor(session, contexts[0], options));
}

async function refuseHosting(session: Session, { name, contexts }: FoundCluster, options: Options): Promise<void> {
  const { loadKubeconfig } = await import('../../lib/kube/kubeconfig.ts');
  const { hostingContext } = await import('../../lib/kubeflex/kubeconfig-extension.ts');
  const { file, env } = localTools(session, options).target;
  const hosting = contexts.length === 0 ? undefined : hostingContext(await loadKubeconfig(file, env));
  if (hosting === undefined || !contexts.includes(hosting)) return;
  throw new StellarError(
    'has-dependents',
    `${name} is the hosting cluster (context ${hosting}): its ITSes and WDSes would be lost with it; it was not deleted.`,
    { hint: `See what there is: stellarctl status --hosting-context ${hosting}    Delete it all the same: --force` },
  );
}

/** A client for a cluster that may be broken. */
async function clientFor(session: Session, context: string | undefined, options: Options): Promise<Kube | undefined> {
  if (context === undefined) return undefined;
  const { loadKubeconfig, selectContext } = await import('../../lib/kube/kubeconfig.ts');
  const { file, env } = localTools(session, options).target;
  return session.connect(selectContext(await loadKubeconfig(file, env), context));
}

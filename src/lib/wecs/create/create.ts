import { forName, type NamedResult } from '../../engine/each-name.ts';
import type { HubAccess } from '../../hub/hub-access.ts';
import { loadKubeconfig, selectContext } from '../../kube/kubeconfig/kubeconfig.ts';
import { createLocalCluster, type LocalCluster, type LocalTools } from '../../local-clusters/create.ts';
import { deleteLocalCluster, type FoundCluster } from '../../local-clusters/delete.ts';
import type { ProviderName } from '../../local-clusters/names.ts';
import type { JoinOptions } from '../join/options.ts';
import type { WecResult } from '../registration/follow.ts';

/** The result for one cluster. */
interface WecClusterResult extends NamedResult {
  /** Null if no provider has the cluster. */
  provider: ProviderName | null;
  changed: boolean;
}

/** A cluster created as a WEC, and the result of its registration, if requested. */
export interface CreatedWec extends WecClusterResult, Partial<Pick<WecResult, 'stage' | 'blockedAt'>> {
  context: string;
  created: boolean;
}

/** The WEC clusters to create. */
export interface WecClusters {
  provider: ProviderName;
  image: string | undefined;
  network: string | undefined;
  /** The ITS to register them with, and the options. */
  joining: { access: HubAccess; options: JoinOptions } | undefined;
}

/** Creates WEC clusters in parallel, and registers them. All are attempted; each result contains its own error. */
export async function createWecs(
  names: readonly string[],
  { joining, ...clusters }: WecClusters,
  tools: LocalTools,
): Promise<CreatedWec[]> {
  const created = await Promise.all(names.map((name) => createWec(name, clusters, joining === undefined, tools)));
  if (joining === undefined) return created;
  const { access, options } = joining;
  // In a dry run, these clusters do not exist and cannot be read.
  const planned = tools.record === undefined ? [] : created.filter((wec) => wec.created);
  for (const { name } of planned) tools.run.progress.note(`${name} would then be joined to ${access.its}.`);
  const present = created.filter((wec) => !planned.includes(wec) && wec.error === undefined);
  const { join } = await import('../join/join.ts');
  const joined = await join(access, await clientsFor(present, tools), options, tools.run);
  return created.map((wec) => {
    const registration = joined.find(({ name }) => name === wec.name);
    return registration === undefined ? wec : { ...wec, ...registration, changed: wec.changed || registration.changed };
  });
}

/** @param isLast false if further steps follow, and the cluster must not be reported as finished */
function createWec(
  name: string,
  { provider, ...options }: Omit<WecClusters, 'joining'>,
  isLast: boolean,
  tools: LocalTools,
): Promise<CreatedWec> {
  const { progress } = tools.run;
  const result: CreatedWec = { name, provider, context: name, created: false, changed: false };
  return forName(result, tools.run, async () => {
    progress.waiting(name, `looking for ${provider} clusters`);
    const made = await createLocalCluster({ ...options, provider, name, role: 'wec' }, tools);
    const { context, created, changed } = made;
    Object.assign(result, { context, created, changed });
    const isImagined = tools.record !== undefined && (created || changed);
    if (isLast && !isImagined) progress.done(name, outcome(made), created);
  });
}

function outcome({ created, changed }: LocalCluster): string {
  return created ? 'ready' : changed ? 'already exists; its context is restored' : 'already exists; nothing to do';
}

async function clientsFor(present: readonly CreatedWec[], { target, connect }: LocalTools) {
  if (present.length === 0) return [];
  // Reload the kubeconfig: their contexts have just been written.
  const kubeconfig = await loadKubeconfig(target.file, target.env);
  return present.map(({ name, context }) => ({ name, kube: connect(selectContext(kubeconfig, context)) }));
}

/** Deletes clusters in parallel. All are attempted; each result contains its own error. */
export function deleteWecs(found: readonly FoundCluster[], tools: LocalTools): Promise<WecClusterResult[]> {
  const { run, record } = tools;
  return Promise.all(
    found.map((cluster) => {
      const { name, provider = null } = cluster;
      const result: WecClusterResult = { name, provider, changed: false };
      return forName(result, run, async () => {
        run.progress.waiting(name, 'deleting the cluster');
        result.changed = await deleteLocalCluster(cluster, tools);
        if (result.changed) run.progress.done(name, 'deleted', true);
        else if (record === undefined || provider === null)
          run.progress.done(name, 'no local cluster of that name; nothing to do');
      });
    }),
  );
}

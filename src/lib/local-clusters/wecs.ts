import { reportOf, StellarError } from '../engine/errors.ts';
import { createLocalCluster, type LocalCluster, type LocalTools } from './create.ts';
import { deleteLocalCluster, type FoundCluster } from './delete.ts';
import type { ProviderName } from './names.ts';

/** What became of one name. */
export interface WecClusterResult {
  name: string;
  /** Null where no provider has such a cluster. */
  provider: ProviderName | null;
  changed: boolean;
  error?: StellarError;
}

export interface CreatedWec extends WecClusterResult {
  context: string;
  created: boolean;
}

export interface WecClusterOptions {
  provider: ProviderName;
  image: string | undefined;
  network: string | undefined;
}

/**
 * Makes clusters that are to be WECs, side by side. Every one is tried; an error of one is in its result.
 * @param isLast false where more is to be done with them, so that they are not told to be finished
 */
export function createWecs(
  names: readonly string[],
  options: WecClusterOptions,
  isLast: boolean,
  tools: LocalTools,
): Promise<CreatedWec[]> {
  const { progress } = tools.run;
  return Promise.all(
    names.map(async (name) => {
      const started = Date.now();
      progress.waiting(name, `looking for ${options.provider} clusters`);
      const attempt = createLocalCluster({ ...options, name, role: 'wec' }, tools);
      const ended = await settled(attempt, name, tools);
      if (ended instanceof StellarError)
        return { name, provider: options.provider, context: name, created: false, changed: false, error: ended };
      const { provider, context, created, changed } = ended;
      const isImagined = tools.record !== undefined && (created || changed);
      if (isLast && !isImagined) progress.done(name, outcome(ended), created ? Date.now() - started : undefined);
      return { name, provider, context, created, changed };
    }),
  );
}

function outcome({ created, changed }: LocalCluster): string {
  return created ? 'ready' : changed ? 'exists already; it has its context again' : 'exists already; nothing to do';
}

/** Deletes clusters, side by side. Every one is tried; an error of one is in its result. */
export function deleteWecs(found: readonly FoundCluster[], tools: LocalTools): Promise<WecClusterResult[]> {
  return Promise.all(
    found.map(async (cluster) => {
      const { name, provider = null } = cluster;
      const started = Date.now();
      tools.run.progress.waiting(name, 'deleting the cluster');
      const ended = await settled(deleteLocalCluster(cluster, tools), name, tools);
      if (ended instanceof StellarError) return { name, provider, changed: false, error: ended };
      const isImagined = tools.record !== undefined && provider !== null;
      if (isImagined) return { name, provider, changed: ended };
      if (ended) tools.run.progress.done(name, 'deleted', Date.now() - started);
      else tools.run.progress.done(name, 'there is no local cluster of that name; nothing to do');
      return { name, provider, changed: ended };
    }),
  );
}

async function settled<T>(work: Promise<T>, name: string, { run }: LocalTools): Promise<T | StellarError> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof StellarError)) throw error;
    run.progress.failed(name, reportOf(error).message);
    return error;
  }
}

import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords, run } from '../../engine/next-step.ts';
import type { ContextToSet, Reference } from '../../kube/kubeconfig/contexts.ts';
import { setContext } from '../../kube/kubeconfig/contexts.ts';
import type { Kubeconfig, SelectedContext } from '../../kube/kubeconfig/kubeconfig.ts';
import type { Waiting } from '../../kube/kubeconfig/lock.ts';
import { resources } from '../../kube/resources.ts';
import { accessSpace, contextsOf } from '../access.ts';
import { forControlPlane } from '../kubeconfig-extension.ts';
import type { ControlPlane } from '../objects.ts';
import type { SpaceTools } from '../tools.ts';

/** Where the entries of a space's context come from: those of a context that the user has, or ones to write. */
export type SpaceEntries = { sameAs: string } | { entries: SelectedContext };

/**
 * Puts the context of a space into the kubeconfig, as kflex names it: context NAME, cluster NAME-cluster, user NAME-admin. A space that
 * is another cluster's API server refers to the cluster and user that the user has for it.
 * @throws StellarError `context-taken` where the name leads somewhere else
 */
export const writeSpaceContext = async (
  name: string,
  from: SpaceEntries,
  tools: SpaceTools,
  waiting: Waiting,
): Promise<{ changed: boolean; file: string }> => setContext(tools.target, contextOf(name, from, tools), waiting);

/**
 * Finds out that the name of a space that is not there yet is taken in the kubeconfig, before anything is made.
 * @param from where its entries will come from, as far as that is known
 * @throws StellarError `context-taken`
 */
export async function requireContextFree(
  name: string,
  from: SpaceEntries | undefined,
  tools: SpaceTools,
  waiting: Waiting,
): Promise<void> {
  const unknown = { entries: { name, server: '', cluster: {}, user: {} } };
  const wanted = { ...contextOf(name, from ?? unknown, tools), isTrial: true };
  await setContext({ ...tools.target, dryRun: true }, wanted, waiting).catch((error: unknown) => {
    if (!(error instanceof StellarError) || error.code !== 'context-taken') throw error;
    throw error.with({
      next: [
        inWords('Choose another name for the space'),
        run(command`kubectl config rename-context ${name} ${name}-old`, 'Or give that context another one'),
      ],
    });
  });
}

function contextOf(name: string, from: SpaceEntries, { kubeconfig, hostingContext }: SpaceTools): ContextToSet {
  const { cluster, user } = 'sameAs' in from ? referencesOf(from.sameAs, kubeconfig) : written(name, from.entries);
  return { context: name, cluster, user, ...forControlPlane(name, hostingContext.name) };
}

function written(name: string, { cluster, user }: SelectedContext): { cluster: Reference; user: Reference } {
  return {
    cluster: { name: `${name}-cluster`, entry: { ...cluster } },
    user: { name: `${name}-admin`, entry: { ...user } },
  };
}

function referencesOf(context: string, kubeconfig: Kubeconfig): { cluster: Reference; user: Reference } {
  const { cluster, user } = kubeconfig.contexts.get(context) ?? {};
  if (cluster === undefined || user === undefined)
    throw new StellarError('kubeconfig-invalid', `The context ${context} names no cluster or no user.`);
  return { cluster: { name: cluster }, user: { name: user } };
}

/** Where the entries of a space's context come from, by what is known of it. An external one keeps the context that it has. */
export async function knownEntries(name: string, type: string, tools: SpaceTools): Promise<SpaceEntries | undefined> {
  const { hosting, hostingContext, kubeconfig } = tools;
  if (type === 'host') return { sameAs: hostingContext.name };
  const controlPlane = await hosting.get<ControlPlane>(resources.controlPlanes, name);
  if (controlPlane === undefined) return undefined;
  const [own] = contextsOf(kubeconfig, name, hostingContext.name);
  if (type === 'external') return own === undefined ? undefined : { sameAs: own };
  const access = await accessSpace(controlPlane, tools);
  if (access.state === 'hidden' && access.error !== undefined) throw access.error;
  return access.state === 'seen' ? { entries: access.value } : undefined;
}

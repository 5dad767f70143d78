import type { Waiting } from '../core/deadline.ts';
import { type ChangeResult, forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { advice, asCalled, command, rerun, run } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { type Standing, unreached } from '../core/stages.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/objects.ts';
import { type ContextToSet, setContext } from '../kube/kubeconfig/contexts.ts';
import type { Kubeconfig, SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import type { SpaceRole } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import { forControlPlane, type SpaceTools } from './hosting/hosting.ts';
import { followSpace } from './space/follow-space.ts';
import { accessSpace, contextsOf } from './space/space-access.ts';
import { presentRegistry, rewriteImages } from './space/space-images.ts';
import { type SpaceReading, SpaceWatcher } from './space/space-watcher.ts';

/** A space to create, repair, or resume. */
interface SpaceWork {
  name: string;
  role: SpaceRole;
  type: string;
  /** Whether its control plane exists before the first write. */
  exists: boolean;
  /** Writes what is missing, the control plane last. @returns what was done, in words; undefined for nothing */
  write(): Promise<string | undefined>;
  /** Reads it otherwise than by its name and role. */
  read?(watcher: SpaceWatcher): Promise<SpaceReading | undefined>;
  /** Completes a space that is ready, before its context is written. @param inside its client @param result notes a change */
  complete?(inside: Kube | undefined, result: SpaceResult): Promise<void>;
  /** The source of its context's entries, if known. */
  entries?(): Promise<SpaceEntries | undefined>;
}

/**
 * Works on a space, from its first write to its context. Reports the result, which has the errors, with how to resume the space or
 * delete it from its current state.
 */
export function makeSpace(space: SpaceWork, tools: SpaceTools, run: Run): Promise<SpaceResult> {
  const { name, role, type, entries = () => knownEntries(name, type, tools) } = space;
  const { hosting } = tools;
  const { progress } = run;
  const result: SpaceResult = { name, type, ...unreached, changed: false, context: null };
  const watcher = new SpaceWatcher(tools);
  const inside = () => watcher.accessOf(name)?.kube;
  let { exists } = space;
  let hasBegun = false;
  const make = async () => {
    if (!exists) {
      await requireContextFree(name, await entries(), tools, run);
      hasBegun = !hosting.dryRun;
    }
    const done = await space.write();
    if (hosting.dryRun) return;
    if (done !== undefined) {
      exists = true;
      result.changed = true;
      progress.reached(name, done);
    }
    const registry = await presentRegistry(hosting);
    const read = async () => {
      const now = await (space.read?.(watcher) ?? watcher.read(name, role));
      exists = now !== undefined;
      const client = now?.space.inside.state === 'seen' ? inside() : undefined;
      if (registry && now) await rewriteImages(registry, now.space, hosting, client);
      return now;
    };
    const { stage, blockedAt, atOnce, error } = await followSpace(
      { name, hosting, read, inside },
      run,
    );
    Object.assign(result, { stage, blockedAt });
    if (error !== undefined) throw error;
    await space.complete?.(inside(), result);
    const from = await entries();
    if (from !== undefined) {
      const { changed, file } = await writeSpaceContext(name, from, tools, run);
      result.context = name;
      if (changed) result.changed = true;
      if (changed) progress.changed(name, `context ${name} written to ${file}`);
    }
    const where = from === undefined ? '' : ` · context ${name}`;
    if (atOnce && !result.changed) progress.done(name, `is ready; nothing to do${where}`);
    else progress.done(name, `${stage}${where}`, true);
  };
  /**
   * Names the created objects in an error. A failed run may leave objects without a control plane, such as a Secret with
   * cluster-admin rights.
   */
  const withResumeStep = (error: unknown): unknown => {
    if (!(error instanceof StellarError) || !(exists || hasBegun)) return error;
    const back = command`stellarctl ${role} delete ${name} --hosting-context ${hosting.cluster.context}`;
    const remains = exists
      ? `The control plane ${name} exists.`
      : `${name} may exist in part. To remove it: ${asCalled(back)}`;
    const isOpen = exists && (error.code === 'interrupted' || error.next.length === 0);
    return error.with({ details: [remains], next: isOpen ? [rerun] : error.next });
  };
  return forName(result, run, () =>
    make().catch((error: unknown) => {
      throw withResumeStep(error);
    }),
  );
}

/** The entries of a space's context: those of an existing context of the user, or its own. */
export type SpaceEntries = Pick<ContextToSet, 'cluster' | 'user'>;

/**
 * Writes the context of a space to the kubeconfig, with kflex's names: context NAME, cluster NAME-cluster, user NAME-admin. For a
 * space on another cluster's API server, the context refers to the user's existing cluster and user entries.
 * @throws StellarError `context-taken` if the name belongs to another cluster
 */
export const writeSpaceContext = async (
  name: string,
  from: SpaceEntries,
  tools: SpaceTools,
  waiting: Waiting,
  makeCurrent?: true,
): Promise<{ changed: boolean; file: string }> =>
  setContext(tools.target, { ...contextToSet(name, from, tools), makeCurrent }, waiting);

/**
 * Checks that the name of a new space is free in the kubeconfig, before anything is created.
 * @param from the source of its entries, if known
 * @throws StellarError `context-taken`
 */
export async function requireContextFree(
  name: string,
  from: SpaceEntries | undefined,
  tools: SpaceTools,
  waiting: Waiting,
): Promise<void> {
  const unknown = ownEntries(name, { name, server: '', cluster: {}, user: {} });
  const wanted = contextToSet(name, from ?? unknown, tools);
  await setContext({ ...tools.target, dryRun: true }, wanted, waiting).catch((error: unknown) => {
    if (!(error instanceof StellarError) || error.code !== 'context-taken') throw error;
    throw error.with({
      next: [
        advice('Choose another name for the space'),
        run(
          command`kubectl config rename-context ${name} ${name}-old`,
          'Or give that context another one',
        ),
      ],
    });
  });
}

const contextToSet = (
  name: string,
  from: SpaceEntries,
  { hostingContext }: SpaceTools,
): ContextToSet => ({ context: name, ...from, ...forControlPlane(name, hostingContext.name) });

/** Entries of its own, as they are written. */
export const ownEntries = (name: string, { cluster, user }: SelectedContext): SpaceEntries => ({
  cluster: { name: `${name}-cluster`, entry: { ...cluster } },
  user: { name: `${name}-admin`, entry: { ...user } },
});

/** The entries of an existing context. @throws StellarError `kubeconfig-invalid` */
export function entriesOf(context: string, { contexts }: Kubeconfig): SpaceEntries {
  const { cluster, user } = contexts.get(context) ?? {};
  if (cluster === undefined || user === undefined)
    throw new StellarError(
      'kubeconfig-invalid',
      `The context ${context} names no cluster or no user.`,
    );
  return { cluster: { name: cluster }, user: { name: user } };
}

/** Determines the source of a space's context entries. An external space keeps its existing context. */
export async function knownEntries(
  name: string,
  type: string,
  tools: SpaceTools,
): Promise<SpaceEntries | undefined> {
  const { hosting, hostingContext, kubeconfig } = tools;
  if (type === 'host') return entriesOf(hostingContext.name, kubeconfig);
  const controlPlane = await hosting.get<ControlPlane>(resources.controlPlanes, name);
  if (controlPlane === undefined) return undefined;
  const [own] = contextsOf(kubeconfig, name, hostingContext.name);
  if (type === 'external') return own === undefined ? undefined : entriesOf(own, kubeconfig);
  const access = await accessSpace(controlPlane, tools);
  if (access.state === 'hidden' && access.error !== undefined) throw access.error;
  return access.state === 'seen' ? ownEntries(name, access.value) : undefined;
}

/** The result for one space, as scripts receive it. The fields are a public interface: docs/output.md. */
export interface SpaceResult extends Standing, ChangeResult {
  type: string;
  /** Its context, if any. */
  context: string | null;
  /** With --guard: whether it is guarded. */
  guarded?: boolean;
}

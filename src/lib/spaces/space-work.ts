import { type ChangeResult, forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { advice, asCalled, command, run } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { type Standing, unreached } from '../core/stages.ts';
import { resources } from '../kube/client/objects.ts';
import { type ContextToSet, type Reference, setContext } from '../kube/kubeconfig/contexts.ts';
import type { Kubeconfig, SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import type { Waiting } from '../kube/kubeconfig/replace.ts';
import type { SpaceRole } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import { forControlPlane, type SpaceTools } from './hosting/hosting.ts';
import { existsStill, type FollowedSpace, followSpace, resume } from './space/follow-space.ts';
import { accessSpace, contextsOf } from './space/space-access.ts';
import { requireRegistry, rewriteImages } from './space/space-images.ts';
import { SpaceWatcher } from './space/space-watcher.ts';

/** A space to create, repair, or resume. */
interface SpaceToMake {
  name: string;
  role: SpaceRole;
  type: string;
  /** Whether its control plane exists before the first write. */
  exists: boolean;
}

/**
 * The work of one run on a space, from its first write to its context. Keeps and reports the result, and adds to errors how to
 * resume the space or delete it from its current state.
 */
export class SpaceWork {
  readonly watcher: SpaceWatcher;
  readonly #space: SpaceToMake;
  readonly #tools: SpaceTools;
  readonly #run: Run;
  readonly #result: SpaceResult;
  #hasBegun = false;
  #wasReady = false;

  constructor(space: SpaceToMake, tools: SpaceTools, run: Run) {
    const { name, type } = space;
    this.watcher = new SpaceWatcher(tools);
    this.#space = { ...space };
    this.#tools = tools;
    this.#run = run;
    this.#result = { name, type, ...unreached, changed: false, context: null };
  }

  /** Runs the work. Errors are in the result. */
  attempt(work: () => Promise<void>): Promise<SpaceResult> {
    return forName(this.#result, this.#run, () =>
      work().catch((error: unknown) => {
        throw this.#withResumeStep(error);
      }),
    );
  }

  /**
   * Prepares the first write of a new space.
   * @param entries the source of its context's entries, if known
   * @throws StellarError `context-taken`
   */
  async begin(entries: SpaceEntries | undefined): Promise<void> {
    await requireContextFree(this.#space.name, entries, this.#tools, this.#run);
    this.#hasBegun = !this.#tools.hosting.dryRun;
  }

  /** Reports that all missing objects are written, the control plane last. @param what in words */
  written(what: string): void {
    if (this.#tools.hosting.dryRun) return;
    this.#space.exists = true;
    this.#result.changed = true;
    this.#run.progress.reached(this.#space.name, what);
  }

  /** Waits until the space is ready. @returns false if it does not become ready, or in a dry run */
  async follow<Inside>(read: FollowedSpace<Inside>['read']): Promise<boolean> {
    const { name, role } = this.#space;
    const { hosting } = this.#tools;
    if (hosting.dryRun) return false;
    const inside = () => this.watcher.accessOf(name)?.kube;
    const registry = await requireRegistry(hosting, undefined);
    const readAndCorrect = async () => {
      const now = await read();
      if (registry === undefined || now === undefined) return now;
      await rewriteImages(
        registry,
        now.space,
        hosting,
        now.space.inside.state === 'seen' ? inside() : undefined,
      );
      return now;
    };
    const followed = { name, role, hosting, read: readAndCorrect, inside };
    const { stage, blockedAt, atOnce, error } = await followSpace(followed, this.#run);
    Object.assign(this.#result, { stage, blockedAt });
    this.#wasReady = atOnce === true;
    if (error === undefined) return true;
    this.#result.error = error;
    this.#run.progress.failed(name);
    return false;
  }

  /** Records a change without reporting it. */
  changed(): void {
    this.#result.changed = true;
  }

  /** Writes the context of a ready space to the kubeconfig. @param entries undefined if unknown */
  async finish(entries: SpaceEntries | undefined): Promise<void> {
    const { name } = this.#space;
    const { progress } = this.#run;
    const result = this.#result;
    if (entries !== undefined) {
      const { changed, file } = await writeSpaceContext(name, entries, this.#tools, this.#run);
      result.context = name;
      if (changed) result.changed = true;
      if (changed) progress.changed(name, `context ${name} written to ${file}`);
    }
    const where = result.context === null ? '' : ` · context ${result.context}`;
    if (this.#wasReady && !result.changed) progress.done(name, `is ready; nothing to do${where}`);
    else progress.done(name, `${result.stage}${where}`, true);
  }

  /**
   * Names the created objects in an error. A failed run may leave objects without a control plane, such as a Secret with
   * cluster-admin rights.
   */
  #withResumeStep(error: unknown): unknown {
    const { name, role, exists } = this.#space;
    const { hosting } = this.#tools;
    if (!(error instanceof StellarError) || !(exists || this.#hasBegun)) return error;
    const back = command`stellarctl ${role} delete ${name} --hosting-context ${hosting.cluster.context}`;
    const remains = exists
      ? existsStill(name)
      : `${name} may exist in part. To remove it: ${asCalled(back)}`;
    const isOpen = exists && (error.code === 'interrupted' || error.next.length === 0);
    return error.with({ details: [remains], next: isOpen ? resume() : error.next });
  }
}

/** The source of the entries of a space's context: an existing context of the user, or entries to write. */
export type SpaceEntries = { sameAs: string } | { entries: SelectedContext };

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
  const unknown = { entries: { name, server: '', cluster: {}, user: {} } };
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

function contextToSet(
  name: string,
  from: SpaceEntries,
  { kubeconfig, hostingContext }: SpaceTools,
): ContextToSet {
  const { cluster, user } =
    'sameAs' in from ? referencesOf(from.sameAs, kubeconfig) : written(name, from.entries);
  return { context: name, cluster, user, ...forControlPlane(name, hostingContext.name) };
}

function written(
  name: string,
  { cluster, user }: SelectedContext,
): { cluster: Reference; user: Reference } {
  return {
    cluster: { name: `${name}-cluster`, entry: { ...cluster } },
    user: { name: `${name}-admin`, entry: { ...user } },
  };
}

function referencesOf(
  context: string,
  kubeconfig: Kubeconfig,
): { cluster: Reference; user: Reference } {
  const { cluster, user } = kubeconfig.contexts.get(context) ?? {};
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
  if (type === 'host') return { sameAs: hostingContext.name };
  const controlPlane = await hosting.get<ControlPlane>(resources.controlPlanes, name);
  if (controlPlane === undefined) return undefined;
  const [own] = contextsOf(kubeconfig, name, hostingContext.name);
  if (type === 'external') return own === undefined ? undefined : { sameAs: own };
  const access = await accessSpace(controlPlane, tools);
  if (access.state === 'hidden' && access.error !== undefined) throw access.error;
  return access.state === 'seen' ? { entries: access.value } : undefined;
}

/** The result for one space, as scripts receive it. The fields are a public interface: docs/output.md. */
export interface SpaceResult extends Standing, ChangeResult {
  type: string;
  /** Its context, if any. */
  context: string | null;
  /** With --guard: whether it is guarded. */
  guarded?: boolean;
}

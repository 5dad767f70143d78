import type { Waiting } from '../core/deadline.ts';
import { type ChangeResult, forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { asCalled, command, rerun } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { type Standing, unreached } from '../core/stages.ts';
import { ifSeen, seenOrThrow } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/objects.ts';
import { type ContextToSet, setContext } from '../kube/kubeconfig/contexts.ts';
import type { Kubeconfig, SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import type { SpaceRole } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import type { ExternalCluster } from './bootstrap.ts';
import { openedBy } from './choose/open-wds.ts';
import { worksOf } from './choose/works-of-policy.ts';
import { forControlPlane, type SpaceTools } from './hosting/hosting.ts';
import { followSpace } from './space/follow-space.ts';
import { accessSpace, contextsOf } from './space/space-access.ts';
import {
  correctUnstarted,
  describeApart,
  imagesApart,
  presentRegistry,
} from './space/space-images.ts';
import { type SpaceReading, SpaceWatcher } from './space/space-watcher.ts';
import { listControlPlanes, type SpaceEvidence } from './space/spaces.ts';

/** A space to create, repair, or resume. */
interface SpaceWork {
  name: string;
  role: SpaceRole;
  type: string;
  /** Whether its control plane exists. */
  exists: boolean;
  /** Writes what is missing, the control plane last. @returns what was done, in words; undefined for nothing */
  write(): Promise<string | undefined>;
  /** Limits what a reading has to show. */
  limit?(reading: SpaceReading): SpaceReading;
  /** Completes a space that is ready, before its context is written. @param inside its client @param result notes a change */
  complete?(inside: Kube | undefined, result: SpaceResult): Promise<void>;
  /** The access to an external cluster that the user has given. */
  external?: ExternalCluster | undefined;
}

/**
 * Works on a space, from its first write to its context. Reports the result, which has the errors, with how to resume the space or
 * delete it from its current state.
 */
export function makeSpace(space: SpaceWork, tools: SpaceTools, run: Run): Promise<SpaceResult> {
  const { name, type } = space;
  const { hosting } = tools;
  const made = { ...space };
  const result: SpaceResult = { name, type, ...unreached, changed: false, context: null };
  return forName(result, run, async () => {
    if (!space.exists) await requireContextFree(name, await entriesFor(space, tools), tools, run);
    try {
      const done = await space.write();
      if (hosting.dryRun) return;
      if (done !== undefined) {
        made.exists = true;
        result.changed = true;
        run.progress.reached(name, done);
      }
      await finishSpace(made, result, tools, run);
    } catch (error) {
      throw withResumeStep(error, made, hosting);
    }
  });
}

/** Follows a space until it is ready, completes it, and writes its context. @param space notes whether it exists */
async function finishSpace(space: SpaceWork, result: SpaceResult, tools: SpaceTools, run: Run) {
  const { name, role, external, limit } = space;
  const { hosting } = tools;
  const registry = await presentRegistry(hosting);
  const watcher = new SpaceWatcher(tools);
  const inside = () => watcher.accessOf(name)?.kube;
  let last: SpaceEvidence | undefined;
  const read = async () => {
    const now = await watcher.read(name, role, { context: external?.context });
    space.exists = now !== undefined;
    const isSeen = now?.space.inside.state === 'seen';
    last = now?.space;
    if (registry && now)
      await correctUnstarted(registry, now.space, hosting, {
        inside: isSeen ? inside() : undefined,
        isIdle: () => sendsNothing(space, watcher, hosting),
      });
    return now && limit ? limit(now) : now;
  };
  const { error, atOnce, ...standing } = await followSpace({ name, hosting, read }, run);
  Object.assign(result, standing);
  if (error !== undefined) throw error;
  await space.complete?.(inside(), result);
  const from = await entriesFor(space, tools);
  if (from !== undefined) {
    const { changed, file } = await writeSpaceContext(name, from, tools, run);
    result.context = name;
    if (changed) result.changed = true;
    if (changed) run.progress.changed(name, `context ${name} written to ${file}`);
  }
  const apart = registry && last ? imagesApart(registry, last).running : [];
  if (apart.length > 0) run.progress.note(`${name}: ${describeApart(apart, registry ?? '')}`);
  const where = from === undefined ? '' : ` · context ${name}`;
  if (atOnce && !result.changed) run.progress.done(name, `is ready; nothing to do${where}`);
  else run.progress.done(name, `${standing.stage}${where}`, true);
}

/**
 * Whether an ITS has no work of a space: its controllers may start. An ITS sends nothing.
 * @returns false if that cannot be read
 */
export async function sendsNothing(
  { name, role }: Pick<SpaceWork, 'name' | 'role'>,
  watcher: SpaceWatcher,
  hosting: Kube,
): Promise<boolean> {
  if (role === 'its') return true;
  const wds = openedBy(watcher, name, await listControlPlanes(hosting));
  return wds !== undefined && ifSeen(await worksOf(wds))?.length === 0;
}

/**
 * Names the created objects in an error. A failed run may leave objects without a control plane, such as a Secret with cluster-admin
 * rights.
 */
function withResumeStep(error: unknown, { name, role, exists }: SpaceWork, hosting: Kube) {
  if (!(error instanceof StellarError) || (!exists && hosting.dryRun)) return error;
  const back = command`stellarctl ${role} delete ${name} --hosting-context ${hosting.cluster.context}`;
  const remains = exists
    ? `The control plane ${name} exists.`
    : `${name} may exist in part. To remove it: ${asCalled(back)}`;
  const isOpen = exists && (error.code === 'interrupted' || error.next.length === 0);
  return error.with({ details: [remains], next: isOpen ? [rerun] : error.next });
}

/** The entries of a space's context: those of an existing context of the user, or its own. */
export type SpaceEntries = Pick<ContextToSet, 'cluster' | 'user' | 'makeCurrent'>;

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
): Promise<{ changed: boolean; file: string }> =>
  setContext(tools.target, contextToSet(name, from, tools), waiting);

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
  await setContext({ ...tools.target, dryRun: true }, wanted, waiting);
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

function entriesFor({ name, type, external }: SpaceWork, tools: SpaceTools) {
  if (external === undefined) return knownEntries(name, type, tools);
  const { context, isOwnContext } = external;
  return isOwnContext ? entriesOf(context.name, tools.kubeconfig) : ownEntries(name, context);
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
  const access = seenOrThrow(await accessSpace(controlPlane, tools));
  return access && ownEntries(name, access);
}

/** The result for one space, as scripts receive it. The fields are a public interface: docs/output.md. */
export interface SpaceResult extends Standing, ChangeResult {
  type: string;
  /** Its context, if any. */
  context: string | null;
  /** With --guard: whether it is guarded. */
  guarded?: boolean;
}

import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords, run } from '../../engine/next-step.ts';
import type { Run } from '../../engine/run.ts';
import { withHostingLease } from '../../hosting/lease.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { Deployment, KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { hookNames, roleLabel, transportDeployment } from '../../model/kubeflex-names.ts';
import type { ControlPlane, PostCreateHook } from '../../model/kubeflex-objects.ts';
import { itsNameOf, listControlPlanes } from '../spaces.ts';
import { isItsNameDefect } from '../stages/wds-stages.ts';

/** How a WDS gets its ITS. */
export interface ItsForWds {
  its: string;
  /** The value for the hooks: empty selects the only ITS. */
  itsName: string;
  transportHook: string;
  /** A corrected copy of the chart's hook, to apply before the control plane. */
  correctedHook: KubeObject | undefined;
}

/** The name of the copy. helm owns the chart's hook itself. */
const correctedHookName = `stellarctl-${hookNames.transport}`;

/**
 * Chooses the ITS of a WDS. In KubeStellar 0.30 the transport does not start if its ITS is named, because the hook also passes a
 * selector. In that version, the ITS stays unnamed while it is the only one; with several ITSes, the WDS gets a corrected hook.
 * @param asked the name of an ITS
 * @param keepName keep the requested name for a new WDS even if the ITS is the only one, because others may follow
 * @throws StellarError `not-found` if there is no (such) ITS, `several-its` if it must be named
 */
export async function chooseItsForWds(
  hosting: Kube,
  asked: string | undefined,
  hooks: ReadonlyMap<string, PostCreateHook>,
  { keepName = false }: { keepName?: boolean } = {},
): Promise<ItsForWds> {
  const names = ((await listControlPlanes(hosting, 'its')) ?? [])
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
  const its = pick(hosting, asked, names);
  const hook = hooks.get(hookNames.transport);
  const chosen = { its, itsName: its, transportHook: hookNames.transport, correctedHook: undefined };
  if (hook === undefined || canNameIts(hook)) return chosen;
  if (names.length === 1 && !keepName) return { ...chosen, itsName: '' };
  return { ...chosen, transportHook: correctedHookName, correctedHook: corrected(hook) };
}

/** Whether a transport created by this hook starts if its ITS is named. */
export const canNameIts = (hook: PostCreateHook | undefined): boolean =>
  hook === undefined || !isItsNameDefect(transportTemplate(hook));

/** Whether a transport that KubeFlex creates by these hooks starts: a repair gives the WDS one that does. */
export const startsTransport = (wds: ControlPlane, hooks: readonly PostCreateHook[]): boolean =>
  itsNameOf(wds) === undefined || hooks.every(canNameIts);

/**
 * Updates the corrected copy, if any, to the chart's current hook: an upgrade of the chart does not update it.
 * @returns whether it has changed
 */
export async function renewCorrectedHook(hosting: Kube, limits: Run): Promise<boolean> {
  const [copy, hook] = await Promise.all(
    [correctedHookName, hookNames.transport].map((name) =>
      hosting.get<PostCreateHook>(resources.postCreateHooks, name),
    ),
  );
  if (copy === undefined || hook === undefined) return false;
  const renew = async () => (await hosting.apply(corrected(hook))) !== 'unchanged';
  return withHostingLease(hosting, 'init --upgrade', limits, renew);
}

function pick({ cluster }: Kube, asked: string | undefined, names: readonly string[]): string {
  const known = names.length === 0 ? 'there is none' : `there are ${names.join(', ')}`;
  if (asked !== undefined && !names.includes(asked)) {
    throw new StellarError('not-found', `${cluster.context} has no ITS ${asked}: ${known}.`, {
      next: [run(command`stellarctl its create ${asked} --hosting-context ${cluster.context}`, 'Create it')],
    });
  }
  const [only] = names;
  if (asked !== undefined) return asked;
  if (only === undefined) {
    throw new StellarError('not-found', `${cluster.context} has no ITS yet, which a WDS sends its workloads through.`, {
      next: [run(command`stellarctl its create its1 --hosting-context ${cluster.context}`, 'Create one first')],
    });
  }
  if (names.length === 1) return only;
  throw new StellarError('several-its', `${cluster.context} has several ITSes: ${names.join(', ')}.`, {
    next: [inWords(command`Choose the ITS of the WDS: --its ${only}`)],
  });
}

const transportTemplate = ({ spec }: PostCreateHook): Deployment | undefined =>
  spec?.templates?.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === transportDeployment) as
    | Deployment
    | undefined;

/** Copies the hook without the selector. */
function corrected({ spec }: PostCreateHook): KubeObject {
  const { apiVersion, kind } = resources.postCreateHooks;
  const copy = structuredClone(spec) as NonNullable<PostCreateHook['spec']>;
  for (const template of copy.templates ?? []) {
    const { spec: pod } = (template as Deployment).spec?.template ?? {};
    for (const container of pod?.initContainers ?? []) container.args = withoutSelector(container.args ?? []);
  }
  return {
    apiVersion,
    kind,
    metadata: { name: correctedHookName, labels: { [roleLabel]: 'wds' } },
    spec: copy,
  } as KubeObject;
}

const selectorFlag = '--control-plane-label-selector';

function withoutSelector(args: readonly string[]): string[] {
  return args.filter(
    (arg, index) => arg !== selectorFlag && args[index - 1] !== selectorFlag && !arg.startsWith(`${selectorFlag}=`),
  );
}

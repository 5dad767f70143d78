import { StellarError } from '../../core/errors.ts';
import { advice, command, hostingFlags, type NextStep, run } from '../../core/next-step.ts';
import {
  type Access,
  errorOf,
  hidden,
  hiddenBy,
  ifSeen,
  seen,
  through,
  whyUnseen,
} from '../../kube/access.ts';
import type { Connect, Kube } from '../../kube/client/client.ts';
import { inContext } from '../../kube/client/errors.ts';
import { byName, namesOf, onlyOf } from '../../kube/client/objects.ts';
import { type Kubeconfig, selectContext } from '../../kube/kubeconfig/kubeconfig.ts';
import {
  managerDeployment,
  namespaceOf,
  transportDeployment,
} from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import { controlPlaneOf, hostingOf, type SpaceTools } from '../hosting/hosting.ts';
import {
  contextFor,
  controlPlaneMarked,
  isSameCluster,
  reachSpace,
} from '../space/space-access.ts';
import type { SpaceWatcher } from '../space/space-watcher.ts';
import { apiGroupsOf, itsOfWds, listControlPlanes, roleOf, typeOf } from '../space/spaces.ts';

/** The WDS that a command uses. */
export interface Wds {
  /** The value for `--wds`: its name, or the name of a context if no hosting cluster shows it. */
  name: string;
  /** Whether `name` is the name of a context. */
  isContext?: boolean;
  /** The name that its works carry, if it is not `name`: by the mark of its context, else as `senderOf` has found it. */
  sender?: string | undefined;
  /** Whether only the user says which ITS it sends through. */
  isItsAssumed?: boolean | undefined;
  kube: Kube;
  /** Whether the user gave it, as opposed to a default. */
  isGiven: boolean;
  /** For kubectl. */
  context: string;
  /** Undefined if no hosting cluster shows it. */
  type: string | undefined;
  /** The API groups whose objects it sends; empty means all, or that no hosting cluster shows them. */
  apiGroups: readonly string[];
  /** Its ITS: by the name that the hosting cluster has for it, else by its context. Its client has the context for commands. */
  its: Access<{ name: string; kube: Kube }>;
  /** Its hosting cluster; undefined if none shows it. */
  hostingKube?: Kube;
  /** The contexts of the kubeconfig. */
  contexts?: { has(name: string): boolean };
  /** Returns clients for the contexts that may lead to the WEC of a name. */
  contextsNamed?: (name: string) => Promise<Kube[]>;
  /** The other contexts that the user gave, for suggested commands. */
  beside?: { its?: string | undefined; hosting?: string | undefined };
}

/** The command that shows whether the controllers of a WDS run, if its hosting cluster is known. */
export const toSeeWds = (wds: Pick<Wds, 'name' | 'beside' | 'isContext'>, lead: string) =>
  wds.isContext ? [] : [run(command`stellarctl wds get ${wds.name} ${hostingFlags(wds)}`, lead)];

/** A line of kubectl in a WDS: a context that the kubeconfig does not have is written first. */
export const inWds = ({ context, kube }: Pick<Wds, 'context' | 'kube'>, line: string): string =>
  context === kube.cluster.context ? inContext(kube.cluster, line) : line;

/** What shows why the transport of a WDS does not write works: its ITS may refuse them, else only its log says why. */
export function toSeeTransport(wds: Controlled, its: string | undefined): NextStep[] {
  const lead = 'Does the transport run, and does the ITS admit works?';
  const otherwise = its === undefined ? [] : [run(command`stellarctl doctor --its ${its}`, lead)];
  return toSeeController(wds, transportDeployment, lead, otherwise);
}

/** What shows why the controller manager of a WDS does not write Bindings. */
export const toSeeManager = (wds: Controlled & Pick<Wds, 'isContext'>) =>
  toSeeController(
    wds,
    managerDeployment,
    'Does its controller manager run, and does it admit Bindings?',
    toSeeWds(wds, 'Do its controllers run?'),
  );

type Controlled = Pick<Wds, 'name' | 'beside' | 'hostingKube'>;

function toSeeController(
  { name, beside, hostingKube }: Controlled,
  deployment: string,
  lead: string,
  otherwise: NextStep[],
) {
  if (hostingKube === undefined) return otherwise;
  return [
    run(command`stellarctl doctor ${hostingFlags({ beside })}`, lead),
    run(
      command`kubectl --context ${hostingKube.cluster.context} -n ${namespaceOf(name)} logs deployment/${deployment} --since 10m`,
      'If so, its log says what it could not write',
    ),
  ];
}

export interface WdsSources {
  /** `--wds`, or else STELLARCTL_WDS: the name of a WDS, or a context. */
  given: string | undefined;
  /** The ITS that the user chose; one that is not given with the command counts only if no hosting cluster shows the WDS. */
  its: { open: () => Promise<{ name: string; kube: Kube }>; isGiven: boolean } | undefined;
  hosting: Access<SpaceTools>;
  kubeconfig: Kubeconfig;
  connect: Connect;
}

/**
 * Opens a WDS, selected in this order: the given one, the one that the current context is marked with, the only one of the hosting
 * cluster. It never probes contexts.
 * @throws StellarError `usage` if there are no or several candidates, `not-found`, and the reason why it is unreachable
 */
export async function openWds({
  given,
  its: chosen,
  hosting,
  kubeconfig,
  connect,
}: WdsSources): Promise<Wds> {
  const its = chosen?.isGiven ? chosen : undefined;
  const tools = ifSeen(hosting);
  const all = await through(hosting, ({ hosting: kube }) => listControlPlanes(kube));
  const wdses = (ifSeen(all) ?? []).filter((controlPlane) => roleOf(controlPlane) === 'wds');
  const wanted = given ?? exportedContext(kubeconfig);
  const context = wanted !== undefined && kubeconfig.contexts.has(wanted) ? wanted : undefined;
  const marked = given === undefined ? kubeconfig.currentContext : context;
  const name = controlPlaneMarked(marked, kubeconfig, tools?.hostingContext.name) ?? given;
  const named = byName(wdses).get(name ?? '') ?? (given === undefined ? onlyOf(wdses) : undefined);
  const kube =
    context === undefined || named !== undefined
      ? undefined
      : connect(selectContext(kubeconfig, context));
  const controlPlane = named ?? (kube && (await controlPlaneBehind(kube, wdses, tools)));
  const shared = { isGiven: given !== undefined, contexts: kubeconfig.contexts };
  if (controlPlane !== undefined && tools !== undefined) {
    const known = await openKnown(controlPlane, ifSeen(all) ?? [], tools, its);
    return {
      ...known,
      ...shared,
      context: contextFor(controlPlane, tools) ?? context ?? known.name,
    };
  }
  if (context === undefined || kube === undefined) throw noWds(given, wdses, all);
  const ofIts =
    chosen === undefined
      ? hidden('which ITS it sends through is not known: name it by --its')
      : await opened(chosen);
  return {
    ...shared,
    name: context,
    isContext: true,
    context,
    type: undefined,
    apiGroups: [],
    kube,
    its: ofIts,
    beside: { its: ifSeen(ofIts)?.name },
    sender: controlPlaneOf(kubeconfig.contexts.get(context)),
  };
}

/** Opens a WDS that the hosting cluster shows. @param given the ITS that the user gives, if any */
async function openKnown(
  wds: ControlPlane,
  all: readonly ControlPlane[],
  tools: SpaceTools,
  given: WdsSources['its'],
) {
  const access = await reachSpace(wds, tools);
  if (access.state !== 'seen') throw wdsNotReached(wds, access);
  const { hosting, hostingSource, hostingContext } = tools;
  const ofIts = await itsFor(wds, all, tools, given);
  return {
    ...ofIts,
    name: wds.metadata.name,
    kube: tools.connect(access.value),
    type: typeOf(wds),
    apiGroups: apiGroupsOf(wds),
    hostingKube: hosting,
    beside: {
      its: given && ifSeen(ofIts.its)?.name,
      hosting: hostingSource === '--hosting-context' ? hostingContext.name : undefined,
    },
  };
}

/** The current context, if it is one of a space whose hosting cluster is not in the kubeconfig: a colleague has exported it. */
function exportedContext({ contexts, currentContext = '' }: Kubeconfig) {
  const entry = contexts.get(currentContext);
  const hosting = hostingOf(entry);
  return hosting !== undefined && !contexts.has(hosting) ? currentContext : undefined;
}

/** Finds the WDS of a hosting cluster behind a context, whatever its name: both have the same kube-system UID. */
async function controlPlaneBehind(
  kube: Kube,
  wdses: readonly ControlPlane[],
  tools: SpaceTools | undefined,
): Promise<ControlPlane | undefined> {
  if (tools === undefined) return undefined;
  const matching = wdses.map(async (wds) => {
    if (ifSeen(await isSameCluster(kube, wds, tools))) return wds;
    throw new Error(`${wds.metadata.name} is another cluster`);
  });
  return Promise.any(matching).catch(() => undefined);
}

/**
 * Opens the ITS that a WDS sends through: the one that the hosting cluster names. One that the user gives must be the same cluster;
 * if that cannot be known, it is assumed.
 * @throws StellarError `usage` if it is another one
 */
async function itsFor(
  wds: ControlPlane,
  all: readonly ControlPlane[],
  tools: SpaceTools,
  given: WdsSources['its'],
): Promise<Pick<Wds, 'its' | 'isItsAssumed'>> {
  const named = itsOfWds(wds.metadata.name, all);
  if (given !== undefined) {
    const its = await opened(given);
    if (named === undefined || its.state !== 'seen') return { its, isItsAssumed: true };
    const isSame = await isSameCluster(its.value.kube, named, tools);
    if (ifSeen(isSame) === false) throw otherIts(its.value.name, wds, named, tools.hosting);
    return { its, isItsAssumed: isSame.state !== 'seen' };
  }
  if (named === undefined)
    return { its: hidden('which ITS it sends through is unknown: name it by --its') };
  const { name } = named.metadata;
  const reached = await reachSpace(named, tools);
  return { its: await through(reached, (context) => ({ name, kube: tools.connect(context) })) };
}

function otherIts(given: string, wds: ControlPlane, named: ControlPlane, { cluster }: Kube) {
  const its = `${named.metadata.name} of ${cluster.context}`;
  const why = `WDS ${wds.metadata.name} sends through ${its}, and ${given} is another cluster`;
  return new StellarError(
    'usage',
    `${why}: their kube-system UIDs differ.`,
    advice(
      'Rerun the command without --its and STELLARCTL_ITS: the hosting cluster shows the ITS of a WDS',
    ),
  );
}

const opened = ({ open }: NonNullable<WdsSources['its']>): Promise<Wds['its']> =>
  open().then(seen, hiddenBy);

function wdsNotReached({ metadata: { name } }: ControlPlane, access: Access<unknown>) {
  return (
    errorOf(access) ??
    new StellarError(
      'unreachable',
      `WDS ${name} cannot be reached: ${whyUnseen(access)}.`,
      run(command`stellarctl wds get ${name}`, 'See its stages'),
    )
  );
}

function noWds(given: string | undefined, wdses: readonly ControlPlane[], all: Access<unknown>) {
  const names = namesOf(wdses);
  const error = errorOf(all);
  if (error?.code === 'unauthorized') return error;
  const seenFrom =
    all.state === 'seen' ? [] : [`The hosting cluster does not show any: ${all.why}`];
  if (given === undefined) {
    const message =
      names.length > 1 ? 'There are several WDSes, and none was given.' : 'No WDS was given.';
    const which =
      names.length === 0 ? 'Name it: --wds CONTEXT' : `Name it: --wds ${names.join(', or --wds ')}`;
    return new StellarError('usage', message, advice(which)).with({ details: seenFrom });
  }
  return new StellarError(
    'not-found',
    `There is no WDS, and no context, of the name ${given}.`,
    ...(names.length === 0 ? [run('stellarctl wds list')] : [advice(`WDSes: ${names.join(', ')}`)]),
  ).with({ details: seenFrom });
}

/** A WDS with the clients that its watcher opened; undefined if it was unreachable. */
export function openedBy(
  watcher: Pick<SpaceWatcher, 'accessOf'>,
  name: string,
  all: readonly ControlPlane[],
): Wds | undefined {
  const own = watcher.accessOf(name);
  const its = itsOfWds(name, all)?.metadata.name;
  const controlPlane = byName(all).get(name);
  if (own === undefined || controlPlane === undefined) return undefined;
  const ofIts = its && watcher.accessOf(its);
  return {
    name,
    isGiven: true,
    kube: own.kube,
    context: own.context.name,
    type: typeOf(controlPlane),
    apiGroups: apiGroupsOf(controlPlane),
    its: its && ofIts ? seen({ name: its, kube: ofIts.kube }) : hidden('it was not reached'),
  };
}

import { type ErrorReport, reportOf } from '../core/errors.ts';
import { blockingStage, judge, unreached } from '../core/stages.ts';
import {
  type Access,
  errorOf,
  hidden,
  ifSeen,
  partialReader,
  seen,
  through,
  tryRead,
} from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/objects.ts';
import { type SelectedContext, withoutCredentials } from '../kube/kubeconfig/kubeconfig.ts';
import type { SpaceRole } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import { type Binding, destinationsOf, objectsOf } from '../ocm/model/kubestellar-names.ts';
import { keyOf } from '../ocm/model/object-ref.ts';
import {
  type HookVersions,
  kubeFlexPrograms,
  readHookVersions,
  versionsOfHooks,
} from '../ocm/versions/program-versions.ts';
import {
  type RunningVersion,
  runningVersions,
  whyPodsHidden,
} from '../ocm/versions/running-versions.ts';
import { type ItsChoice, resolveIts } from '../spaces/choose/its-choice.ts';
import { readGuard } from '../spaces/guard.ts';
import { notHosting, type SpaceTools } from '../spaces/hosting/hosting.ts';
import { hostingStages, readHosting } from '../spaces/hosting/hosting-stages.ts';
import { describeSpace, type SpaceListItem } from '../spaces/list-spaces.ts';
import { itsStages, readHubPods } from '../spaces/space/its-stages.ts';
import { reachSpace } from '../spaces/space/space-access.ts';
import { readSpace, type SpaceEvidence } from '../spaces/space/space-evidence.ts';
import { type HubPods, itsVersions, wdsVersions } from '../spaces/space/space-versions.ts';
import { itsOfWds, listControlPlanes, roleOf } from '../spaces/space/spaces.ts';
import { wdsStages } from '../spaces/space/wds-stages.ts';
import { listWecs, type WecListItem } from '../wecs/list.ts';
import { readSent, type SentCounts } from '../workloads/delivery/sent-counts.ts';
import { sameCluster } from './subject.ts';

/** A whole installation. The fields of this type and its parts are an interface: docs/output.md. */
export interface StatusView {
  /** Null if the selected cluster is not a hosting cluster: then the view has only the chosen ITS. */
  hosting: HostingStatus | null;
  itses: ItsStatus[];
  wdses: WdsStatus[];
}

export interface HostingStatus {
  /** Its context. */
  name: string;
  server: string;
  /** The KubeStellar version in the installed hooks, which new spaces get; null if it is not visible. */
  hooksVersion: string | null;
  versions: RunningVersion[];
  /** Whether a user must act. */
  problem: boolean;
  /** What it waits for, or what is wrong; empty if all is well. */
  reason: string;
}

/** The common fields of ITSes and WDSes, and where they are, as far as the hosting cluster shows it. */
export interface SpaceStatus extends Omit<SpaceListItem, 'type' | 'created'> {
  /** Null for an ITS that is not a control plane of the hosting cluster. */
  type: string | null;
  server: string | null;
  /** RFC 3339; null if KubeFlex does not know it. */
  created: string | null;
  /** Why the reading of its inside failed. */
  error?: ErrorReport;
  /** Why its inside could not be read, although nothing is wrong with it. */
  notVisible?: string;
}

export interface ItsStatus extends SpaceStatus {
  versions: RunningVersion[];
  /** Null if they are not visible. */
  wecs: WecStatus[] | null;
}

export interface WecStatus extends Omit<WecListItem, 'leaseRenewed'> {
  /** What WDSes send to it; null if this user may not read works. */
  workloads: SentCounts[] | null;
}

export interface WdsStatus extends SpaceStatus {
  /** Null if it is not clear which one it uses. */
  its: string | null;
  versions: RunningVersion[];
  /** The number of its binding policies; null if they are not visible. */
  bindingPolicies: number | null;
  /** The number of objects that these select, each counted once. */
  objects: number | null;
  /** The number of its policies that select objects, and no WEC. */
  sentNowhere: number | null;
  /** Whether its guard keeps workloads running whenever its controllers start; null if that is not visible. */
  guarded: boolean | null;
}

/** The tools for reading an installation. */
export interface StatusTools extends Omit<SpaceTools, 'target'> {
  /** The ITS that commands use; undefined if none is selected. */
  chosen: ItsChoice | undefined;
}

/**
 * Reads a whole installation, all parts in parallel. A part that does not answer is reported as such. If the selected cluster is
 * not a hosting cluster, the view has only the ITS that commands use.
 * @throws StellarError `not-a-hosting-cluster` if there is no such ITS either; and errors that keep the hosting cluster from being
 * read
 */
export async function readStatus(tools: StatusTools): Promise<StatusView> {
  const all = await listControlPlanes(tools.hosting);
  if (all === undefined) return itsAlone(tools);
  const hooks = readHookVersions(tools.hosting);
  const parts = await reachAll(all, tools);
  const ofRole = (wanted: SpaceRole) => parts.filter(({ role }) => role === wanted);
  const [hosting, itses, wdses, elsewhere] = await Promise.all([
    readHostingStatus(tools.hosting, hooks),
    Promise.all(ofRole('its').map((part) => readItsStatus(part, tools, hooks))),
    Promise.all(ofRole('wds').map((part) => readWdsStatus(part, all, tools, hooks))),
    readOtherIts(ofRole('its'), tools),
  ]);
  const found = itses.filter((its) => its !== undefined);
  const others = found.flatMap(({ kube }) => kube ?? []);
  const isOwn = elsewhere?.kube && (await sameCluster(elsewhere.kube, others)) !== undefined;
  return {
    hosting,
    itses: [...found, ...(elsewhere === undefined || isOwn ? [] : [elsewhere])].map(
      ({ status }) => status,
    ),
    wdses: wdses.filter((wds) => wds !== undefined),
  };
}

/** A control plane, and how to reach it. */
interface Part {
  role: SpaceRole;
  controlPlane: ControlPlane;
  access: Access<SelectedContext>;
}

/** A context that the command names says as whom its ITS is read, whatever else leads to it. */
async function reachAll(all: readonly ControlPlane[], tools: StatusTools): Promise<Part[]> {
  const { chosen } = tools;
  const named =
    chosen?.source === '--its'
      ? ifSeen(await tryRead(() => chosenContext(chosen, tools)))
      : undefined;
  const spaces = all.flatMap((controlPlane) => {
    const role = roleOf(controlPlane);
    return role === undefined ? [] : [{ role, controlPlane }];
  });
  return Promise.all(
    spaces.map(async (space) => {
      const access = await reachSpace(space.controlPlane, tools);
      return {
        ...space,
        access: named && named.server === ifSeen(access)?.server ? seen(named) : access,
      };
    }),
  );
}

/** What the hosting cluster shows of a space, and the reading of its inside. @returns undefined if it was just deleted */
async function readPart<Inside>(
  { role, controlPlane, access }: Part,
  tools: StatusTools,
  read: (kube: Kube) => Promise<Inside>,
): Promise<{ status: SpaceStatus; inside: Access<Inside>; evidence: SpaceEvidence } | undefined> {
  const [evidence, inside] = await Promise.all([
    readSpace(tools.hosting, controlPlane.metadata.name, role),
    through(access, (context) => read(tools.connect(context))),
  ]);
  if (evidence === undefined) return undefined;
  const server = ifSeen(access)?.server ?? null;
  const space = { ...evidence, inside: hidden('it was not checked') };
  const reports = role === 'its' ? judge(itsStages(evidence), space) : judge(wdsStages(), space);
  const outside = { ...describeSpace(evidence, reports, tools.kubeconfig), server };
  const status = withReading(outside, inside);
  return { status, inside, evidence };
}

/**
 * A space that does not answer has a problem, unless the reason is known. Missing rights of the user are not a problem of the
 * space.
 */
export function withReading(outside: SpaceStatus, reading: Access<unknown>): SpaceStatus {
  if (reading.state === 'seen') return outside;
  const error = errorOf(reading);
  if (error === undefined || error.code === 'forbidden')
    return { ...outside, notVisible: reading.why };
  if (outside.reason !== '') return outside;
  return { ...outside, ready: false, problem: true, reason: reading.why, error: reportOf(error) };
}

interface HubStatusReading extends HubPods {
  kube: Kube;
  wecs: WecStatus[];
}

/** @throws StellarError `not-a-hub` */
async function readHubStatus(kube: Kube): Promise<HubStatusReading> {
  const reader = partialReader(kube);
  const [wecs, sent, hubPods] = await Promise.all([
    listWecs(kube, { pending: false }),
    readSent(reader),
    readHubPods(reader),
  ]);
  const withSent = wecs.map(({ leaseRenewed, ...wec }) => ({
    ...wec,
    workloads: sent === undefined ? null : (sent.get(wec.name) ?? []),
  }));
  return { kube, hubPods, forbidden: reader.forbidden, wecs: withSent };
}

/** An ITS, with a client for it if it answered. */
interface ItsReading {
  status: ItsStatus;
  kube: Kube | undefined;
}

const itsReading = (
  space: SpaceStatus,
  inside: Access<HubStatusReading>,
  versions: RunningVersion[],
): ItsReading => ({
  status: { ...space, versions, wecs: ifSeen(inside)?.wecs ?? null },
  kube: ifSeen(inside)?.kube,
});

async function readItsStatus(part: Part, tools: StatusTools, hooks: Promise<HookVersions>) {
  const [space, hookVersions] = await Promise.all([readPart(part, tools, readHubStatus), hooks]);
  return (
    space &&
    itsReading(space.status, space.inside, itsVersions(space.evidence, space.inside, hookVersions))
  );
}

const chosenContext = (choice: ItsChoice, tools: StatusTools): Promise<SelectedContext> =>
  resolveIts(choice, tools.kubeconfig, async () => seen(tools));

/** What the hosting cluster shows of an ITS that belongs to another one. */
const unknownSpace = { type: 'external', pods: [], forbidden: new Set<string>() };

/** Reads the ITS that commands use, of any hosting cluster. */
async function readChosenIts({ name, ...context }: SelectedContext, { connect }: StatusTools) {
  const inside = await tryRead(() => readHubStatus(connect({ name, ...context })));
  const place = {
    name,
    context: name,
    type: null,
    created: null,
    server: withoutCredentials(context.server),
  };
  const space = {
    ...place,
    ...unreached,
    ready: inside.state === 'seen',
    problem: false,
    reason: '',
  };
  const versions = itsVersions(unknownSpace, inside, versionsOfHooks([]));
  return { ...itsReading(withReading(space, inside), inside, versions), failure: errorOf(inside) };
}

/** The chosen ITS, if it is not known to be one of the hosting cluster's. The current context is not a choice. */
async function readOtherIts(
  itses: readonly Part[],
  tools: StatusTools,
): Promise<ItsReading | undefined> {
  const { chosen } = tools;
  if (chosen === undefined || chosen.source === 'current context') return undefined;
  const isContext = tools.kubeconfig.contexts.has(chosen.given);
  if (!isContext && itses.some(({ controlPlane }) => controlPlane.metadata.name === chosen.given))
    return undefined;
  // A default ITS from an earlier choice may be gone; one that the command names must exist.
  const choosing = () => chosenContext(chosen, tools);
  const context = chosen.source === '--its' ? await choosing() : ifSeen(await tryRead(choosing));
  const isOwn = itses.some(({ access }) => ifSeen(access)?.server === context?.server);
  if (context === undefined || isOwn) return undefined;
  const reading = await readChosenIts(context, tools);
  if (chosen.source === '--its' && reading.failure?.code === 'not-a-hub') throw reading.failure;
  return reading;
}

async function itsAlone(tools: StatusTools): Promise<StatusView> {
  const { hosting, hostingSource, chosen } = tools;
  if (chosen === undefined || hostingSource === '--hosting-context') throw notHosting(hosting);
  const { status, failure } = await readChosenIts(await chosenContext(chosen, tools), tools);
  // Without a choice, commands use a hosting cluster.
  if (failure?.code === 'not-a-hub' && chosen.source === 'current context')
    throw notHosting(hosting);
  if (failure !== undefined) throw failure;
  return { hosting: null, itses: [status], wdses: [] };
}

/** Reads the hosting cluster itself. Parts that this user may not read are unknown, and not a problem. */
async function readHostingStatus(kube: Kube, hooks: Promise<HookVersions>): Promise<HostingStatus> {
  const reader = partialReader(kube);
  const [seen, { controllerManager }] = await Promise.all([readHosting(reader), hooks]);
  const isSeen = reader.forbidden.size === 0;
  const { verdict } = (isSeen && blockingStage(judge(hostingStages, seen))) || {};
  return {
    name: kube.cluster.context,
    server: kube.cluster.server,
    hooksVersion: controllerManager?.version ?? null,
    versions: runningVersions(kubeFlexPrograms, seen.pods, whyPodsHidden(reader)),
    problem: verdict?.state === 'failed',
    reason: verdict?.why ?? '',
  };
}

async function readWdsStatus(
  part: Part,
  all: readonly ControlPlane[],
  tools: StatusTools,
  hooks: Promise<HookVersions>,
): Promise<WdsStatus | undefined> {
  const [space, hookVersions] = await Promise.all([readPart(part, tools, readWds), hooks]);
  const counts = ifSeen(space?.inside) ?? {
    bindingPolicies: null,
    objects: null,
    sentNowhere: null,
    guarded: null,
  };
  const its = itsOfWds(part.controlPlane.metadata.name, all)?.metadata.name ?? null;
  return (
    space && {
      ...space.status,
      its,
      versions: wdsVersions(space.evidence, hookVersions),
      ...counts,
    }
  );
}

/** Kinds that are not served yet count as not seen: the stages show why. */
async function readWds(
  wds: Kube,
): Promise<Pick<WdsStatus, 'bindingPolicies' | 'objects' | 'sentNowhere' | 'guarded'>> {
  const [policies, bindings, guard] = await Promise.all([
    wds.list(resources.bindingPolicies, { metadataOnly: true }),
    wds.list<Binding>(resources.bindings),
    tryRead(() => readGuard(wds)),
  ]);
  const guarded = policies && bindings && ifSeen(guard)?.isOn;
  const isUnsent = (binding: Binding) =>
    destinationsOf(binding).length === 0 && objectsOf(binding).length > 0;
  return {
    bindingPolicies: policies?.length ?? null,
    objects: bindings === undefined ? null : countObjects(bindings),
    sentNowhere: bindings?.filter(isUnsent).length ?? null,
    guarded: guarded ?? null,
  };
}

/** An object may be selected by several policies. */
export function countObjects(bindings: readonly Binding[]): number {
  return new Set(bindings.flatMap(objectsOf).map(keyOf)).size;
}

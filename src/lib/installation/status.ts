import { mapConcurrently } from '../core/concurrency.ts';
import { type ErrorReport, reportOf } from '../core/errors.ts';
import { blockingStage, judge, unreached } from '../core/stages.ts';
import {
  type Access,
  errorOf,
  ifSeen,
  partialReader,
  seenOrThrow,
  through,
  tryRead,
} from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { seenList } from '../kube/client/missing.ts';
import { resources } from '../kube/client/objects.ts';
import type { Its } from '../ocm/hub/its.ts';
import type { SpaceRole } from '../ocm/model/kubeflex-names.ts';
import { type Binding, destinationsOf, objectsOf } from '../ocm/model/kubestellar-names.ts';
import { keyOf } from '../ocm/model/object-ref.ts';
import { kubeFlexPrograms, versionsOfHooks } from '../ocm/versions/program-versions.ts';
import {
  type RunningVersion,
  runningVersions,
  whyPodsHidden,
} from '../ocm/versions/running-versions.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import { describeSpace } from '../spaces/get-space.ts';
import { readGuard } from '../spaces/guard.ts';
import { notHosting, type SpaceTools } from '../spaces/hosting/hosting.ts';
import { readItsInside } from '../spaces/space/its-stages.ts';
import { itsVersions, spaceVersions } from '../spaces/space/space-watcher.ts';
import { itsOfWds } from '../spaces/space/spaces.ts';
import { listWecs } from '../wecs/list.ts';
import { readSent } from '../workloads/delivery/sent-counts.ts';
import {
  type HostingCluster,
  type Installation,
  type ReadSpace,
  readInstallation,
  type SelectedClusters,
} from './installation.ts';

/** A whole installation. The fields of this type and its parts are an interface: docs/output.md. */
export interface StatusView {
  /** Null if the selected cluster is not a hosting cluster: then the view has only the ITS and the WDS that commands use. */
  hosting: HostingStatus | null;
  itses: ItsStatus[];
  wdses: WdsStatus[];
}

export type HostingStatus = ReturnType<typeof describeHosting>;

/** The common fields of ITSes and WDSes, and where they are, as far as the hosting cluster shows it. */
export interface SpaceStatus extends Omit<ReturnType<typeof describeSpace>, 'type' | 'created'> {
  /** Null for a space that is not a control plane of the hosting cluster. */
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

export type WecStatus = Awaited<ReturnType<typeof readWecs>>[number];

export interface WdsStatus extends SpaceStatus, WdsContents {
  /** Null if it is not clear which one it uses. */
  its: string | null;
  versions: RunningVersion[];
}

/**
 * Reads a whole installation. A part that does not answer is reported as such. If the selected cluster is not a hosting cluster, the
 * view has only the ITS and the WDS that commands use.
 * @throws StellarError as describeInstallation
 */
export const readStatus = async (clusters: SelectedClusters): Promise<StatusView> =>
  describeInstallation(await readInstallation(clusters), clusters);

/**
 * Describes an installation, with what its spaces contain.
 * @throws StellarError `not-a-hosting-cluster` if there is no ITS either, and what keeps the hosting cluster from being read
 */
export async function describeInstallation(
  { hosting, spaces, elsewhere, wdsElsewhere: wds }: Installation,
  clusters: SelectedClusters,
): Promise<StatusView> {
  const cluster = seenOrThrow(hosting);
  const other = elsewhere && (await describeElsewhere(elsewhere));
  if (clusters.isItsGiven && other?.failure?.code === 'not-a-hub') throw other.failure;
  const { spaces: tools } = clusters;
  if (tools === undefined || cluster === undefined) return describeAlone(other, wds, clusters);
  const ofRole = (wanted: SpaceRole) => spaces.filter(({ role }) => role === wanted);
  const [itses, wdses] = await Promise.all([
    mapConcurrently(ofRole('its'), async (its) => {
      const found = await describeContents(its, cluster, tools, readWecs);
      return found ? [{ ...found.status, wecs: found.contents ?? null }] : [];
    }),
    mapConcurrently(ofRole('wds'), async (wds) => {
      const found = await describeContents(wds, cluster, tools, readWds);
      const its = itsOfWds(wds.name, cluster.all)?.metadata.name ?? null;
      return found ? [{ ...found.status, its, ...(found.contents ?? unseenWds) }] : [];
    }),
  ]);
  return {
    hosting: describeHosting(cluster, tools.hosting),
    itses: [...itses.flat(), ...(other ? [other.status] : [])],
    wdses: wdses.flat(),
  };
}

/** What commands use without a hosting cluster. */
async function describeAlone(
  its: Awaited<ReturnType<typeof describeElsewhere>> | undefined,
  wds: Wds | undefined,
  { spaces: tools, whyNoIts }: SelectedClusters,
): Promise<StatusView> {
  if (whyNoIts !== undefined) throw whyNoIts;
  const isNone = its === undefined && wds === undefined;
  if (tools && (isNone || tools.hostingSource === '--hosting-context'))
    throw notHosting(tools.hosting);
  if (its?.failure !== undefined && wds === undefined) throw its.failure;
  const wdses = wds ? [await describeWdsElsewhere(wds)] : [];
  return { hosting: null, itses: its ? [its.status] : [], wdses };
}

/** The hosting cluster itself. Parts that this user may not read are unknown, and not a problem. */
function describeHosting({ reports, pods, forbidden, hooks }: HostingCluster, { cluster }: Kube) {
  const { verdict } = blockingStage(reports) ?? {};
  return {
    /** Its context. */
    name: cluster.context,
    server: cluster.server,
    /** The KubeStellar version in the installed hooks, which new spaces get; null if it is not visible. */
    hooksVersion: hooks.controllerManager?.version ?? null,
    versions: runningVersions(kubeFlexPrograms, pods, whyPodsHidden({ forbidden })),
    /** Whether a user must act. */
    problem: verdict?.state === 'failed',
    /** What it waits for, or what is wrong; empty if all is well. */
    reason: verdict?.why ?? '',
  };
}

/** A space, and what its contents are, if they are visible. @returns undefined if it was just deleted */
async function describeContents<Contents>(
  { reading, opened, asUser }: ReadSpace,
  { hooks }: HostingCluster,
  { kubeconfig }: SpaceTools,
  read: (kube: Kube) => Promise<Contents>,
) {
  const found = seenOrThrow(reading);
  if (found === undefined) return undefined;
  const { space, stages } = found;
  const contents = await through(space.inside, () => asUser && read(asUser.kube));
  const server = opened?.kube.cluster.server ?? null;
  const outside = { ...describeSpace(space, judge(stages, space), kubeconfig), server };
  const status = { ...withContents(outside, contents), versions: spaceVersions(space, hooks) };
  return { status, contents: ifSeen(contents) };
}

/**
 * Adds why the contents of a space are not visible. Missing rights of the user are not a problem of the space.
 */
export function withContents(space: SpaceStatus, contents: Access<unknown>): SpaceStatus {
  if (contents.state !== 'hidden') return space;
  const { why, error } = contents;
  if (error === undefined || error.code === 'forbidden') return { ...space, notVisible: why };
  const known =
    space.reason === '' ? { ...space, ready: false, problem: true, reason: why } : space;
  return known.problem ? { ...known, error: reportOf(error) } : known;
}

/** The ITS that commands use, of any hosting cluster. */
async function describeElsewhere({ kube, context: { name } }: Its) {
  const inside = await tryRead(() => readItsInside(kube));
  const wecs = await through(inside, () => readWecs(kube));
  const space = spaceElsewhere(name, kube, wecs);
  const versions = itsVersions(unknownSpace, inside, versionsOfHooks([]));
  const status = { ...withContents(space, wecs), versions, wecs: ifSeen(wecs) ?? null };
  return { status, failure: errorOf(wecs) };
}

async function describeWdsElsewhere({ context, kube, its }: Wds): Promise<WdsStatus> {
  const contents = await tryRead(() => readWds(kube));
  return {
    ...withContents(spaceElsewhere(context, kube, contents), contents),
    versions: [],
    its: ifSeen(its)?.name ?? null,
    ...(ifSeen(contents) ?? unseenWds),
  };
}

const spaceElsewhere = (context: string, { cluster }: Kube, contents: Access<unknown>) => ({
  ...unreached,
  name: context,
  context,
  type: null,
  created: null,
  server: cluster.server,
  ready: contents.state === 'seen',
  problem: false,
  reason: '',
});

/** What the hosting cluster shows of an ITS that belongs to another one. */
const unknownSpace = { type: 'external', pods: [], forbidden: new Set<string>() };

/** @throws StellarError `not-a-hub` */
async function readWecs(kube: Kube) {
  const [wecs, sent] = await Promise.all([
    listWecs(kube, { pending: false }),
    readSent(partialReader(kube)),
  ]);
  return wecs.map(({ leaseRenewed, ...wec }) => ({
    ...wec,
    /** What WDSes send to it; null if this user may not read works. */
    workloads: sent === undefined ? null : (sent.get(wec.name) ?? []),
  }));
}

type WdsContents = Awaited<ReturnType<typeof readWds>>;

const unseenWds: WdsContents = {
  bindingPolicies: null,
  objects: null,
  sentNowhere: null,
  guarded: null,
};

/** Kinds that are not served yet count as not seen: the stages show why. */
async function readWds(wds: Kube) {
  const [ofPolicies, ofBindings, guard] = await Promise.all([
    wds.list(resources.bindingPolicies, { metadataOnly: true }),
    wds.list<Binding>(resources.bindings),
    tryRead(() => readGuard(wds)),
  ]);
  const [policies, bindings] = [seenList(ofPolicies), seenList(ofBindings)];
  const guarded = policies && bindings && ifSeen(guard)?.isOn;
  const isUnsent = (binding: Binding) =>
    destinationsOf(binding).length === 0 && objectsOf(binding).length > 0;
  return {
    /** The number of its binding policies; null if they are not visible. */
    bindingPolicies: policies?.length ?? null,
    /** The number of objects that these select, each counted once. */
    objects: bindings === undefined ? null : countObjects(bindings),
    /** The number of its policies that select objects, and no WEC. */
    sentNowhere: bindings?.filter(isUnsent).length ?? null,
    /** Whether its guard keeps workloads running whenever its controllers start; null if that is not visible. */
    guarded: guarded ?? null,
  };
}

/** An object may be selected by several policies. */
export function countObjects(bindings: readonly Binding[]): number {
  return new Set(bindings.flatMap(objectsOf).map(keyOf)).size;
}

import { mapConcurrently } from '../core/concurrency.ts';
import type { StellarError } from '../core/errors.ts';
import { type Access, ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { missing } from '../kube/client/missing.ts';
import { resources } from '../kube/client/objects.ts';
import { serves } from '../kube/served.ts';
import { clusterUid } from '../ocm/hub/cluster-uid.ts';
import type { Its } from '../ocm/hub/its.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import { readHookVersions } from '../ocm/versions/program-versions.ts';
import { openedBy, type Wds } from '../spaces/choose/open-wds.ts';
import type { SpaceTools } from '../spaces/hosting/hosting.ts';
import { judgeHosting } from '../spaces/hosting/hosting-stages.ts';
import { SpaceWatcher } from '../spaces/space/space-watcher.ts';
import { inOrder, roleOf } from '../spaces/space/spaces.ts';

/** The clusters of an installation that a command selects. */
export interface SelectedClusters {
  /** Undefined if no hosting cluster is selected. */
  spaces: SpaceTools | undefined;
  /** The ITS that commands use, if there is one. */
  its: Its | undefined;
  /** Why the ITS that commands use does not exist. */
  whyNoIts?: StellarError | undefined;
  /** Opens the WDS that commands use. */
  wds?: (() => Promise<Wds>) | undefined;
  /** `--its` says as whom it is read, whatever else leads to it. */
  isItsGiven: boolean;
}

/** One reading of an installation: what `doctor`, `status`, `version`, `report` and `upgrade plan` show. */
export interface Installation {
  /** Undefined if the selected cluster is not a hosting cluster, or none is selected. */
  hosting: Access<HostingCluster | undefined>;
  spaces: readonly ReadSpace[];
  /** The ITS that commands use. */
  its: Its | undefined;
  /** The same, if it is not known to be an ITS of the hosting cluster. */
  elsewhere: Its | undefined;
  /** The WDS that commands use, if its hosting cluster is not visible: of somebody to whom it was exported. */
  wdsElsewhere: Wds | undefined;
}

export type HostingCluster = NonNullable<Awaited<ReturnType<typeof readHostingCluster>>>;

/** A space of the hosting cluster. */
export type ReadSpace = Awaited<ReturnType<typeof readSpaces>>[number];

/** The WDSes of an installation that were reached. */
export function wdsesIn({ hosting, spaces, wdsElsewhere }: Installation): Wds[] {
  const all = ifSeen(hosting)?.all ?? [];
  const accessOf = (space: string) => spaces.find(({ name }) => name === space)?.opened;
  const wdses = spaces.filter(({ role }) => role === 'wds');
  return [...wdses.map(({ name }) => openedBy({ accessOf }, name, all)), wdsElsewhere].filter(
    (wds) => wds !== undefined,
  );
}

/** Reads the hosting cluster with its spaces, all parts in parallel. What does not answer says so. */
export async function readInstallation({
  spaces: tools,
  its,
  wds,
  isItsGiven,
}: SelectedClusters): Promise<Installation> {
  const hosting = await tryRead(() => tools && readHostingCluster(tools.hosting));
  const isNone = hosting.state === 'seen' && hosting.value === undefined;
  const wdsElsewhere = isNone && wds ? await openElsewhere(wds) : undefined;
  const spaces = tools ? await readSpaces(ifSeen(hosting)?.all ?? [], tools) : [];
  const itses = spaces.flatMap(({ role, opened }) => (role === 'its' && opened ? opened : []));
  const own = its && (await sameCluster(its, itses));
  if (own === undefined) return { hosting, spaces, its, elsewhere: its, wdsElsewhere };
  const asUser = isItsGiven ? its : own;
  const read = spaces.map((space) => (space.opened === own ? { ...space, asUser } : space));
  return { hosting, spaces: read, its: asUser, elsewhere: undefined, wdsElsewhere };
}

/** A context that nothing marks as one of a WDS may lead to any cluster: it is a WDS if it has policies. */
async function openElsewhere(open: () => Promise<Wds>): Promise<Wds | undefined> {
  const wds = ifSeen(await tryRead(open));
  if (!wds?.isContext) return undefined;
  const isWds = await tryRead(() => serves(wds.kube, resources.bindingPolicies));
  return ifSeen(isWds) === false ? undefined : wds;
}

async function readHostingCluster(kube: Kube) {
  const all = await kube.list<ControlPlane>(resources.controlPlanes);
  if (all === missing) return undefined;
  return { all: inOrder(all), hooks: await readHookVersions(kube), ...(await judgeHosting(kube)) };
}

async function readSpaces(all: readonly ControlPlane[], tools: SpaceTools) {
  const watcher = new SpaceWatcher(tools);
  const spaces = all.flatMap((controlPlane) => {
    const role = roleOf(controlPlane);
    return role === undefined ? [] : [{ role, name: controlPlane.metadata.name }];
  });
  return mapConcurrently(spaces, async ({ role, name }) => {
    /** Undefined if it was just deleted. */
    const reading = await tryRead(() => watcher.read(name, role, { all }));
    /** How its inside was reached. */
    const opened = watcher.accessOf(name);
    // As whom its contents are read: the user of the command for the ITS that it names.
    return { role, name, reading, opened, asUser: opened };
  });
}

/** The one among others that is the same cluster: one may have several addresses. */
async function sameCluster(its: Its, others: readonly Its[]): Promise<Its | undefined> {
  const same = others.find(({ kube }) => kube.cluster.server === its.kube.cluster.server);
  if (same !== undefined || others.length === 0) return same;
  const [uid, ...uids] = await Promise.all([its, ...others].map(({ kube }) => clusterUid(kube)));
  return uid === undefined ? undefined : others[uids.indexOf(uid)];
}

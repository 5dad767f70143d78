import { command, type Diagnosis, diagnosisOf, type Problem, problem } from '../core/next-step.ts';
import { compareVersions, findVersion } from '../core/text/version.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { onlyOf } from '../kube/client/objects.ts';
import { readWec } from '../ocm/agent/wec-evidence.ts';
import { newestOcm } from '../ocm/model/ocm-versions.ts';
import { defectsOf, describeDefect, holesIn } from '../ocm/versions/known-defects.ts';
import { products } from '../ocm/versions/program-versions.ts';
import {
  type InstalledVersions,
  partsOf,
  type RunningVersion,
  versionOfProduct,
  versionSkews,
} from '../ocm/versions/running-versions.ts';
import { coreChart } from '../spaces/hosting/core-chart.ts';
import { wecVersions } from '../wecs/diagnose/wec-checks.ts';
import type { SelectedClusters } from './installation.ts';
import { type ItsStatus, readStatus, type StatusView } from './status.ts';

/** The running versions, and whether they fit together. The fields are an interface: docs/output.md */
export interface VersionsView extends InstalledVersions {
  /** False if there are problems; null if a relevant part is not visible. */
  fits: boolean | null;
  problems: (Diagnosis & { code: string })[];
}

/**
 * The versions that run on the clusters of an installation.
 * @param wecs whose agents are read in their own clusters
 * @param read the reading of status @throws StellarError as readStatus
 */
export async function readVersions(
  clusters: SelectedClusters,
  wecs: readonly { name: string; kube: Kube }[],
  read: StatusView | Promise<StatusView> = readStatus(clusters),
): Promise<VersionsView> {
  const [status, seenWecs] = await Promise.all([
    read,
    Promise.all(
      wecs.map(async (wec) => ({ name: wec.name, read: await tryRead(() => readWec(wec.kube)) })),
    ),
  ]);
  const hubVersion = versionOfProduct(products.ocm, itsOfWecs(status, clusters)?.versions ?? []);
  const { hosting } = status;
  const installed: InstalledVersions = {
    hosting: hosting && {
      name: hosting.name,
      versions: hosting.versions,
      hooksVersion: hosting.hooksVersion,
    },
    itses: status.itses.map(({ name, versions }) => ({ name, versions })),
    wdses: status.wdses.map(({ name, versions }) => ({ name, versions })),
    wecs: seenWecs.map(({ name, read }) => ({
      name,
      hubVersion,
      versions: wecVersions(ifSeen(read), read.state === 'seen' ? undefined : read.why),
    })),
  };
  const problems = [...versionSkews(installed), ...holesOf(installed)];
  return {
    ...installed,
    fits: problems.length > 0 ? false : isSeen(installed) ? true : null,
    problems: problems.map((problem) => ({ code: problem.code, ...diagnosisOf(problem) })),
  };
}

/** What is known to be wrong with versions. The hole of OCM is one of hubs: an agent is none. */
const holesOf = (installed: InstalledVersions): Problem[] =>
  partsOf(installed).flatMap(({ name, versions }) =>
    holesIn(versions).map((hole) => problem('known-hole', describeDefect(name, hole))),
  );

/** The ITS that the WECs are registered with: the chosen one, else the only one. */
function itsOfWecs({ itses }: StatusView, { its }: SelectedClusters): ItsStatus | undefined {
  const chosenIts = itses.find(({ name, context }) =>
    [name, context].includes(its?.context.name ?? ''),
  );
  return chosenIts ?? onlyOf(itses);
}

const matters: readonly string[] = [products.kubeFlex, products.ocm, products.kubeStellar];

function isSeen(installed: InstalledVersions) {
  const versions = [...partsOf(installed), ...installed.wecs].flatMap((part) => part.versions);
  return versions.every(({ product, running }) => running !== null || !matters.includes(product));
}

/**
 * The upgrades of an installation in their order. The fields are an interface: docs/output.md.
 * @param given the version of KubeStellar's core chart; by default the one that `init` installs, if none newer is installed
 * @param contextOf the context of a WEC
 * @returns `to`: the version of KubeStellar that the plan leads to
 */
export function planUpgrades(
  { hosting, itses, wdses, wecs }: VersionsView,
  given: string | undefined,
  contextOf: (wec: string) => string,
) {
  const on = hosting === null ? [] : ['--hosting-context', hosting.name];
  const present = hosting?.hooksVersion ?? undefined;
  const to =
    given ??
    (present && compareVersions(present, coreChart.version) > 0 ? present : coreChart.version);
  const init = command`stellarctl init --upgrade ${given === undefined ? [] : ['--version', given]} ${on}`;
  const items = [
    ...(hosting ? hostingRows(hosting, { wanted: to, upgrade: init }) : []),
    ...itses.flatMap(({ name, versions }) => {
      const upgrade = command`stellarctl its upgrade ${name} ${on}`;
      const addon =
        versions.find(({ product }) => product === products.statusAddon)?.wanted?.version ?? null;
      return ofProducts(`its/${name}`, versions, {
        [products.ocm]: { wanted: newestOcm, upgrade },
        [products.statusAddon]: { wanted: addon, upgrade },
      });
    }),
    ...wdses.flatMap(({ name, versions }) => {
      const upgrade = command`stellarctl wds upgrade ${name} ${on}`;
      const target: UpgradeTarget = { wanted: to, upgrade, workloads: 'kept, changes wait' };
      return ofProducts(`wds/${name}`, versions, { [products.kubeStellar]: target });
    }),
    ...wecs.flatMap(({ name, versions }) => {
      const upgrade = command`stellarctl wec upgrade ${`${name}=${contextOf(name)}`}`;
      return ofProducts(`wec/${name}`, versions, {
        [products.ocm]: { wanted: newestOcm, upgrade },
      });
    }),
  ];
  return { to, items };
}

interface UpgradeTarget {
  wanted: string | null;
  upgrade: string;
  workloads?: string;
}

/** KubeFlex comes with the chart of the hooks. */
function hostingRows(
  { name, hooksVersion, versions }: NonNullable<VersionsView['hosting']>,
  target: UpgradeTarget,
) {
  const hooks = upgradeRow(name, 'KubeStellar hooks', hooksVersion, target);
  const { state, command } = hooks;
  const running = versionOfProduct(products.kubeFlex, versions);
  const kubeFlex = upgradeRow(name, products.kubeFlex, running, noTarget);
  return [{ ...kubeFlex, state, command }, hooks];
}

const noTarget: UpgradeTarget = { wanted: null, upgrade: '' };

const ofProducts = (
  name: string,
  versions: readonly RunningVersion[],
  known: Record<string, UpgradeTarget>,
) =>
  [...new Set(versions.map(({ product }) => product))].map((product) =>
    upgradeRow(name, product, versionOfProduct(product, versions), known[product] ?? noTarget),
  );

/** One part of an installation, and its upgrade. */
function upgradeRow(
  name: string,
  product: string,
  running: string | null,
  { wanted, upgrade, workloads = 'untouched' }: UpgradeTarget,
) {
  const isKnown = running !== null && findVersion(running) !== undefined;
  const isBehind = isKnown && wanted !== null && compareVersions(running, wanted) < 0;
  const state =
    wanted === null || (isKnown && !isBehind) ? 'current' : isBehind ? 'behind' : 'unknown';
  const [defect] = name.startsWith('wec/') ? [] : defectsOf(product, running ?? '');
  const why = defect === undefined ? null : `${defect.id} since ${defect.since}`;
  return {
    name,
    product,
    /** Null if it is not visible, or does not run. */
    running,
    /** Null if nothing upgrades it, or its version comes with that of another part. */
    wanted,
    /** unknown: what runs is not visible. */
    state,
    /** Why it should not wait: a known hole, or the end of the version's life; null if nothing is known. */
    why,
    /** What the upgrade does to running workloads. */
    workloads,
    /** Null if there is nothing to do, or nothing does it. */
    command: isBehind ? upgrade : null,
  };
}

import { type Diagnosis, diagnosisOf } from '../core/problem.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { products } from '../ocm/program-versions.ts';
import { type InstalledVersions, versionSkews } from '../ocm/version-skew.ts';
import { readWec } from '../ocm/wec-evidence.ts';
import { wecVersions } from '../wecs/wec-versions.ts';
import { readStatus } from './status.ts';
import type { StatusTools } from './status-parts.ts';
import type { ItsStatus, StatusView } from './status-view.ts';

/** The running versions, and whether they fit together. The fields are an interface: docs/output.md */
export interface VersionsView extends InstalledVersions {
  /** False if there are problems; null if a relevant part is not visible. */
  fits: boolean | null;
  problems: (Diagnosis & { code: string })[];
}

/**
 * The versions that run on the clusters of an installation, from the reading of status.
 * @param wecs whose agents are read in their own clusters
 * @throws StellarError as readStatus
 */
export async function readVersions(
  tools: StatusTools,
  wecs: readonly { name: string; kube: Kube }[],
): Promise<VersionsView> {
  const [status, seenWecs] = await Promise.all([
    readStatus(tools),
    Promise.all(wecs.map(async (wec) => ({ name: wec.name, read: await tryRead(() => readWec(wec.kube)) }))),
  ]);
  const hubVersion = itsOf(status, tools)?.ocmVersion ?? null;
  const { hosting } = status;
  const installed: InstalledVersions = {
    hosting: hosting && { name: hosting.name, versions: hosting.versions, hooksVersion: hosting.hooksVersion },
    itses: status.itses.map(({ name, versions }) => ({ name, versions })),
    wdses: status.wdses.map(({ name, versions }) => ({ name, versions })),
    wecs: seenWecs.map(({ name, read }) => ({
      ...{ name, hubVersion },
      versions: wecVersions(ifSeen(read), read.state === 'seen' ? undefined : read.why),
    })),
  };
  const problems = versionSkews(installed);
  return {
    ...installed,
    fits: problems.length > 0 ? false : isSeen(installed) ? true : null,
    problems: problems.map((problem) => ({ code: problem.code, ...diagnosisOf(problem) })),
  };
}

/** The ITS that the WECs are registered with: the chosen one, else the only one. */
function itsOf({ itses }: StatusView, { chosen }: StatusTools): ItsStatus | undefined {
  const chosenIts = itses.find(({ name, context }) => [name, context].includes(chosen?.given ?? ''));
  return chosenIts ?? (itses.length === 1 ? itses[0] : undefined);
}

const matters: readonly string[] = [products.kubeFlex, products.ocm, products.kubeStellar];

function isSeen({ hosting, itses, wdses, wecs }: InstalledVersions): boolean {
  const versions = [...(hosting ? [hosting] : []), ...itses, ...wdses, ...wecs].flatMap((part) => part.versions);
  return versions.every(({ product, running }) => running !== null || !matters.includes(product));
}

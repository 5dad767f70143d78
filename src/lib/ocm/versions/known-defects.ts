import satisfies from 'semver/functions/satisfies.js';
import { compareVersions, findVersion } from '../../core/text/version.ts';
import type { RunningVersion } from './running-versions.ts';

/** Why versions of a program should not run any longer. */
interface KnownDefect {
  product: string;
  /** A range of versions in the form of semver. */
  versions: string;
  /** A short name: of its advisory, if it has one. */
  id: string;
  what: string;
  /** Since when it is public, as `2026-04-07`. */
  since: string;
  /** The versions without it, oldest first. */
  fixed: string[];
  /** Support has ended, and nothing is known to be wrong. */
  isOnlyOld?: true;
}

/** What is known of the versions that KubeStellar's charts and hooks have installed. */
const knownDefects: readonly KnownDefect[] = [
  // https://github.com/open-cluster-management-io/ocm/security/advisories/GHSA-q4gv-pjmh-c735
  {
    product: 'OCM',
    versions: '<1.0.1 || >=1.1.0 <1.1.3 || 1.2.0',
    id: 'CVE-2026-4740',
    since: '2026-04-07',
    what: 'its hub gives a WEC the group of another one whose name its own begins with, and so its works and their Secrets',
    fixed: ['1.0.1', '1.1.3', '1.2.1', '1.3.0'],
  },
  // https://github.com/kubestellar/kubeflex/releases/tag/v0.9.3
  {
    product: 'KubeFlex',
    versions: '0.9.2',
    id: 'withdrawn',
    since: '2026-01-09',
    what: 'its project has withdrawn it as broken',
    fixed: ['0.9.3'],
  },
  ended('kube-apiserver', '<1.30', '2025-02-28'),
  ended('k3s', '<1.28', '2024-06-28'),
];

/**
 * A version of Kubernetes that is no longer corrected, in the spaces that KubeFlex makes
 * (kubernetes.io/releases/patch-releases/#non-active-branch-history).
 */
function ended(product: string, versions: string, since: string): KnownDefect {
  const what = 'Kubernetes no longer corrects it';
  return { product, versions, id: 'end of life', what, since, fixed: [], isOnlyOld: true };
}

/** A defect of a version that runs. */
export interface Defect extends KnownDefect {
  version: string;
}

/** What is known of a version; one that is no version, such as a digest, is unknown. */
export function defectsOf(product: string, version = ''): Defect[] {
  const found = findVersion(version)?.replace(/-.*/, '');
  if (found === undefined) return [];
  const known = knownDefects.filter(
    (each) => each.product === product && satisfies(found, each.versions),
  );
  return known.map((defect) => ({ ...defect, version }));
}

/** What calls for a change, of the versions that run. */
export const holesIn = (versions: readonly RunningVersion[]): Defect[] => {
  const all = versions.flatMap(
    ({ product, running }) => running?.flatMap((each) => defectsOf(product, each)) ?? [],
  );
  const holes = all.filter(({ isOnlyOld }) => !isOnlyOld);
  return [...new Map(holes.map((hole) => [`${hole.id} ${hole.version}`, hole])).values()];
};

/** The oldest version without the defect that is above the one that runs. */
export const fixOf = ({ fixed, version }: Defect) =>
  fixed.find((each) => compareVersions(each, version) > 0);

/** As `its1 runs OCM 1.0.0 (CVE-2026-4740): its hub gives …`. */
export const describeDefect = (name: string, { product, version, id, what }: Defect) =>
  `${name} runs ${product} ${version} (${id}): ${what}.`;

/** The names that begin with another one, each with that. */
export const prefixPairs = (names: readonly string[]): { longer: string; prefix: string }[] =>
  names.flatMap((prefix) => {
    const longer = names.filter((name) => name !== prefix && name.startsWith(prefix));
    return longer.map((name) => ({ longer: name, prefix }));
  });

import satisfies from 'semver/functions/satisfies.js';
import { compareVersions, findVersion } from '../core/version.ts';
import type { RunningVersion } from './running-versions.ts';

/** Why a version of a program should not run any longer. The fields are an interface: docs/output.md. */
export interface KnownDefect {
  product: string;
  /** A range of versions in the form of semver. */
  versions: string;
  /** A short name: of its advisory, if it has one. */
  id: string;
  what: string;
  /** Since when it is public, as `2026-04-07`. */
  since: string;
  source: string;
  /** The versions without it, oldest first. */
  fixed: string[];
  /** Support has ended, and nothing is known to be wrong. */
  isOnlyOld?: true;
}

/** What is known of the versions that KubeStellar's charts and hooks have installed. */
const knownDefects: readonly KnownDefect[] = [
  {
    ...{ product: 'OCM', versions: '<1.0.1 || >=1.1.0 <1.1.3 || 1.2.0', id: 'CVE-2026-4740', since: '2026-04-07' },
    what: 'its hub gives a WEC the group of another one whose name its own begins with, and so its works and their Secrets',
    source: 'https://github.com/open-cluster-management-io/ocm/security/advisories/GHSA-q4gv-pjmh-c735',
    fixed: ['1.0.1', '1.1.3', '1.2.1', '1.3.0'],
  },
  {
    ...{ product: 'KubeFlex', versions: '0.9.2', id: 'withdrawn', since: '2026-01-09' },
    what: 'its project has withdrawn it as broken',
    source: 'https://github.com/kubestellar/kubeflex/releases/tag/v0.9.3',
    fixed: ['0.9.3'],
  },
  ended('kube-apiserver', '<1.30', '2025-02-28'),
  ended('k3s', '<1.28', '2024-06-28'),
];

/** A version of Kubernetes that is no longer corrected, in the spaces that KubeFlex makes. */
function ended(product: string, versions: string, since: string): KnownDefect {
  const source = 'https://kubernetes.io/releases/patch-releases/#non-active-branch-history';
  const what = 'Kubernetes no longer corrects it';
  return { product, versions, id: 'end of life', what, since, source, fixed: [], isOnlyOld: true };
}

/** What is known of a version; one that is no version, such as a digest, is unknown. */
export const defectsOf = (product: string, version: string | null | undefined): KnownDefect[] => {
  const found = findVersion(version ?? '')?.replace(/-.*/, '');
  return found === undefined
    ? []
    : knownDefects.filter((each) => each.product === product && satisfies(found, each.versions));
};

/** What somebody should do something about, of the versions that run, each once. */
export const holesIn = (versions: readonly RunningVersion[]): KnownDefect[] => {
  const all = versions.flatMap(({ product, running }) => running?.flatMap((each) => defectsOf(product, each)) ?? []);
  return [...new Set(all.filter(({ isOnlyOld }) => !isOnlyOld))];
};

/** The oldest version without a defect that is not below this one. */
export const fixOf = ({ fixed }: KnownDefect, version: string): string | undefined =>
  fixed.find((each) => compareVersions(each, version) > 0);

/** As `its1 runs OCM 1.0.0 (CVE-2026-4740): its hub gives …`. */
export const describeDefect = (name: string, version: string, { product, id, what }: KnownDefect): string =>
  `${name} runs ${product} ${version} (${id}): ${what}`;

/** What holds of WECs whose names stand in that relation: `cluster10 gets the group of cluster1`. */
export const prefixPairs = (names: readonly string[]): string[] =>
  names.flatMap((name) => {
    const longer = names.filter((other) => other !== name && other.startsWith(name));
    return longer.map((other) => `${other} gets the group of ${name}`);
  });

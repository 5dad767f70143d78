import type { RunningVersion } from './running-versions.ts';

/**
 * The running versions in words, one statement per product: `OCM 1.0.0`, `KubeStellar running 0.29.0, installed hooks 0.30.0`, `OCM
 * 1.3.1 (cluster-manager-placement-controller not running)`, `OCM unseen: not allowed to read pods`.
 */
export function versionWords(versions: readonly RunningVersion[]): string[] {
  const products = [...new Set(versions.map(({ product }) => product))];
  return products.map((name) =>
    words(
      name,
      versions.filter(({ product }) => product === name),
    ),
  );
}

/** What a part runs that is not of its wanted version, as a sentence; undefined if nothing is. */
export function versionsApart(name: string, versions: readonly RunningVersion[]): string | undefined {
  const apart = versions.filter(({ differs }) => differs);
  return apart.length === 0 ? undefined : `${name} has ${versionWords(apart).join(', ')}.`;
}

/** The version of most components of a product. @returns null if it is not running, or not visible */
export function versionOfProduct(product: string, versions: readonly RunningVersion[]): string | null {
  return mostFrequent(versions.filter((version) => version.product === product)) ?? null;
}

function words(product: string, versions: readonly RunningVersion[]): string {
  const seen = versions.filter(({ running }) => running !== null);
  if (seen.length === 0) return `${product} not visible: ${versions[0]?.notVisible}`;
  const main = mostFrequent(seen);
  if (main === undefined) return `${product} not running`;
  const others = versions.filter(({ running }) => running?.length !== 1 || running[0] !== main).map(otherWords);
  const text = others.length === 0 ? main : `${main} (${others.join(', ')})`;
  const { wanted } = versions.find(({ differs }) => differs) ?? {};
  return wanted ? `${product} running ${text}, ${wanted.by} ${wanted.version}` : `${product} ${text}`;
}

function otherWords({ component, running }: RunningVersion): string {
  if (running === null) return `${component} unknown`;
  return `${component} ${running.length === 0 ? 'not running' : running.join(' and ')}`;
}

function mostFrequent(versions: readonly RunningVersion[]): string | undefined {
  const all = versions.flatMap(({ running }) => running ?? []);
  const times = (version: string) => all.filter((each) => each === version).length;
  return all.toSorted((a, b) => times(b) - times(a))[0];
}

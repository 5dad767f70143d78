import { command } from '../core/command-line.ts';
import { compareVersions, findVersion } from '../core/version.ts';
import { newestOcm } from '../ocm/ocm-versions.ts';
import { products } from '../ocm/program-versions.ts';
import type { RunningVersion } from '../ocm/running-versions.ts';
import { versionOfProduct } from '../ocm/version-words.ts';
import { coreChart } from '../spaces/core-chart.ts';
import type { VersionsView } from './status-versions.ts';

/** One part of an installation, and its upgrade. The fields are an interface: docs/output.md. */
export interface UpgradeRow {
  /** The hosting cluster, or the space or WEC, with its noun: `its/its1`. */
  name: string;
  product: string;
  /** Null if it is not visible, or does not run. */
  running: string | null;
  /** Null if nothing upgrades it, or its version comes with that of another part. */
  wanted: string | null;
  /** unknown: what runs is not visible. */
  state: 'current' | 'behind' | 'unknown';
  /** What the upgrade does to running workloads. */
  workloads: 'untouched' | 'kept, changes wait';
  /** Null if there is nothing to do, or nothing does it. */
  command: string | null;
}

/** The upgrades of an installation in their order. The fields are an interface: docs/output.md. */
export interface UpgradePlan {
  /** The version of KubeStellar that the plan leads to. */
  to: string;
  items: UpgradeRow[];
}

/**
 * @param given the version of KubeStellar's core chart; by default the one that `init` installs, if none newer is installed
 * @param contextOf the context of a WEC
 */
export function planUpgrades(
  { hosting, itses, wdses, wecs }: VersionsView,
  given: string | undefined,
  contextOf: (wec: string) => string,
): UpgradePlan {
  const on = hosting === null ? [] : ['--hosting-context', hosting.name];
  const present = hosting?.hooksVersion ?? undefined;
  const to = given ?? (present && compareVersions(present, coreChart.version) > 0 ? present : coreChart.version);
  const init = command`stellarctl init --upgrade ${given === undefined ? [] : ['--version', given]} ${on}`;
  const hooks = hosting && row(hosting.name, 'KubeStellar hooks', present ?? null, to, init);
  const kubeFlex =
    hosting && row(hosting.name, products.kubeFlex, versionOfProduct(products.kubeFlex, hosting.versions), null, init);
  const ofProducts = (name: string, versions: readonly RunningVersion[], known: Record<string, Target>) =>
    [...new Set(versions.map(({ product }) => product))].map((product) => {
      const { wanted = null, upgrade = '', workloads } = known[product] ?? {};
      return row(name, product, versionOfProduct(product, versions), wanted, upgrade, workloads);
    });
  const items = [
    ...(kubeFlex === null || hooks === null
      ? []
      : [{ ...kubeFlex, state: hooks.state, command: hooks.command }, hooks]),
    ...itses.flatMap(({ name, versions }) => {
      const upgrade = command`stellarctl its upgrade ${name} ${on}`;
      const addon = versions.find(({ product }) => product === products.statusAddon)?.wanted?.version ?? null;
      return ofProducts(`its/${name}`, versions, {
        [products.ocm]: { wanted: newestOcm, upgrade },
        [products.statusAddon]: { wanted: addon, upgrade },
      });
    }),
    ...wdses.flatMap(({ name, versions }) => {
      const upgrade = command`stellarctl wds upgrade ${name} ${on}`;
      const target: Target = { wanted: to, upgrade, workloads: 'kept, changes wait' };
      return ofProducts(`wds/${name}`, versions, { [products.kubeStellar]: target });
    }),
    ...wecs.flatMap(({ name, versions }) => {
      const upgrade = command`stellarctl wec upgrade ${`${name}=${contextOf(name)}`}`;
      return ofProducts(`wec/${name}`, versions, { [products.ocm]: { wanted: newestOcm, upgrade } });
    }),
  ];
  return { to, items };
}

interface Target {
  wanted: string | null;
  upgrade: string;
  workloads?: UpgradeRow['workloads'];
}

function row(
  ...[name, product, running, wanted, upgrade, workloads = 'untouched']: [
    name: string,
    product: string,
    running: string | null,
    wanted: string | null,
    upgrade: string,
    workloads?: UpgradeRow['workloads'],
  ]
): UpgradeRow {
  const isKnown = running !== null && findVersion(running) !== undefined;
  const isBehind = isKnown && wanted !== null && compareVersions(running, wanted) < 0;
  const state = wanted === null || (isKnown && !isBehind) ? 'current' : isBehind ? 'behind' : 'unknown';
  return { name, product, running, wanted, state, workloads, command: isBehind ? upgrade : null };
}

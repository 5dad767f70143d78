import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { isObject } from '../core/is-object.ts';
import { run } from '../core/next-step.ts';
import { compareVersions } from '../core/version.ts';
import { hookNames } from '../ocm/kubeflex-names.ts';
import { type ClusterState, isOlderHook } from './cluster-state.ts';
import { coreChart } from './core-chart.ts';
import type { Revision } from './helm.ts';
import { holds, mergeValues, type Values } from './helm-values.ts';

/** What to do with the release of the core chart. */
export interface Plan {
  /**
   * nothing: the release is up to date; install: there is no release; install-again: the release has never been deployed, and its
   * existing objects are adopted; upgrade: to a newer chart; change: same chart, with other values or to recreate missing objects.
   */
  action: 'nothing' | 'install' | 'install-again' | 'upgrade' | 'change';
  /** The installed version of the chart, if any. */
  installed: string | undefined;
  version: string;
  /** The values to merge over those of the release. */
  values: Values;
  /** The registry of all images; undefined for those that the chart names. */
  imageRegistry: string | undefined;
}

export interface Asked {
  /** Default: the installed version, else the default version. */
  version: string | undefined;
  upgrade: boolean;
  values: Values;
  imageRegistry: string | undefined;
  /** As the user gave it, for suggested commands. */
  chart: string | undefined;
}

/**
 * Decides what to do. A rerun does nothing. A newer chart requires --upgrade. Downgrades are refused, because KubeFlex's
 * definitions cannot be downgraded while control planes use them.
 * @param ifFresh values for a first installation, as detected on the cluster
 * @param context for messages
 * @throws StellarError `hooks-outdated`, `upgrade-needed`, `conflict`
 */
export function makePlan(clusterState: ClusterState, asked: Asked, ifFresh: Values, context: string): Plan {
  const { revisions, release } = clusterState;
  const imageRegistry = asked.imageRegistry ?? clusterState.imageRegistry;
  const chart = revisions.at(-1)?.chart.name ?? coreChart.name;
  if (chart !== coreChart.name)
    throw new StellarError(
      'conflict',
      `Release ${release.name} in namespace ${release.namespace} on ${context} is of another chart, ${chart}.`,
    );
  const installed = deployedOf(revisions)?.chart.version;
  const source = asked.chart === undefined ? [] : ['--chart', asked.chart];
  const retry = (version: string) =>
    command`stellarctl init --upgrade --version ${version} ${source} --hosting-context ${context}`;
  if (!asked.upgrade) refuseOlderHooks(clusterState, installed, context);
  if (installed === undefined) {
    const version = asked.version ?? coreChart.version;
    const values = mergeValues(mergeValues(ifFresh, clusterState.values), asked.values);
    return { action: revisions.length === 0 ? 'install' : 'install-again', installed, version, values, imageRegistry };
  }
  const newest = asked.upgrade && compareVersions(coreChart.version, installed) > 0 ? coreChart.version : installed;
  const version = asked.version ?? newest;
  const difference = compareVersions(version, installed);
  const where = `Release ${release.name} on ${context} has chart ${installed}`;
  if (difference < 0)
    throw new StellarError(
      'upgrade-needed',
      `${where}, which is newer than ${version}: downgrading is not supported.`,
      {
        next: [run(command`stellarctl init --hosting-context ${context}`, 'Leave it as it is')],
      },
    );
  if (difference > 0 && !asked.upgrade)
    throw new StellarError('upgrade-needed', `${where}, and ${version} was requested.`, {
      next: [run(retry(version), 'Upgrade it')],
    });
  const failed = failedUpgrade(revisions, installed);
  if (failed !== undefined && difference === 0)
    throw new StellarError('upgrade-needed', `${where}, and an upgrade to ${failed} failed halfway.`, {
      next: [run(retry(failed), 'Resume it')],
    });
  const { values } = asked;
  if (difference > 0) return { action: 'upgrade', installed, version, values, imageRegistry };
  const isAsAsked =
    revisions.at(-1)?.status === 'deployed' &&
    holds(clusterState.allValues, values) &&
    imageRegistry === clusterState.imageRegistry;
  const action = isAsAsked && isComplete(clusterState) ? 'nothing' : 'change';
  return { action, installed, version, values, imageRegistry };
}

/** The revision whose objects are on the cluster. */
function deployedOf(revisions: readonly Revision[]): Revision | undefined {
  const lastWith = (status: string) => revisions.findLast((revision) => revision.status === status);
  return lastWith('deployed') ?? lastWith('superseded');
}

/** The newer chart of a last, failed upgrade: its definitions are on the cluster, and perhaps other objects. */
function failedUpgrade(revisions: readonly Revision[], installed: string): string | undefined {
  const last = revisions.at(-1);
  return last?.status === 'failed' && compareVersions(last.chart.version, installed) > 0
    ? last.chart.version
    : undefined;
}

/** Whether no object is missing that helm would recreate. */
function isComplete({ hooks, kubeFlex, values }: ClusterState): boolean {
  return (
    Object.values(hookNames).every((name) => hooks.includes(name)) && !(kubeFlex === 'absent' && hasKubeFlex(values))
  );
}

/** Whether the values make KubeFlex part of the release. */
export function hasKubeFlex(values: Values): boolean {
  const ofKubeFlex = values[coreChart.kubeFlexValues];
  return !isObject(ofKubeFlex) || ofKubeFlex.install !== false;
}

function refuseOlderHooks(
  { hooks, release, revisions }: ClusterState,
  installed: string | undefined,
  context: string,
): void {
  const older = hooks.filter(isOlderHook);
  const hasAll = Object.values(hookNames).every((name) => hooks.includes(name));
  const isOldChart = installed !== undefined && compareVersions(installed, coreChart.oldestVersion) < 0;
  if (!isOldChart && (older.length === 0 || hasAll)) return;
  const of = revisions.length === 0 ? '' : ` (release ${release.name}, chart ${installed ?? 'unknown'})`;
  throw new StellarError(
    'hooks-outdated',
    `${context} has the post-create hooks of a KubeStellar before 0.29${of}: ${older.join(', ') || 'none of the newer ones'}.`,
    {
      details: [
        'Newer hooks create ITSes and WDSes since then, and stellarctl works only with those.',
        'An upgrade keeps existing control planes.',
      ],
      next: [run(command`stellarctl init --upgrade --hosting-context ${context}`, 'Upgrade')],
    },
  );
}

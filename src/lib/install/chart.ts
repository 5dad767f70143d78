import { StellarError } from '../engine/errors.ts';
import { advice } from '../engine/next-step.ts';
import { coreChart } from '../hosting/core-chart.ts';
import type { Helm, LocalChart } from '../programs/helm/helm.ts';
import { compareVersions, findVersion } from '../programs/version.ts';
import type { InitInput } from './input.ts';

/** The selected chart. `version` is undefined if the user gave none and the chart is not a local one. */
export interface ChartChoice {
  chart: string;
  version: string | undefined;
  /** The chart, if it is local; undefined otherwise. */
  local: LocalChart | undefined;
}

/**
 * Resolves the selected chart and version, and reads the metadata of a local chart.
 * @throws StellarError `usage`, `chart-unusable`; versions before 0.29 are always refused
 */
export async function chooseChart({ chart, version }: InitInput, helm: Helm): Promise<ChartChoice> {
  const [, untagged, tag] = /^(oci:\/\/.+):([^/:]+)$/.exec(chart ?? '') ?? [];
  if (tag !== undefined && version !== undefined && fullVersion(tag) !== fullVersion(version))
    throw new StellarError('usage', `--chart names the version ${tag}, and --version ${version}. Give one of them.`);
  const asked = version ?? tag;
  if (asked !== undefined) refuseVersion(asked);
  const choice = {
    chart: untagged ?? chart ?? coreChart.reference,
    version: asked === undefined ? undefined : fullVersion(asked),
    local: undefined,
  };
  const local = chart === undefined ? undefined : await helm.local(chart);
  if (local === undefined) return choice;
  return { ...choice, local, version: await verifyChart(helm, local, choice.version) };
}

/**
 * Fetches the selected chart unless it is local.
 * @param registry of its images and charts, if not those that it names
 * @throws StellarError `chart-unusable`
 */
export async function bringChart(
  helm: Helm,
  { chart, local }: ChartChoice,
  version: string,
  registry: string | undefined,
): Promise<LocalChart> {
  const brought = local ?? (await helm.download(chart, version));
  if (local === undefined) await verifyChart(helm, brought, version);
  if (registry === undefined) return brought;
  const { correctChart } = await import('./correct-chart.ts');
  return correctChart(await helm.pack(brought), await helm.newFolder(), registry);
}

/** @returns the chart's version */
async function verifyChart(helm: Helm, chart: LocalChart, wanted: string | undefined): Promise<string> {
  const { name, version } = await helm.metadata(chart);
  if (name !== coreChart.name)
    throw new StellarError('chart-unusable', `${chart} is the chart "${name}", not KubeStellar's ${coreChart.name}.`);
  if (compareVersions(version, coreChart.oldestVersion) < 0)
    throw tooOld('chart-unusable', `The chart ${chart} is ${version}`);
  if (wanted !== undefined && compareVersions(version, wanted) !== 0)
    throw new StellarError('chart-unusable', `The chart ${chart} is ${version}, and ${wanted} was requested.`);
  return version;
}

/** A version as charts write it: without a leading `v`, and with its patch number, because to helm 0.30 is any 0.30.x. */
const fullVersion = (version: string): string => version.replace(/^v/, '').replace(/^(\d+\.\d+)(?![.\d])/, '$1.0');

function refuseVersion(version: string): void {
  if (findVersion(version) !== version.replace(/^v/, ''))
    throw new StellarError(
      'usage',
      `"${version}" is not a version of the chart: it has the form ${coreChart.version}.`,
    );
  if (compareVersions(version, coreChart.oldestVersion) < 0)
    throw tooOld('usage', `KubeStellar ${version} was requested`);
}

function tooOld(code: 'usage' | 'chart-unusable', what: string): StellarError {
  return new StellarError(
    code,
    `${what}, and ${coreChart.oldestVersion} is the oldest version that stellarctl supports: earlier hooks for ITSes and WDSes have other names and work differently.`,
    { next: [advice(`Use a newer one: --version ${coreChart.version}`)] },
  );
}

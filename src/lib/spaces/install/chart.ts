import { createReadStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { unpackTar } from 'modern-tar/fs';
import { StellarError } from '../../core/errors.ts';
import { advice } from '../../core/next-step.ts';
import { compareVersions, findVersion } from '../../core/text/version.ts';
import { coreChart } from '../hosting/core-chart.ts';
import type { Helm, LocalChart } from './helm.ts';
import type { ValueOptions, Values } from './helm-values.ts';

/**
 * The selected chart. `version` is undefined if the user gave none and the chart is not a local one; `local` is the chart if it is a
 * local one.
 */
export type ChartChoice = Awaited<ReturnType<typeof chooseChart>>;

/**
 * Resolves the selected chart, version and values, and reads the metadata of a local chart.
 * @throws StellarError `usage`, `chart-unusable`; versions before 0.29 are always refused
 */
export async function chooseChart(input: InitInput, helm: Helm) {
  const { chart, version } = input;
  const [, untagged, tag] = /^(oci:\/\/.+):([^/:]+)$/.exec(chart ?? '') ?? [];
  const asked = version ?? tag;
  if (asked !== undefined) refuseVersion(asked);
  const choice = {
    chart: untagged ?? chart ?? coreChart.reference,
    version: asked === undefined ? undefined : fullVersion(asked),
    local: undefined,
    /** Those that were given. */
    values: await helm.valuesOf(kubeFlexValues(input), input.values),
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
export async function fetchChart(
  helm: Helm,
  { chart, local }: ChartChoice,
  version: string,
  registry: string | undefined,
): Promise<LocalChart> {
  const archive = local ?? (await helm.download(chart, version));
  if (local === undefined) await verifyChart(helm, archive, version);
  if (registry === undefined) return archive;
  return correctChart(await helm.pack(archive), await helm.newFolder(), registry);
}

/** @returns the chart's version */
async function verifyChart(helm: Helm, chart: LocalChart, wanted: string | undefined) {
  const { name, version } = await helm.metadata(chart);
  if (name !== coreChart.name)
    throw new StellarError(
      'chart-unusable',
      `${chart} is the chart "${name}", not KubeStellar's ${coreChart.name}.`,
    );
  if (compareVersions(version, coreChart.oldestVersion) < 0)
    throw new StellarError(
      'chart-unusable',
      `The chart ${chart} is ${version}, and ${coreChart.oldestVersion} is the oldest version that stellarctl supports: earlier hooks for ITSes and WDSes have other names and work differently.`,
      advice(`Use a newer one: --version ${coreChart.version}`),
    );
  if (wanted !== undefined && compareVersions(version, wanted) !== 0)
    throw new StellarError(
      'chart-unusable',
      `The chart ${chart} is ${version}, and ${wanted} was requested.`,
    );
  return version;
}

/** A version as charts write it: without a leading `v`, and with its patch number, because to helm 0.30 is any 0.30.x. */
const fullVersion = (version: string) =>
  version.replace(/^v/, '').replace(/^(\d+\.\d+)(?![.\d])/, '$1.0');

function refuseVersion(version: string) {
  if (findVersion(version) !== version.replace(/^v/, ''))
    throw new StellarError(
      'usage',
      `"${version}" is not a version of the chart: it has the form ${coreChart.version}.`,
    );
}

/** The registries that the templates name (core-chart 0.29 and 0.30, kubeflex-operator 0.9). */
const publicRegistries = /\b(?:docker\.io|ghcr\.io|quay\.io|registry\.k8s\.io)\//g;

/**
 * Unpacks KubeStellar's core chart into a folder, with all images and charts taken from a registry, under the same paths: those
 * of its own objects, of the hooks, and of what their Jobs install. It has no values for any of them.
 * @param packed the chart as one file
 * @param folder an empty one
 * @returns the folder of the chart
 */
async function correctChart(packed: string, folder: string, registry: string) {
  await pipeline(createReadStream(packed), createGunzip(), unpackTar(folder));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile() && /\.(ya?ml|tpl)$/.test(each.name))) {
    const file = path.join(entry.parentPath, entry.name);
    await writeFile(file, correctTemplate(await readFile(file, 'utf8'), registry));
  }
  const [name = ''] = await readdir(folder);
  return path.join(folder, name);
}

/** @param registry of letters that have no meaning in a replacement */
export const correctTemplate = (text: string, registry: string) =>
  text
    .replace(publicRegistries, `${registry}/`)
    // clusteradm installs OCM, and has an option for the registry of its images.
    .replace(/^( *- )init$/m, `$1init\n$1--image-registry=${registry}/open-cluster-management`)
    // The charts of Bitnami, of which that of PostgreSQL is a copy, have a value for it.
    .replace(
      /^( *- )(oci:\S+\/charts\/postgresql)$/m,
      `$1$2\n$1--set\n$1global.imageRegistry=${registry}`,
    );

/** The input of `init`. */
export interface InitInput {
  /** A reference, a folder or a packaged chart that replaces KubeStellar's own chart. */
  chart?: string | undefined;
  version?: string | undefined;
  upgrade: boolean;
  domain?: string | undefined;
  externalPort?: number | undefined;
  /** The registry for all images and charts that KubeStellar's chart names; default: the one that the installed hooks name. */
  imageRegistry?: string | undefined;
  /** In helm's form. */
  values: ValueOptions;
}

/** KubeFlex's settings in the input, as values of the core chart. */
function kubeFlexValues({ domain, externalPort }: InitInput): Values {
  const given = Object.entries({ domain, externalPort }).filter(([, value]) => value !== undefined);
  return given.length === 0 ? {} : { [coreChart.kubeFlexValues]: Object.fromEntries(given) };
}

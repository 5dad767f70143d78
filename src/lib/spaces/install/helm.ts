import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { StellarError } from '../../core/errors.ts';
import { advice } from '../../core/next-step.ts';
import {
  type FoundProgram,
  type Invocation,
  type ProgramOutput,
  type ProgramRun,
  programFailed,
  type RunProgram,
  readJson,
  requireProgram,
  runProgram,
} from '../../core/program.ts';
import { findVersion } from '../../core/text/version.ts';
import type { KubeObject } from '../../kube/client/objects.ts';
import { coreChart } from '../hosting/core-chart.ts';
import { helmProgram } from '../local/programs.ts';
import { chartMissing, withCode } from './helm-errors.ts';
import {
  mergeValues,
  parseObjects,
  parseSourced,
  type SourcedObject,
  type ValueOptions,
  type Values,
  valueArguments,
} from './helm-values.ts';

/** The cluster for helm, always the same as stellarctl's. */
export interface HelmTarget {
  context: string;
  /** The file of --kubeconfig; if undefined, helm reads KUBECONFIG, as stellarctl does. */
  kubeconfig: string | undefined;
}

export interface ReleaseName {
  name: string;
  namespace: string;
}

/** The metadata of a chart (its Chart.yaml). */
export interface ChartMetadata {
  name: string;
  version: string;
}

/** One revision of a release. */
export interface Revision {
  revision: number;
  /** helm's status: deployed, superseded, failed, uninstalled, pending-install, pending-upgrade, pending-rollback … */
  status: string;
  chart: ChartMetadata;
}

/** The path of a chart on this machine: a folder or a packaged chart. */
export type LocalChart = string;

/** `stop` aborts the upgrade; helm then marks the release as failed. */
export interface Upgrade extends Pick<Invocation, 'stop'> {
  release: ReleaseName;
  chart: LocalChart;
  /** Merged over the values of the release or, on installation, the chart's defaults. */
  values: Values;
  /** helm's own timeout for a Job of the chart, in milliseconds: what is left of the command's time, in case that it is killed. */
  timeoutMs: number;
  /** Installs no CustomResourceDefinitions of the chart. */
  skipCrds?: boolean;
}

/** The user's helm, for one cluster. Every method throws StellarError. */
export class Helm {
  readonly #program: FoundProgram;
  readonly #target: string[];
  readonly #run: RunProgram;
  #folder: Promise<string> | undefined;
  /** The fetched charts, by reference and version. */
  readonly #brought = new Map<string, Promise<LocalChart>>();

  constructor(program: FoundProgram, { context, kubeconfig }: HelmTarget, run: RunProgram) {
    this.#program = program;
    this.#target = [
      '--kube-context',
      context,
      ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ];
    this.#run = run;
  }

  /** @throws StellarError `program-missing`, `program-too-old` */
  static async find(target: HelmTarget, neededFor: string, run: ProgramRun): Promise<Helm> {
    const cleaned = { ...run, env: helmEnvironment(run.env) };
    const program = await requireProgram(helmProgram, neededFor, cleaned);
    return new Helm(program, target, runProgram(cleaned));
  }

  /**
   * Finds a chart on this machine; undefined for a chart that helm must fetch.
   * @throws StellarError `chart-unusable` if it can only be a file or a folder, and does not exist
   */
  async local(chart: string): Promise<LocalChart | undefined> {
    // `https:/example.com/chart` could also be a folder of the current directory.
    if (isAddress.test(chart)) return undefined;
    if (existsSync(chart)) return chart;
    if (mayBeFetched(chart)) return undefined;
    const remote =
      'a reference (oci://…), a URL, or REPOSITORY/NAME in a repository that helm knows';
    throw new StellarError(
      'chart-unusable',
      `There is no file or folder ${path.resolve(chart)}.`,
      advice(`A chart is a folder, a packed file (.tgz), ${remote}`),
    );
  }

  /**
   * Fetches a chart, once per reference and version.
   * @param chart an `oci://` reference, a URL, or a name in one of helm's repositories
   * @throws StellarError `chart-unusable`
   */
  download(chart: string, version: string): Promise<LocalChart> {
    const key = `${chart} ${version}`;
    const archive = this.#brought.get(key) ?? this.#pull(chart, version);
    this.#brought.set(key, archive);
    return archive;
  }

  async #pull(chart: string, version: string): Promise<LocalChart> {
    const folder = await this.newFolder();
    const args = ['pull', chart, '--destination', folder, '--version', version];
    await this.#stdout({ args }, (failure, stderr) =>
      chartMissing(failure, stderr, chart, version),
    );
    return path.join(folder, (await readdir(folder))[0] ?? '');
  }

  /** Packs a chart, with its subcharts unpacked inside; one that is packed stays as it is. @returns a file */
  async pack(chart: LocalChart): Promise<string> {
    if ((await stat(chart)).isFile()) return chart;
    const folder = await this.newFolder();
    await this.#stdout({ args: ['package', chart, '--destination', folder] });
    return path.join(folder, (await readdir(folder))[0] ?? '');
  }

  /** A new, empty folder, which close() removes. */
  async newFolder(): Promise<string> {
    return mkdtemp(path.join(await this.#temporaryFolder(), 'chart-'));
  }

  async metadata(chart: LocalChart): Promise<ChartMetadata> {
    const printed = await this.#stdout(
      { args: ['show', 'chart', chart] },
      ({ message }) => new StellarError('chart-unusable', message),
    );
    const [{ name = '', version = '' } = {}] = parseObjects(printed) as Partial<ChartMetadata>[];
    if (name === '' || findVersion(version) === undefined)
      throw new StellarError(
        'program-failed',
        `helm show chart printed no name and version of the chart ${chart}.`,
      );
    return { name, version };
  }

  /** All objects of a chart in a release of this name, those of its hooks included: helm validates the values. */
  async render(
    chart: LocalChart,
    values: Values,
    name: string = coreChart.release.name,
  ): Promise<SourcedObject[]> {
    const file = await this.#writeValues(values);
    return parseSourced(
      await this.#stdout({ args: ['template', name, chart, '--include-crds', '--values', file] }),
    );
  }

  /** All revisions of a release in helm's history, oldest first; empty if there is no such release. */
  async history(release: ReleaseName): Promise<Revision[]> {
    const args = ['history', release.name, ...this.#on(release), '--output', 'json'];
    const output = await this.#run(this.#program, { args });
    if (output.exitCode !== 0 && /release: not found/.test(output.stderr)) return [];
    const printed = this.#succeeded({ args }, output);
    const revisions = readJson<{ revision: number; status: string; chart: string }[]>(
      'helm',
      printed,
    );
    return (revisions ?? []).map(({ revision, status, chart }) => ({
      revision,
      status,
      chart: chartFromLabel(chart),
    }));
  }

  /** The user-supplied values of a release; with `all`, merged with the chart's defaults. */
  async values(release: ReleaseName, { all }: { all: boolean }): Promise<Values> {
    const args = [
      'get',
      'values',
      release.name,
      ...this.#on(release),
      '--output',
      'json',
      ...(all ? ['--all'] : []),
    ];
    return readJson<Values | null>('helm', await this.#stdout({ args })) ?? {};
  }

  /** The objects of a release's current revision, as rendered from its chart. */
  async objects(release: ReleaseName): Promise<KubeObject[]> {
    return parseObjects(
      await this.#stdout({ args: ['get', 'manifest', release.name, ...this.#on(release)] }),
    );
  }

  /**
   * The values that helm reads from value options, merged over ours. helm parses them itself, by rendering a chart that contains
   * only these values. It contacts no cluster.
   */
  async valuesOf(ours: Values, options: ValueOptions): Promise<Values> {
    const args = valueArguments(options);
    if (args.length === 0) return ours;
    const chart = path.join(await this.#temporaryFolder(), 'values');
    await writeChartOfValues(chart);
    const rendered = await this.#run(this.#program, {
      args: ['template', 'values', chart, ...args],
    });
    if (rendered.exitCode !== 0)
      throw new StellarError('usage', programFailed(this.#program, ['values'], rendered).message);
    const [values] = parseObjects(rendered.stdout);
    if (values === undefined)
      throw new StellarError(
        'program-failed',
        'helm template printed nothing for the values that were given.',
      );
    return mergeValues(ours, { ...values });
  }

  /**
   * Installs or upgrades a release. Its previous values are kept unless `values` override them. Like helm, waits only for the Jobs
   * of the chart's hooks. @returns false if `stop` aborts it
   * @throws StellarError `release-pending` if another helm has started on the release first
   */
  async upgrade({
    release,
    chart,
    values,
    timeoutMs,
    skipCrds,
    ...control
  }: Upgrade): Promise<boolean> {
    const file = await this.#writeValues(values);
    // For helm, 0 is no timeout.
    const timeout = `${Math.max(1, Math.ceil(timeoutMs / 1000))}s`;
    const args = [
      'upgrade',
      release.name,
      chart,
      '--install',
      '--reset-then-reuse-values',
      '--values',
      file,
      ...this.#on(release),
      '--timeout',
      timeout,
      ...(skipCrds ? ['--skip-crds'] : []),
    ];
    const invocation = { args, ...control };
    const output = await this.#run(this.#program, invocation);
    if (control.stop?.aborted) return false;
    this.#succeeded(invocation, output);
    return true;
  }

  /** Removes the temporary folder. */
  async close(): Promise<void> {
    const folder = await this.#folder?.catch(() => undefined);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  #on({ namespace }: ReleaseName): string[] {
    return ['--namespace', namespace, ...this.#target];
  }

  /** @param refuse the error for a failure, with what helm wrote to stderr */
  async #stdout(invocation: Invocation, refuse = withCode): Promise<string> {
    return this.#succeeded(invocation, await this.#run(this.#program, invocation), refuse);
  }

  #succeeded({ args }: Invocation, output: ProgramOutput, refuse = withCode): string {
    if (output.exitCode === 0) return output.stdout;
    throw refuse(programFailed(this.#program, args, output), output.stderr);
  }

  async #writeValues(values: Values): Promise<string> {
    const file = path.join(await this.#temporaryFolder(), 'values.json');
    await writeFile(file, JSON.stringify(values), { mode: 0o600 });
    return file;
  }

  /** Only the user can read it. */
  #temporaryFolder(): Promise<string> {
    this.#folder ??= mkdtemp(path.join(tmpdir(), 'stellarctl-helm-'));
    return this.#folder;
  }
}

/** What only helm can fetch: `oci://…`, or a URL. */
const isAddress = /^[a-z]+:\/\//i;
/** Whether it may be REPOSITORY/NAME. */
const mayBeFetched = (chart: string) => /^[^/.~].*\/./.test(chart) && !chart.endsWith('.tgz');

/** Parses `core-chart-0.30.0`, as in helm's history and labels: the version starts at a hyphen followed by a digit. */
export function chartFromLabel(label: string): ChartMetadata {
  const [, name = label, version = ''] = /^(.+?)-(v?\d+\.\d+\..*)$/.exec(label) ?? [];
  return { name, version };
}

async function writeChartOfValues(folder: string) {
  await mkdir(path.join(folder, 'templates'), { recursive: true });
  await writeFile(
    path.join(folder, 'Chart.yaml'),
    'apiVersion: v2\nname: values\nversion: 0.0.0\n',
  );
  await writeFile(path.join(folder, 'templates', 'values.yaml'), '{{ toJson .Values }}\n');
}

/** Variables that would change helm's cluster, namespace or user. */
const misleading = /^HELM_(KUBE\w+|NAMESPACE)$/;

/**
 * Returns the user's environment for helm, including where charts and releases are stored, without the variables that select a
 * cluster.
 */
export function helmEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !misleading.test(name)));
}

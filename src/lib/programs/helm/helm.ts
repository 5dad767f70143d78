import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords, run as runCommand } from '../../engine/next-step.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { SendSignal } from '../process-group.ts';
import {
  type FoundProgram,
  type Invocation,
  type ProgramOutput,
  type ProgramRun,
  programFailed,
  type RunProgram,
  requireProgram,
  runProgram,
} from '../program.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import { findVersion } from '../version.ts';
import { parseObjects, parseSourced } from './documents.ts';
import { chartMissing, withCode } from './errors.ts';
import { helmEnvironment, helmProgram } from './program.ts';
import { mergeValues, type ValueOptions, type Values, valueArguments } from './values.ts';

/** The cluster that helm works on: exactly the one that stellarctl itself works on. */
export interface HelmTarget {
  context: string;
  /** The file of --kubeconfig; without it helm reads KUBECONFIG, as stellarctl does. */
  kubeconfig: string | undefined;
}

export interface ReleaseName {
  name: string;
  namespace: string;
}

/** What helm says of a chart (its Chart.yaml). */
export interface ChartMetadata {
  name: string;
  version: string;
  appVersion?: string;
}

/** One revision of a release. */
export interface Revision {
  revision: number;
  /** helm's word: deployed, superseded, failed, uninstalled, pending-install, pending-upgrade, pending-rollback … */
  status: string;
  chart: ChartMetadata;
}

/** A chart on this machine's disk: a folder or a packed file. */
export type LocalChart = string;

export interface Upgrade {
  release: ReleaseName;
  chart: LocalChart;
  /** Put over what the release has already, or over the chart's own. */
  values: Values;
  /** Fires to give it up; helm then marks the release as failed. */
  stop?: AbortSignal;
}

/** The longest time that helm itself may wait for a Job of the chart; the command's deadline ends it earlier. */
const hookTimeout = '24h';

/** The user's helm, for one cluster. Every method throws StellarError. */
export class Helm {
  readonly version: string;
  readonly #program: FoundProgram;
  readonly #target: string[];
  readonly #run: RunProgram;
  readonly #sendSignal: SendSignal;
  #folder: Promise<string> | undefined;
  /** What has been fetched, by reference and version. */
  readonly #brought = new Map<string, Promise<LocalChart>>();

  constructor(
    program: FoundProgram,
    { context, kubeconfig }: HelmTarget,
    { run, sendSignal }: { run: RunProgram; sendSignal: SendSignal },
  ) {
    this.version = program.version;
    this.#program = program;
    this.#target = ['--kube-context', context, ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig])];
    this.#run = run;
    this.#sendSignal = sendSignal;
  }

  /** @throws StellarError `program-missing`, `program-too-old` */
  static async find(target: HelmTarget, neededFor: string, run: ProgramRun): Promise<Helm> {
    const cleaned = { ...run, env: helmEnvironment(run.env) };
    const program = await requireProgram(helmProgram, neededFor, cleaned);
    return new Helm(program, target, { run: runProgram(cleaned), sendSignal: run.sendSignal });
  }

  /**
   * A chart that is on this machine's disk already; undefined for what helm would have to fetch.
   * @throws StellarError `chart-unusable` for what can only be a file or a folder, and is not there
   */
  async local(chart: string): Promise<LocalChart | undefined> {
    if (await isThere(chart)) return chart;
    if (!mayBeFetched(chart))
      throw new StellarError('chart-unusable', `There is no file or folder ${path.resolve(chart)}.`, {
        next: [
          inWords(
            'A chart is a folder, a packed file (.tgz), a reference (oci://…), a URL, or REPOSITORY/NAME in a repository that helm knows',
          ),
        ],
      });
    return undefined;
  }

  /**
   * Fetches a chart onto this machine's disk, once for everything that is done with it.
   * @param chart an `oci://` reference, a URL, or a name in one of helm's repositories
   */
  bring(chart: string, version: string): Promise<LocalChart> {
    const key = `${chart} ${version}`;
    const brought = this.#brought.get(key) ?? this.#pull(chart, version);
    this.#brought.set(key, brought);
    return brought;
  }

  async #pull(chart: string, version: string): Promise<LocalChart> {
    const folder = await mkdtemp(path.join(await this.#temporaryFolder(), 'chart-'));
    const args = ['pull', chart, '--destination', folder, '--version', version];
    const output = await this.#run(this.#program, { args });
    if (output.exitCode !== 0)
      throw chartMissing(programFailed(this.#program, args, output), output.stderr, chart, version);
    const [file] = await readdir(folder);
    return path.join(folder, file ?? '');
  }

  async metadata(chart: LocalChart): Promise<ChartMetadata> {
    const args = ['show', 'chart', chart];
    const output = await this.#run(this.#program, { args });
    if (output.exitCode !== 0)
      throw new StellarError('chart-unusable', programFailed(this.#program, args, output).message);
    const [metadata = {}] = parseObjects(output.stdout) as Partial<ChartMetadata>[];
    const { name, version, appVersion } = metadata;
    if (typeof name !== 'string' || typeof version !== 'string' || findVersion(version) === undefined)
      throw new StellarError('program-failed', `helm show chart told no name and version of the chart ${chart}.`, {
        next: [runCommand(command`helm show chart ${chart}`, 'See what it says')],
      });
    return { name, version, ...(appVersion === undefined ? {} : { appVersion }) };
  }

  /**
   * The CustomResourceDefinitions in the `crds` folders of a chart and of those of its sub-charts that the values ask for: helm
   * installs them once, and never upgrades them. (`helm show crds` of helm 3 joins files without a separator.)
   */
  async customResourceDefinitions(chart: LocalChart, values: Values): Promise<KubeObject[]> {
    const file = await this.#writeValues(values);
    const rendered = await this.#stdout({ args: ['template', 'crds', chart, '--include-crds', '--values', file] });
    return parseSourced(rendered)
      .filter(({ source }) => source.includes('/crds/'))
      .map(({ object }) => object);
  }

  /** All revisions of a release that helm remembers, oldest first; none where there is no such release. */
  async history(release: ReleaseName): Promise<Revision[]> {
    const args = ['history', release.name, ...this.#on(release), '--output', 'json'];
    const output = await this.#run(this.#program, { args });
    if (output.exitCode !== 0 && /release: not found/.test(output.stderr)) return [];
    const revisions = parseJson<{ revision: number; status: string; chart: string; app_version: string }[]>(
      this.#succeeded({ args }, output),
    );
    return (revisions ?? []).map(({ revision, status, chart, app_version: appVersion }) => ({
      revision,
      status,
      chart: { ...chartFromLabel(chart), appVersion },
    }));
  }

  /** The values that were given to a release, or with `all` those that it has with the chart's own. */
  async values(release: ReleaseName, { all }: { all: boolean }): Promise<Values> {
    const args = ['get', 'values', release.name, ...this.#on(release), '--output', 'json', ...(all ? ['--all'] : [])];
    return parseJson<Values | null>(await this.#stdout({ args })) ?? {};
  }

  /** The objects of a release's current revision, as its chart made them. */
  async objects(release: ReleaseName): Promise<KubeObject[]> {
    return parseObjects(await this.#stdout({ args: ['get', 'manifest', release.name, ...this.#on(release)] }));
  }

  /**
   * What helm makes of options for values, put over ours: it reads them itself, while rendering a chart that consists of nothing
   * but them. No cluster is asked.
   */
  async valuesOf(ours: Values, options: ValueOptions): Promise<Values> {
    const args = valueArguments(options);
    if (args.length === 0) return ours;
    const chart = path.join(await this.#temporaryFolder(), 'values');
    await writeChartOfValues(chart);
    const rendered = await this.#run(this.#program, { args: ['template', 'values', chart, ...args] });
    if (rendered.exitCode !== 0)
      throw new StellarError('usage', programFailed(this.#program, ['values'], rendered).message);
    const [values] = parseObjects(rendered.stdout);
    if (values === undefined)
      throw new StellarError('program-failed', 'helm template printed nothing for the values that were given.');
    return mergeValues(ours, { ...values });
  }

  /**
   * Installs or upgrades a release; what was given to it before is kept, unless `values` say otherwise. Waits for the chart's own
   * Jobs, as helm does, and for nothing else. @returns false where it was given up by `stop`
   * @throws StellarError `release-pending` where another helm has begun with the release first
   */
  async upgrade({ release, chart, values, stop }: Upgrade): Promise<boolean> {
    const file = await this.#writeValues(values);
    const args = [
      ...['upgrade', release.name, chart, '--install', '--reset-then-reuse-values', '--values', file],
      ...[...this.#on(release), '--timeout', hookTimeout],
    ];
    const invocation = { args, ...(stop === undefined ? {} : { stop }) };
    const output = await this.#run(this.#program, invocation);
    if (stop?.aborted) return false;
    this.#succeeded(invocation, output);
    return true;
  }

  /** Removes what was left on this machine's disk. */
  async close(): Promise<void> {
    const folder = await this.#folder?.catch(() => undefined);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  #on({ namespace }: ReleaseName): string[] {
    return ['--namespace', namespace, ...this.#target];
  }

  async #stdout(invocation: Invocation): Promise<string> {
    return this.#succeeded(invocation, await this.#run(this.#program, invocation));
  }

  #succeeded({ args }: Invocation, output: ProgramOutput): string {
    if (output.exitCode === 0) return output.stdout;
    throw withCode(programFailed(this.#program, args, output), output.stderr);
  }

  async #writeValues(values: Values): Promise<string> {
    const file = path.join(await this.#temporaryFolder(), 'values.json');
    await writeFile(file, JSON.stringify(values), { mode: 0o600 });
    return file;
  }

  /** Readable by the user alone. */
  #temporaryFolder(): Promise<string> {
    this.#folder ??= makeTemporaryFolder('helm', this.#sendSignal);
    return this.#folder;
  }
}

/** Whether helm would look for a chart elsewhere: `oci://…`, a URL, or REPOSITORY/NAME. */
const mayBeFetched = (chart: string): boolean =>
  /^[a-z]+:\/\//.test(chart) || (/^[^/.~].*\/./.test(chart) && !chart.endsWith('.tgz'));

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

function parseJson<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new StellarError('program-failed', 'helm did not print the JSON that was requested.', {
      cause,
    });
  }
}

/** `core-chart-0.30.0`, as helm's history and the labels of its objects have it: a version begins with a number after a hyphen. */
export function chartFromLabel(label: string): ChartMetadata {
  const [, name = label, version = ''] = /^(.+?)-(v?\d+\.\d+\..*)$/.exec(label) ?? [];
  return { name, version };
}

async function writeChartOfValues(folder: string): Promise<void> {
  await mkdir(path.join(folder, 'templates'), { recursive: true });
  await writeFile(path.join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: values\nversion: 0.0.0\n');
  await writeFile(path.join(folder, 'templates', 'values.yaml'), '{{ toJson .Values }}\n');
}

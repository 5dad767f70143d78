import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { packTar } from 'modern-tar';
import { mapConcurrently } from '../core/concurrency.ts';
import { StellarError } from '../core/errors.ts';
import { by } from '../core/text/words.ts';
import { readInstallation } from '../installation/installation.ts';
import { describeInstallation } from '../installation/status.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Selection } from '../kube/client/client.ts';
import { seenList } from '../kube/client/missing.ts';
import {
  type KubeObject,
  type Pod,
  pathOf,
  type Resource,
  resources,
} from '../kube/client/objects.ts';
import { clusterNameLabel } from '../ocm/model/ocm-names.ts';
import { describeGroup } from './catalogue.ts';
import { type DoctorInput, examineInstallation } from './doctor.ts';
import {
  Contents,
  findTargets,
  type Missing,
  type ReportFile,
  type Role,
  type Target,
} from './report-contents.ts';
import { groupFindings } from './subject.ts';

/** The contents of an archive. The fields are an interface: docs/output.md. */
export type ReportIndex = Awaited<ReturnType<typeof makeReport>>['index'];

/**
 * Reads everything a colleague needs from an installation, and redacts secrets. The index lists what is not available.
 * @param stellarctl its version
 * @throws StellarError `unreachable` if no cluster answers
 */
export async function makeReport(input: DoctorInput, stellarctl: string) {
  const installation = await readInstallation(input);
  const { targets, missing } = findTargets(installation, input);
  const contents = new Contents();
  const report = { contents, missing };
  const created = new Date().toISOString();
  const [versions] = await Promise.all([
    mapConcurrently(targets, (target) => collectCluster(target, report)),
    addDocument(report, 'doctor', async () => ({
      items: groupFindings(await examineInstallation(installation, input)).map(describeGroup),
    })),
    addDocument(report, 'status', () => describeInstallation(installation, input)),
  ]);
  const clusters = targets.flatMap(({ name, kube, roles }, index) => {
    const version = versions[index];
    const { context, server } = kube.cluster;
    return version === undefined ? [] : [{ name, context, server, roles: [...roles], version }];
  });
  if (clusters.length === 0)
    throw new StellarError(
      'unreachable',
      'None of the clusters could be reached, so there is nothing to report.',
    ).with({
      details: missing.flatMap(({ cluster, why }) => (cluster === '' ? [] : `${cluster}: ${why}`)),
    });
  const files = contents.files.map(({ path }) => path).sort();
  const index = { created, stellarctl, clusters, missing, files };
  contents.addDocument(['index'], index);
  return { index, files: contents.files.sort(by(({ path }) => path)) };
}

async function addDocument(report: Report, what: string, read: () => Promise<object>) {
  const document = await tryRead(read);
  if (document.state === 'seen') report.contents.addDocument([what], document.value);
  else report.missing.push({ cluster: '', what, why: document.why });
}

/** Packs files into a compressed tar archive. @param folder the folder of all files in it */
export async function pack(files: readonly ReportFile[], folder: string): Promise<Uint8Array> {
  const mtime = new Date();
  const entries = files.map(({ path, content }) => {
    const name = `${folder}/${path}`;
    const body = Buffer.from(content);
    return { header: { name, size: body.length, mode: 0o600, mtime, type: 'file' as const }, body };
  });
  return promisify(gzip)(await packTar(entries));
}

/** The report that is being collected. */
interface Report {
  contents: Contents;
  missing: Missing[];
}

const kindsOfRole: Record<Role, readonly Resource[]> = {
  hosting: [resources.controlPlanes, resources.postCreateHooks],
  its: [
    resources.managedClusters,
    resources.certificateSigningRequests,
    resources.manifestWorks,
    resources.managedClusterAddOns,
    resources.clusterManagementAddOns,
    resources.clusterManagers,
    resources.placementDecisions,
    resources.workStatuses,
  ],
  wds: [
    resources.bindingPolicies,
    resources.bindings,
    resources.statusCollectors,
    resources.combinedStatuses,
    resources.customTransforms,
  ],
  wec: [resources.klusterlets, resources.appliedManifestWorks, resources.clusterClaims],
};

/** The objects to read in a namespace with programs of the installation. */
const kindsInNamespace = [
  resources.deployments,
  resources.statefulSets,
  resources.jobs,
  resources.leases,
  resources.configMaps,
  resources.events,
];

/**
 * Reads everything a colleague needs from one cluster, and notes what is not available.
 * @returns the version of its API server; undefined if it does not answer
 */
async function collectCluster(target: Target, report: Report) {
  const { name, kube, roles, namespaces } = target;
  const version = await tryRead(() => kube.read<{ gitVersion?: string }>('/version'));
  if (version.state !== 'seen') {
    report.missing.push({ cluster: name, what: 'everything', why: version.why });
    return undefined;
  }
  const cluster = new ClusterReport(target, report);
  const kinds = [resources.namespaces, ...[...roles].flatMap((role) => kindsOfRole[role])];
  const leases = { labelSelector: clusterNameLabel };
  const work = [
    ...kinds.map((kind) => () => cluster.objects(kind)),
    ...(roles.has('its') ? [() => cluster.objects(resources.leases, leases)] : []),
    ...[...namespaces].flatMap((namespace) => [
      ...kindsInNamespace.map((kind) => () => cluster.objects(kind, { namespace })),
      () => cluster.objects(resources.serviceAccounts, { namespace, metadataOnly: true }),
      () => cluster.secrets(namespace),
      () => cluster.pods(namespace),
    ]),
  ];
  await mapConcurrently<() => Promise<unknown>, unknown>(work, (each) => each());
  return version.value?.gitVersion ?? 'unknown';
}

/** What is read of a cluster for the archive. */
class ClusterReport {
  readonly #target: Target;
  readonly #report: Report;

  constructor(target: Target, report: Report) {
    this.#target = target;
    this.#report = report;
  }

  #miss(what: string, why: string): void {
    this.#report.missing.push({ cluster: this.#target.name, what, why });
  }

  #place(namespace: string | undefined, name: string): string[] {
    return ['clusters', this.#target.name, ...folderOf(namespace), name];
  }

  async #read<T>(what: string, read: () => Promise<T | undefined>): Promise<T | undefined> {
    const access = await tryRead(read);
    if (access.state !== 'seen') this.#miss(what, access.why);
    else if (access.value === undefined) this.#miss(what, 'this kind is not served');
    return ifSeen(access);
  }

  async objects<T extends KubeObject>(kind: Resource, selection: Selection = {}): Promise<T[]> {
    const { namespace } = selection;
    const what = `${kind.plural}${namespace === undefined ? '' : ` in ${namespace}`}`;
    const items = await this.#read(what, async () =>
      seenList(await this.#target.kube.list<T>(kind, selection)),
    );
    if (items === undefined) return [];
    // Lists omit the kind of their objects, which redaction needs to find secret contents.
    const whole = items.map((item) => ({ apiVersion: kind.apiVersion, kind: kind.kind, ...item }));
    const shown = kind === resources.manifestWorks ? whole.map(withoutManifests) : whole;
    this.#report.contents.addDocument(this.#place(namespace, kind.plural), { items: shown });
    return items;
  }

  /** Their names, types and number of keys: the server returns no more in this form, so no content ever arrives here. */
  async secrets(namespace: string): Promise<void> {
    const form = 'application/json;as=Table;g=meta.k8s.io;v=v1';
    const path = pathOf(resources.secrets, { namespace });
    const table = await this.#read(`names of secrets in ${namespace}`, () =>
      this.#target.kube.read<Table>(path, form, { includeObject: 'None' }),
    );
    if (table === undefined) return;
    const columns = (table.columnDefinitions ?? []).map(({ name }) => name.toLowerCase());
    const cell = (cells: readonly unknown[], column: string) => cells[columns.indexOf(column)];
    const items = (table.rows ?? []).map(({ cells }) => ({
      name: cell(cells, 'name'),
      type: cell(cells, 'type'),
      keys: cell(cells, 'data'),
    }));
    this.#report.contents.addDocument(this.#place(namespace, 'secrets'), { items });
  }

  /** Pods, and the last log lines of their containers. */
  async pods(namespace: string): Promise<void> {
    const found = await this.objects<Pod>(resources.pods, { namespace });
    await mapConcurrently(found.flatMap(containerLogsOf), (each) => this.#log(each));
  }

  async #log({ pod, name, previous }: ContainerLog): Promise<void> {
    const { namespace = '', name: podName } = pod.metadata;
    const options = { lines: linesOfLog, previous };
    const read = await tryRead(() => this.#target.kube.logTail(pod.metadata, name, options));
    if (read.state !== 'seen')
      return this.#miss(`log of ${namespace}/${podName}, ${name}`, read.why);
    if (read.value === undefined) return;
    this.#report.contents.addLog(
      [...this.#place(namespace, 'logs'), podName, previous ? `${name}.previous` : name],
      read.value,
    );
  }
}

interface Table {
  columnDefinitions?: { name: string }[];
  rows?: { cells: unknown[] }[];
}

const folderOf = (namespace: string | undefined) =>
  namespace === undefined ? [] : ['namespaces', namespace];

const linesOfLog = 500;

interface ContainerLog {
  pod: Pod;
  name: string;
  /** The log of its previous run. */
  previous: boolean;
}

function containerLogsOf(pod: Pod): ContainerLog[] {
  const statuses = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  return statuses.flatMap(({ name, restartCount = 0 }) =>
    [false, ...(restartCount > 0 ? [true] : [])].map((previous) => ({ pod, name, previous })),
  );
}

/** The manifests of a work are the user's own objects: their kinds, names and labels are enough. */
function withoutManifests<T extends KubeObject>(work: T): T {
  const { spec } = work as { spec?: { workload?: { manifests?: KubeObject[] } } };
  const manifests = spec?.workload?.manifests?.map(({ apiVersion, kind, metadata }) => {
    const { name, namespace, labels } = metadata ?? {};
    return { apiVersion, kind, metadata: { name, namespace, labels } };
  });
  return manifests === undefined ? work : { ...work, spec: { ...spec, workload: { manifests } } };
}

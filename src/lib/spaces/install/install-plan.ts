import { StellarError } from '../../core/errors.ts';
import { advice, command, run } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { isObject } from '../../core/text/formats.ts';
import { compareVersions } from '../../core/text/version.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { seenList } from '../../kube/client/missing.ts';
import {
  type KubeObject,
  namesOf,
  onlyOf,
  type PlainResource,
  resources,
} from '../../kube/client/objects.ts';
import { listIfDefined } from '../../kube/served.ts';
import {
  hookNames,
  managerAdminBinding,
  managerName,
  olderHooks,
  systemNamespace,
} from '../../ocm/model/kubeflex-names.ts';
import type { PostCreateHook } from '../../ocm/model/kubeflex-objects.ts';
import { registryOf } from '../../ocm/versions/program-versions.ts';
import { coreChart } from '../hosting/core-chart.ts';
import { servesOpenShift } from '../hosting/hosting.ts';
import type { InitInput } from './chart.ts';
import type { Helm, ReleaseName, Revision } from './helm.ts';
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

export interface InstallRequest extends Pick<InitInput, 'upgrade' | 'imageRegistry' | 'chart'> {
  /** Default: the installed version, else the default version. */
  version: string | undefined;
  values: Values;
}

/**
 * Decides what to do. A rerun does nothing. A newer chart requires --upgrade. Downgrades are refused, because KubeFlex's
 * definitions cannot be downgraded while control planes use them.
 * @param ifFresh values for a first installation, as detected on the cluster
 * @param context for messages
 * @throws StellarError `upgrade-needed`, `conflict`
 */
export function makePlan(
  clusterState: ClusterState,
  asked: InstallRequest,
  ifFresh: Values,
  context: string,
): Plan {
  const { revisions, release } = clusterState;
  const { upgrade, values, imageRegistry = clusterState.imageRegistry } = asked;
  const last = revisions.at(-1);
  const chart = last?.chart.name ?? coreChart.name;
  if (chart !== coreChart.name)
    throw new StellarError(
      'conflict',
      `Release ${release.name} in namespace ${release.namespace} on ${context} is of another chart, ${chart}.`,
    );
  const installed = deployedOf(revisions)?.chart.version;
  const retry = (version: string) =>
    command`stellarctl init --upgrade --version ${version} ${asked.chart === undefined ? [] : ['--chart', asked.chart]} --hosting-context ${context}`;
  if (installed === undefined)
    return { ...firstPlan(clusterState, asked, ifFresh), installed, imageRegistry };
  const version =
    asked.version ??
    (upgrade && compareVersions(coreChart.version, installed) > 0 ? coreChart.version : installed);
  const difference = compareVersions(version, installed);
  const where = `Release ${release.name} on ${context} has chart ${installed}`;
  if (difference < 0)
    throw new StellarError(
      'upgrade-needed',
      `${where}, which is newer than ${version}: downgrading is not supported.`,
      run(command`stellarctl init --hosting-context ${context}`, 'Leave it as it is'),
    );
  if (difference > 0 && !upgrade)
    throw new StellarError(
      'upgrade-needed',
      `${where}, and ${version} was requested.`,
      run(retry(version), 'Upgrade it'),
    );
  const failed = difference === 0 && failedUpgrade(last, installed);
  if (failed)
    throw new StellarError(
      'upgrade-needed',
      `${where}, and an upgrade to ${failed} failed halfway.`,
      run(retry(failed), 'Resume it'),
    );
  const isAsAsked =
    last?.status === 'deployed' &&
    holds(clusterState.allValues, values) &&
    imageRegistry === clusterState.imageRegistry;
  const action =
    difference > 0 ? 'upgrade' : isAsAsked && isComplete(clusterState) ? 'nothing' : 'change';
  return { action, installed, version, values, imageRegistry };
}

function firstPlan({ revisions, values }: ClusterState, asked: InstallRequest, ifFresh: Values) {
  return {
    action: revisions.length === 0 ? ('install' as const) : ('install-again' as const),
    version: asked.version ?? coreChart.version,
    values: mergeValues(mergeValues(ifFresh, values), asked.values),
  };
}

/** The revision whose objects are on the cluster. */
function deployedOf(revisions: readonly Revision[]): Revision | undefined {
  const lastWith = (status: string) => revisions.findLast((revision) => revision.status === status);
  return lastWith('deployed') ?? lastWith('superseded');
}

/** The newer chart of a last, failed upgrade: its definitions are on the cluster, and perhaps other objects. */
function failedUpgrade(last: Revision | undefined, installed: string) {
  return last?.status === 'failed' && compareVersions(last.chart.version, installed) > 0
    ? last.chart.version
    : undefined;
}

/** Whether no object is missing that helm would recreate. */
function isComplete({ hooks, kubeFlex, values }: ClusterState) {
  return (
    Object.values(hookNames).every((name) => hooks.includes(name)) &&
    !(kubeFlex === 'absent' && hasKubeFlex(values))
  );
}

/** Whether the values make KubeFlex part of the release. */
export function hasKubeFlex(values: Values): boolean {
  const ofKubeFlex = values[coreChart.kubeFlexValues];
  return !isObject(ofKubeFlex) || ofKubeFlex.install !== false;
}

/**
 * The values for a first installation that follow from the cluster, in addition to the requested ones.
 * @throws StellarError `not-a-hosting-cluster` if it has no nodes, as an ITS or a WDS
 */
export async function freshValues(
  kube: Kube,
  { isOpenShift, kubeFlex }: ClusterState,
  run: Run,
): Promise<Values> {
  const nodes = seenList(await partialReader(kube).list(resources.nodes, { metadataOnly: true }));
  if (nodes?.length === 0) {
    throw new StellarError(
      'not-a-hosting-cluster',
      `${describeCluster(kube.cluster)} has no nodes, so no pod could run in it. Nothing was written.`,
      advice(
        'Give the context of the hosting cluster, not of a space in it: --hosting-context CONTEXT',
      ),
    );
  }
  if (kubeFlex === 'of-others') {
    run.progress.note('The existing KubeFlex is kept, with its own domain and port.');
    return { [coreChart.kubeFlexValues]: { install: false } };
  }
  if (isOpenShift) {
    run.progress.note('The cluster runs OpenShift: control planes get routes.');
    return { [coreChart.kubeFlexValues]: { isOpenShift: true } };
  }
  const hostContainer = findHostContainer(nodes ?? []);
  if (hostContainer === undefined) return {};
  run.progress.note(`Other clusters reach it as ${hostContainer}, the name of its node.`);
  return { [coreChart.kubeFlexValues]: { hostContainer } };
}

/** The name that kind and k3d give to the container of a cluster's server, which is also the name of its node. */
const containerForm = /^(?:.+-control-plane|k3d-.+-server-0)$/;

/**
 * Finds the container of a local hosting cluster. Other clusters on the same container network reach the control planes by its
 * name, which KubeFlex publishes in each vcluster.
 * @returns undefined if the cluster is not a kind or k3d cluster
 */
function findHostContainer(nodes: readonly KubeObject[]) {
  return onlyOf(namesOf(nodes).filter((name) => containerForm.test(name)));
}

/** helm never deletes objects with this annotation, even if a newer chart omits them. It reads the annotation on the cluster. */
const keepPolicy = { 'helm.sh/resource-policy': 'keep' };

/**
 * Keeps the objects of the release that an upgrade must not delete, although the newer chart may omit them: control planes with all their
 * contents; the RBAC that KubeFlex needs for control planes of type host, which the release contains only while it lists one; and the
 * namespace of KubeFlex, which every upgrade of the 0.29 chart omits.
 * @returns the names of the existing control planes of the release
 */
export async function keepIrreplaceable(
  kube: Kube,
  helm: Helm,
  release: ReleaseName,
): Promise<string[]> {
  const controlPlanes: string[] = [];
  for (const object of await helm.objects(release)) {
    const resource = resourceToKeep(object);
    const { name } = object.metadata;
    const present = resource && (await kube.get<KubeObject>(resource, name));
    if (resource === undefined || present === undefined) continue;
    if (resource === resources.controlPlanes) controlPlanes.push(name);
    if (present.metadata.annotations?.['helm.sh/resource-policy'] !== 'keep')
      await kube.merge(resource, name, { metadata: { annotations: keepPolicy } });
  }
  return controlPlanes;
}

function resourceToKeep({ kind, metadata: { name } }: KubeObject): PlainResource | undefined {
  if (kind === 'ControlPlane') return resources.controlPlanes;
  if (kind === 'Namespace' && name === systemNamespace) return resources.namespaces;
  return kind === 'ClusterRoleBinding' && name === managerAdminBinding
    ? resources.clusterRoleBindings
    : undefined;
}

/** The state of a cluster before `init` changes it. */
export type ClusterState = Awaited<ReturnType<typeof readClusterState>>;

/** Reads the state of a cluster before `init` changes it. */
export async function readClusterState(kube: Kube, helm: Helm) {
  const [isOpenShift, manager, hooks = []] = await Promise.all([
    servesOpenShift(kube),
    kube.get(resources.deployments, managerName, { namespace: systemNamespace }),
    listIfDefined<PostCreateHook>(kube, resources.postCreateHooks),
  ]);
  const { release, revisions: all } = await findRelease(helm, hooks);
  // helm may keep the history of an uninstalled release.
  const revisions = all.at(-1)?.status === 'uninstalled' ? [] : all;
  const given = async (all: boolean) =>
    revisions.length === 0 ? {} : helm.values(release, { all });
  const [values, allValues] = await Promise.all([given(false), given(true)]);
  /** The owner of KubeFlex's manager, if installed: the release that `init` manages, or another installer. */
  const kubeFlex: 'absent' | 'of-release' | 'of-others' =
    manager === undefined
      ? 'absent'
      : isSameRelease(ownerOf(manager), release)
        ? 'of-release'
        : 'of-others';
  return {
    isOpenShift,
    kubeFlex,
    /** The release of the core chart that owns the hooks; if there is none, the default name. */
    release,
    /** Its revisions, oldest first. */
    revisions,
    /** The user-supplied values of the release. */
    values,
    /** The same, merged with the defaults of its chart. */
    allValues,
    /** The names of all post-create hooks; empty if KubeFlex's API is not served. */
    hooks: namesOf(hooks),
    /** The registry that the hooks name; undefined for the public ones. */
    imageRegistry: registryOf(hooks),
  };
}

/**
 * Finds the release of the core chart, whatever its name. A cluster may have several releases, for example one for each control
 * plane. The one to manage owns the hooks.
 */
async function findRelease(
  helm: Helm,
  hooks: readonly KubeObject[],
): Promise<{ release: ReleaseName; revisions: Revision[] }> {
  const ofHooks = hooks.filter(({ metadata }) => isOfCoreChart(metadata.name)).map(ownerOf);
  const release = ofHooks.find((each) => each !== undefined) ?? coreChart.release;
  return { release, revisions: await helm.history(release) };
}

const hooksOfCoreChart: readonly string[] = Object.values(hookNames);

/** Also by a name from before 0.29. KubeFlex itself has a hook `ocm`. */
const isOfCoreChart = (name: string) =>
  hooksOfCoreChart.includes(name) || (Object.hasOwn(olderHooks, name) && name !== 'ocm');

/** The release that owns an object, from helm's annotations. */
export function ownerOf({ metadata }: KubeObject): ReleaseName | undefined {
  const name = metadata.annotations?.['meta.helm.sh/release-name'];
  const namespace = metadata.annotations?.['meta.helm.sh/release-namespace'];
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}

export const isSameRelease = (one: ReleaseName | undefined, other: ReleaseName) =>
  one?.name === other.name && one.namespace === other.namespace;

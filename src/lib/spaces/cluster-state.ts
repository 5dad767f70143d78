import type { Kube } from '../kube/client/client.ts';
import type { KubeObject } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { hookNames, managerName, olderHooks, systemNamespace } from '../ocm/kubeflex-names.ts';
import type { PostCreateHook } from '../ocm/kubeflex-objects.ts';
import { coreChart } from './core-chart.ts';
import type { Helm, ReleaseName, Revision } from './helm.ts';
import type { Values } from './helm-values.ts';
import { servesOpenShift } from './hosting.ts';
import { registryOf } from './space-images.ts';

/** The state of a cluster before `init` changes it. */
export interface ClusterState {
  isOpenShift: boolean;
  /** The owner of KubeFlex's manager, if installed: the release that `init` manages, or another installer. */
  kubeFlex: 'absent' | 'of-release' | 'of-others';
  /** The release of the core chart that owns the hooks; if there is none, the default name. */
  release: ReleaseName;
  /** Its revisions, oldest first. */
  revisions: readonly Revision[];
  /** The user-supplied values of the release. */
  values: Values;
  /** The same, merged with the defaults of its chart. */
  allValues: Values;
  /** The names of all post-create hooks; empty if KubeFlex's API is not served. */
  hooks: readonly string[];
  /** The registry that the hooks name; undefined for the public ones. */
  imageRegistry: string | undefined;
}

/** Reads the state of a cluster before `init` changes it. */
export async function readClusterState(kube: Kube, helm: Helm): Promise<ClusterState> {
  const [isOpenShift, manager, hooks = []] = await Promise.all([
    servesOpenShift(kube),
    kube.get(resources.deployments, managerName, { namespace: systemNamespace }),
    kube.list<PostCreateHook>(resources.postCreateHooks),
  ]);
  const { release, revisions: all } = await findRelease(helm, hooks, manager);
  // helm may keep the history of an uninstalled release.
  const revisions = all.at(-1)?.status === 'uninstalled' ? [] : all;
  const given = async (all: boolean) => (revisions.length === 0 ? {} : helm.values(release, { all }));
  const [values, allValues] = await Promise.all([given(false), given(true)]);
  return {
    isOpenShift,
    kubeFlex: manager === undefined ? 'absent' : isSameRelease(ownerOf(manager), release) ? 'of-release' : 'of-others',
    release,
    revisions,
    values,
    allValues,
    hooks: hooks.map(({ metadata }) => metadata.name),
    imageRegistry: registryOf(hooks),
  };
}

/**
 * Finds the release of the core chart, whatever its name. A cluster may have several releases, for example one for each control
 * plane. The one to manage owns the hooks, or KubeFlex together with the core chart.
 */
async function findRelease(
  helm: Helm,
  hooks: readonly KubeObject[],
  manager: KubeObject | undefined,
): Promise<{ release: ReleaseName; revisions: Revision[] }> {
  const ofHooks = hooks.filter(({ metadata }) => isOfCoreChart(metadata.name)).map(ownerOf);
  const owner = ofHooks.find((release) => release !== undefined);
  if (owner !== undefined) return { release: owner, revisions: await helm.history(owner) };
  const ofManager = manager && ownerOf(manager);
  if (ofManager !== undefined) {
    const revisions = await helm.history(ofManager);
    if (revisions.at(-1)?.chart.name === coreChart.name) return { release: ofManager, revisions };
  }
  return { release: coreChart.release, revisions: await helm.history(coreChart.release) };
}

const hooksOfCoreChart: readonly string[] = Object.values(hookNames);

/** Also by a name from before 0.29. KubeFlex itself has a hook `ocm`. */
const isOfCoreChart = (name: string): boolean =>
  hooksOfCoreChart.includes(name) || (Object.hasOwn(olderHooks, name) && name !== 'ocm');

/** The release that owns an object, from helm's annotations. */
function ownerOf({ metadata }: KubeObject): ReleaseName | undefined {
  const name = metadata.annotations?.['meta.helm.sh/release-name'];
  const namespace = metadata.annotations?.['meta.helm.sh/release-namespace'];
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}

const isSameRelease = (one: ReleaseName | undefined, other: ReleaseName): boolean =>
  one?.name === other.name && one.namespace === other.namespace;

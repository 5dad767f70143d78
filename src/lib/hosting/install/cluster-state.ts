import type { Kube } from '../../kube/client/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import type { Helm, ReleaseName, Revision } from '../../programs/helm/helm.ts';
import type { Values } from '../../programs/helm/values.ts';
import { hookNames, managerName, olderHooks, systemNamespace } from '../../spaces/names.ts';
import { coreChart } from '../core-chart.ts';

/** What a cluster is before `init` does anything. */
export interface Situation {
  isOpenShift: boolean;
  /** Who has installed KubeFlex's manager, if it is there: the release that `init` looks after, or anything else. */
  kubeFlex: 'absent' | 'of-release' | 'of-others';
  /** The release of the core chart that has the hooks; what it would be called where there is none. */
  release: ReleaseName;
  /** Its revisions, oldest first. */
  revisions: readonly Revision[];
  /** What was given to it. */
  values: Values;
  /** The same with what its chart has by itself. */
  allValues: Values;
  /** The names of all post-create hooks; none where KubeFlex's API is not served. */
  hooks: readonly string[];
}

/** Reads all of it. */
export async function readSituation(kube: Kube, helm: Helm): Promise<Situation> {
  const [isOpenShift, manager, hooks = []] = await Promise.all([
    servesOpenShift(kube),
    kube.get(resources.deployments, managerName, { namespace: systemNamespace }),
    kube.list(resources.postCreateHooks),
  ]);
  const { release, revisions: all } = await findRelease(helm, hooks, manager);
  // helm may remember what is no more.
  const revisions = all.at(-1)?.status === 'uninstalled' ? [] : all;
  const given = async (all: boolean) => (revisions.length === 0 ? {} : helm.values(release, { all }));
  const [values, allValues] = await Promise.all([given(false), given(true)]);
  return {
    isOpenShift,
    kubeFlex: manager === undefined ? 'absent' : isSame(ownerOf(manager), release) ? 'of-release' : 'of-others',
    release,
    revisions,
    values,
    allValues,
    hooks: hooks.map(({ metadata }) => metadata.name),
  };
}

/** OpenShift serves groups of its own, as kflex looks for them (kubeflex v0.9.3, pkg/util/util.go, IsOpenShift). */
export async function servesOpenShift(kube: Kube): Promise<boolean> {
  const { groups = [] } = (await kube.read<{ groups?: { name: string }[] }>('/apis')) ?? {};
  return groups.some(({ name }) => name === 'route.openshift.io' || name === 'config.openshift.io');
}

/**
 * The release of the core chart: there may be several on a cluster, as one for each control plane, so that it is the one that has
 * made the hooks, or KubeFlex with the core chart; whatever it is called.
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

/** KubeFlex has a hook of its own, called ocm. */
export const isOlderHook = (name: string): boolean => Object.hasOwn(olderHooks, name) && name !== 'ocm';

const isOfCoreChart = (name: string): boolean => hooksOfCoreChart.includes(name) || isOlderHook(name);

/** Which release an object belongs to, by helm's own annotations. */
function ownerOf({ metadata }: KubeObject): ReleaseName | undefined {
  const name = metadata.annotations?.['meta.helm.sh/release-name'];
  const namespace = metadata.annotations?.['meta.helm.sh/release-namespace'];
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}

const isSame = (one: ReleaseName | undefined, other: ReleaseName): boolean =>
  one?.name === other.name && one.namespace === other.namespace;

import { type Check, pass, skipped } from '../../core/checks.ts';
import { requestTimeoutMs } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, type NextStep, run } from '../../core/next-step.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube, Reader } from '../../kube/client/client.ts';
import { unlessStatus } from '../../kube/client/errors.ts';
import {
  conditionOf,
  type Deployment,
  namesOf,
  type PlainResource,
  type Pod,
  resources,
  type StatefulSet,
} from '../../kube/client/objects.ts';
import { inRegistry } from '../../kube/image.ts';
import { type Containers, hasStarted, podsOf } from '../../kube/pods.ts';
import { listIfDefined } from '../../kube/served.ts';
import { statusAddonDeployment } from '../../ocm/model/kubeflex-names.ts';
import type { PostCreateHook } from '../../ocm/model/kubeflex-objects.ts';
import { operatorNamespace } from '../../ocm/model/ocm-names.ts';
import { safeOcm } from '../../ocm/model/ocm-versions.ts';
import { registryOf } from '../../ocm/versions/program-versions.ts';
import type { SpaceEvidence } from './spaces.ts';

/** Reads the registry of an installation's images. */
export const presentRegistry = async (hosting: Reader) =>
  registryOf((await listIfDefined<PostCreateHook>(hosting, resources.postCreateHooks)) ?? []);

/**
 * Reads the registry for the images of a space.
 * @param asked `--image-registry`
 * @throws StellarError `conflict` if the hooks name another one than the requested one
 */
export async function requireRegistry(
  hosting: Kube,
  asked: string | undefined,
): Promise<string | undefined> {
  const present = await presentRegistry(hosting);
  if (asked === undefined || asked === present) return present;
  const { context } = hosting.cluster;
  const init = command`stellarctl init --image-registry ${asked} --hosting-context ${context}`;
  const source = present ?? 'the public registries';
  throw new StellarError(
    'conflict',
    `The hooks of ${context} take images and charts from ${source}, not from ${asked}.`,
    run(init, 'Change them first'),
  );
}

/**
 * Checks, as far as the registry answers without credentials, that it has these images.
 * @param otherwise what helps besides copying them
 * @throws StellarError `not-found`
 */
export async function requireImages(
  registry: string,
  images: readonly string[],
  ...otherwise: NextStep[]
): Promise<void> {
  const missing = async (reference: string) => {
    const url = reference.replace(/^([^/]+)\/(.+):([^:]+)$/, 'https://$1/v2/$2/manifests/$3');
    const signal = AbortSignal.timeout(requestTimeoutMs);
    // A registry that asks for credentials, or that only clusters reach, says nothing.
    const answer = await fetch(url, { method: 'HEAD', signal, redirect: 'manual' }).catch(
      () => undefined,
    );
    return answer?.status === 404;
  };
  const references = images.map((each) => inRegistry(each, registry));
  const answers = await Promise.all(references.map(missing));
  const [absent] = references.filter((_, index) => answers[index]);
  if (absent === undefined) return;
  throw new StellarError(
    'not-found',
    `The registry does not have ${absent}. Nothing was written.`,
    run(
      command`stellarctl init --print-images --image-registry ${registry}`,
      'Copy what this lists',
    ),
    ...otherwise,
  );
}

/** The same for a version of OCM: `its create` pulls its images after its hook has installed another. */
export const requireOcmImages = (registry: string, version: string): Promise<void> =>
  requireImages(
    registry,
    imagesOfOcm(version),
    advice('Or keep the OCM of the hooks, whose hub has a known hole: --ocm-version chart'),
  );

export const ocmImagesCheck: Check<{ kube: Kube }> = {
  id: 'ocm-images',
  title: `its registry has the images of OCM ${safeOcm}`,
  async run({ kube }) {
    const registry = await presentRegistry(partialReader(kube));
    if (registry === undefined)
      return skipped('its hooks name no registry; init --print-images lists both versions');
    await requireOcmImages(registry, safeOcm);
    return pass(registry);
  },
};

/** A Deployment or StatefulSet, by its kind. */
export interface Owner {
  resource: PlainResource;
  object: Deployment | StatefulSet;
}

/** What of a space takes images from elsewhere than a registry. */
export interface ImagesApart {
  /** No pod of these has ever run: to correct them stops nothing. */
  unstarted: Owner[];
  /** To correct these replaces what runs. */
  running: Owner[];
}

/**
 * Finds the Deployments and StatefulSets in the namespace of a space whose images are not from a registry: KubeFlex and the chart of the
 * status add-on name those of their own, which no value changes. KubeFlex writes them once (pkg/reconcilers).
 */
export function imagesApart(
  registry: string,
  space: Pick<SpaceEvidence, 'deployments' | 'statefulSets' | 'pods' | 'forbidden'>,
): ImagesApart {
  const all: Owner[] = [
    ...space.deployments.map((object) => ({ resource: resources.deployments, object })),
    ...space.statefulSets.map((object) => ({ resource: resources.statefulSets, object })),
  ];
  const apart = all.filter(({ object }) => !isCorrect(registry, object.spec?.template?.spec));
  const { running = [], unstarted = [] } = Object.groupBy(apart, ({ object }) =>
    // Pods that may not be read may run.
    space.forbidden.has(resources.pods.plural) || hasRun(object, space.pods)
      ? 'running'
      : 'unstarted',
  );
  return { running, unstarted };
}

/** What is apart, in words, without a full stop. */
export const describeApart = (apart: readonly Owner[], registry: string) =>
  `The images of ${namesOf(apart.map(({ object }) => object)).join(', ')} are not from ${registry}, which the hooks name`;

/** Whether a pod of its has ever run, which may be gone. Deployments record that all of theirs were once available. */
const hasRun = (object: Deployment | StatefulSet, pods: readonly Pod[]) =>
  (object.status?.readyReplicas ?? 0) > 0 ||
  conditionOf(object as Deployment, 'Progressing')?.reason === 'NewReplicaSetAvailable' ||
  podsOf(object.metadata.name, pods).some(hasStarted);

/**
 * Corrects the images of what has never run in a space that is created: nothing that runs is touched.
 * @param inside its API server, for the role ITS; undefined if it does not answer yet
 * @param isIdle whether it sends nothing to WECs; asked only if a controller would be started
 */
export async function correctUnstarted(
  registry: string,
  space: SpaceEvidence,
  hosting: Kube,
  { inside, isIdle }: { inside: Kube | undefined; isIdle(): Promise<boolean> },
): Promise<void> {
  const { role, type, pods } = space;
  const { unstarted, running } = imagesApart(registry, space);
  // The pods of what is not corrected wait for its repair.
  const isOpen = (pod: Pod) =>
    !hasStarted(pod) &&
    !isCorrect(registry, pod.spec) &&
    !running.some(({ object }) => podsOf(object.metadata.name, [pod]).length > 0);
  const waitingPods = pods.filter(isOpen);
  if ((unstarted.length > 0 || waitingPods.length > 0) && (await isIdle())) {
    for (const owner of unstarted) await correctTemplate(registry, owner, hosting);
    await correctPods(registry, waitingPods, hosting);
  }
  if (role !== 'its' || inside === undefined) return;
  for (const { namespace, name } of ownDeployments(type)) {
    const object = await inside.get<Deployment>(resources.deployments, name, { namespace });
    if (object === undefined || hasRun(object, [])) continue;
    await correctTemplate(registry, { resource: resources.deployments, object }, inside);
  }
}

/** The Deployments inside an ITS whose images no value changes. */
export const ownDeployments = (type: string) => [
  { namespace: operatorNamespace, name: statusAddonDeployment },
  ...(type === 'vcluster' ? [{ namespace: 'kube-system', name: 'coredns' }] : []),
];

/** Makes pods that have never run take their images from a registry. */
async function correctPods(registry: string, pods: readonly Pod[], hosting: Kube) {
  const isOf = ({ metadata }: Pod, ...owners: string[]) =>
    metadata.ownerReferences?.some(({ kind = '' }) => owners.includes(kind));
  for (const pod of pods.filter((each) => !hasStarted(each) && !isCorrect(registry, each.spec))) {
    const { name, namespace, resourceVersion } = pod.metadata;
    // The template of a Job cannot be changed, and an old pod of a Deployment stays until a new one is ready: the image of a pod can be
    // changed. Pods without such an owner are what a vcluster runs.
    if (isOf(pod, 'ReplicaSet', 'Job')) {
      const patch = { metadata: { resourceVersion }, spec: inImages(registry, pod.spec) };
      // Changed or gone meanwhile: the next reading shows it.
      await unlessStatus(hosting.merge(resources.pods, name, patch, { namespace }), 404, 409);
    }
    // A StatefulSet waits for ever for a pod that does not become ready, and replaces one of an earlier revision as soon as it is.
    if (isOf(pod, 'StatefulSet')) await hosting.delete(resources.pods, pod);
  }
}

const isCorrect = (registry: string, spec: Pod['spec']) =>
  [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].every(
    ({ image = '' }) => image === inRegistry(image, registry),
  );

/** The containers of a pod or a template with the images of a registry, for a patch. */
export function inImages(registry: string, spec: Pod['spec']): Containers {
  const inOther = (image = '') => inRegistry(image, registry);
  const corrected = ({ image, env, ...container }: Containers['containers'][number]) => ({
    ...container,
    image: inOther(image),
    // The status add-on gives its agents their image in a variable.
    ...(env && {
      env: env.map((each) => (each.value === image ? { ...each, value: inOther(image) } : each)),
    }),
  });
  const { containers = [], initContainers } = spec ?? {};
  return {
    containers: containers.map(corrected),
    ...(initContainers && { initContainers: initContainers.map(corrected) }),
  };
}

/** Gives the template of an owner that has never run the images of a registry. */
async function correctTemplate(registry: string, { resource, object }: Owner, kube: Kube) {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  const spec = { template: { spec: inImages(registry, object.spec?.template?.spec) } };
  const patch = { metadata: { uid, resourceVersion }, spec };
  // Changed or gone meanwhile: the next reading shows it.
  await unlessStatus(kube.merge(resource, name, patch, { namespace }), 404, 409);
}

/**
 * Images that no chart on the user's machine names.
 * KubeFlex: pkg/reconcilers/{k8s/deployment,vcluster/chart,shared/job}.go of v0.9.3, with the chart of vcluster 0.16.4 and its CoreDNS
 * (loft-sh/vcluster, pkg/constants/coredns.go). PostgreSQL: its chart 13.1.5.
 */
export const imagesOfKubeFlex = (version: string) => [
  `ghcr.io/kubestellar/kubeflex/cmupdate:${version}`,
  'registry.k8s.io/kube-apiserver:v1.29.9',
  'registry.k8s.io/kube-controller-manager:v1.29.9',
  'docker.io/rancher/kine:v0.11.4',
  'ghcr.io/loft-sh/vcluster:0.16.4',
  'docker.io/rancher/k3s:v1.27.2-k3s1',
  'docker.io/coredns/coredns:1.10.1',
  'quay.io/kubestellar/postgresql:16.0.0-debian-11-r13',
];

/** Fetched by KubeFlex's manager, from nowhere else. */
export const chartOfVcluster = 'https://charts.loft.sh/charts/vcluster-0.16.4.tgz';

/** The versions of OCM that a clusteradm before 1.0 installs (clusteradm pkg/version); since then, the version is its own. */
const bundles: Readonly<Record<string, string>> = { '0.10.1': '0.15.2' };

/** The version of OCM that a clusteradm installs. */
export const ocmOfClusteradm = (clusteradm: string) => bundles[clusteradm] ?? clusteradm;

/** OCM on hub and WECs (ocm manifests/). */
export const imagesOfOcm = (version: string) =>
  ['registration-operator', 'registration', 'placement', 'work', 'addon-manager'].map(
    (name) => `quay.io/open-cluster-management/${name}:v${version}`,
  );

/** KubeStellar's status add-on on hub and WECs (ocm-status-addon chart/). @param version of its chart */
export const imagesOfStatusAddon = (version: string) => [
  `ghcr.io/kubestellar/ocm-status-addon:${version}`,
  'quay.io/kubestellar/kubectl:1.29.3',
];

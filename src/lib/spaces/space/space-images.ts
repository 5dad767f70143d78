import { type Check, pass, skipped } from '../../core/checks.ts';
import { requestTimeoutMs } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, run } from '../../core/next-step.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube, Reader } from '../../kube/client/client.ts';
import { unlessStatus } from '../../kube/client/errors.ts';
import {
  byName,
  type Deployment,
  type Pod,
  type Resource,
  resources,
  type StatefulSet,
} from '../../kube/client/objects.ts';
import { inRegistry } from '../../kube/image.ts';
import { hookNames, statusAddonDeployment } from '../../ocm/model/kubeflex-names.ts';
import type { PostCreateHook } from '../../ocm/model/kubeflex-objects.ts';
import { operatorNamespace } from '../../ocm/model/ocm-names.ts';
import { safeOcm } from '../../ocm/model/ocm-versions.ts';
import type { SpaceEvidence } from './spaces.ts';

/**
 * The registry of an installation's images, which `init --image-registry` has written into the hooks; undefined if they name the
 * public registries.
 */
export function registryOf(hooks: readonly PostCreateHook[]): string | undefined {
  const hubInit = byName(hooks).get(hookNames.hubInit);
  const [, registry] =
    /"image":"([^"]+)\/kubestellar\/clusteradm:/.exec(JSON.stringify(hubInit?.spec ?? {})) ?? [];
  return registry === 'quay.io' ? undefined : registry;
}

/** Reads the registry of an installation's images. */
export const presentRegistry = async (hosting: Reader) =>
  registryOf((await hosting.list<PostCreateHook>(resources.postCreateHooks)) ?? []);

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
 * Checks, as far as the registry answers without credentials, that it has the images of a version of OCM: `its create` pulls them after its hook has
 * installed another.
 * @throws StellarError `not-found`
 */
export async function requireOcmImages(registry: string, version: string): Promise<void> {
  const missing = async (reference: string) => {
    const url = reference.replace(/^([^/]+)\/(.+):([^:]+)$/, 'https://$1/v2/$2/manifests/$3');
    const signal = AbortSignal.timeout(requestTimeoutMs);
    // A registry that asks for credentials, or that only clusters reach, says nothing.
    const answer = await fetch(url, { method: 'HEAD', signal, redirect: 'manual' }).catch(
      () => undefined,
    );
    return answer?.status === 404;
  };
  const references = imagesOfOcm(version).map((each) => inRegistry(each, registry));
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
    advice('Or keep the OCM of the hooks, whose hub has a known hole: --ocm-version chart'),
  );
}

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

/**
 * Makes a space take its images from a registry: KubeFlex and the chart of the status add-on name those of their own, which no value
 * changes. KubeFlex writes them once (pkg/reconcilers).
 * @param inside its API server, for the role ITS; undefined if it does not answer yet
 */
export async function rewriteImages(
  registry: string,
  { role, type, deployments, statefulSets, pods }: SpaceEvidence,
  hosting: Kube,
  inside: Kube | undefined,
): Promise<void> {
  await correct(registry, resources.deployments, deployments, hosting);
  await correct(registry, resources.statefulSets, statefulSets, hosting);
  // The template of a Job cannot be changed, and an old pod of a Deployment stays until a new one is ready: the image of a pod can be
  // changed. Other pods there are what a vcluster runs.
  const isOf = ({ metadata }: Pod, ...owners: string[]) =>
    metadata.ownerReferences?.some(({ kind = '' }) => owners.includes(kind));
  const ofTemplates = pods.filter((pod) => isOf(pod, 'ReplicaSet', 'Job'));
  await correct(registry, resources.pods, ofTemplates, hosting);
  // A StatefulSet waits for ever for a pod that does not become ready, and replaces one of an earlier revision as soon as it is.
  for (const pod of pods.filter((each) => isOf(each, 'StatefulSet'))) {
    const { spec, status } = pod;
    const isRunning = status?.containerStatuses?.some(({ state }) => state?.running);
    if (!isRunning && !isCorrect(registry, spec)) await hosting.delete(resources.pods, pod);
  }
  if (role !== 'its' || inside === undefined) return;
  const ownDeployments = [
    { namespace: operatorNamespace, name: statusAddonDeployment },
    ...(type === 'vcluster' ? [{ namespace: 'kube-system', name: 'coredns' }] : []),
  ];
  for (const { namespace, name } of ownDeployments) {
    const found = await inside.get<Deployment>(resources.deployments, name, { namespace });
    await correct(registry, resources.deployments, found === undefined ? [] : [found], inside);
  }
}

const isCorrect = (registry: string, spec: Pod['spec']) =>
  [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].every(
    ({ image = '' }) => image === inRegistry(image, registry),
  );

type PodContainer = NonNullable<NonNullable<Pod['spec']>['containers']>[number];

async function correct(
  registry: string,
  resource: Resource,
  objects: readonly (Deployment | StatefulSet | Pod)[],
  kube: Kube,
) {
  const inOther = (image = '') => inRegistry(image, registry);
  const corrected = ({ image, env, ...container }: PodContainer) => ({
    ...container,
    image: inOther(image),
    // The status add-on gives its agents their image in a variable.
    env: env?.map(({ value, ...rest }) => ({
      ...rest,
      value: value === image ? inOther(value) : value,
    })),
  });
  for (const { metadata, spec } of objects) {
    const hasTemplate = spec !== undefined && 'template' in spec;
    const present = hasTemplate ? spec.template?.spec : (spec as Pod['spec']);
    if (isCorrect(registry, present)) continue;
    const { containers = [], initContainers = [] } = present ?? {};
    const podSpec = {
      containers: containers.map(corrected),
      initContainers: initContainers.map(corrected),
    };
    const { name, namespace, resourceVersion } = metadata;
    const patch = {
      metadata: { resourceVersion },
      spec: hasTemplate ? { template: { spec: podSpec } } : podSpec,
    };
    // Changed or gone meanwhile: the next reading shows it.
    await unlessStatus(kube.merge(resource, name, patch, { namespace }), 404, 409);
  }
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

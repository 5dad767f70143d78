import { partialReader } from '../../kube/access.ts';
import type { Reader } from '../../kube/client/client.ts';
import { shownList } from '../../kube/client/missing.ts';
import { byName, type Deployment, type Job, resources } from '../../kube/client/objects.ts';
import { imageVersion, parseImage } from '../../kube/image.ts';
import {
  apiServerOf,
  hookNames,
  managerDeployment,
  managerName,
  statusAddonDeployment,
  transportDeployment,
} from '../model/kubeflex-names.ts';
import type { PostCreateHook } from '../model/kubeflex-objects.ts';
import {
  agentNamespace,
  clusterManagerName,
  operatorName,
  operatorNamespace,
} from '../model/ocm-names.ts';
import type { Klusterlet } from '../model/ocm-objects.ts';
import type { RunningProgram, Wanted } from './running-versions.ts';

/**
 * The programs of an installation, by the names and images of KubeFlex 0.9.3, KubeStellar's core chart 0.30.0 and OCM 1.3.1
 * (manifests/, and as observed in a hub and a WEC).
 */
export const products = {
  ocm: 'OCM',
  kubeFlex: 'KubeFlex',
  kubeStellar: 'KubeStellar',
  statusAddon: 'status add-on',
} as const;

export const kubeFlexPrograms: readonly RunningProgram[] = [
  { product: products.kubeFlex, component: managerName, image: 'manager' },
];

/**
 * The programs that serve the API of a control plane: for a vcluster two programs in one pod, for an external one none of
 * KubeFlex's.
 */
export function apiServerPrograms(type: string): RunningProgram[] {
  const { name: component } = apiServerOf[type] ?? {};
  if (component === undefined) return [];
  const images = type === 'vcluster' ? ['vcluster', 'k3s'] : [component];
  return images.map((image) => ({ product: image, component, image }));
}

/** A hub's controllers, by the end of their names, and their images. OCM has the last one since 1.2. */
const hubControllers: Readonly<Record<string, string>> = {
  'registration-controller': 'registration',
  'registration-webhook': 'registration',
  'placement-controller': 'placement',
  'work-webhook': 'work',
  'addon-manager-controller': 'addon-manager',
  'addon-webhook': 'addon-manager',
};

/** OCM in an ITS, and KubeStellar's status add-on beside it. */
export function hubPrograms({ ocm, statusAddon }: HookVersions): RunningProgram[] {
  const shared = { product: products.ocm, wanted: ocm, mayBeNewer: true } as const;
  const ofOcm = (component: string, image: string): RunningProgram => ({
    ...shared,
    component,
    image,
  });
  const addon = {
    product: products.statusAddon,
    component: statusAddonDeployment,
    image: 'ocm-status-addon',
  };
  return [
    ofOcm(clusterManagerName, 'registration-operator'),
    ...Object.entries(hubControllers).map(([name, image]) => ({
      ...ofOcm(`${clusterManagerName}-${name}`, image),
      ...(name === 'addon-webhook' && { isOptional: true as const }),
    })),
    { ...addon, wanted: statusAddon, isOptional: true },
  ];
}

export function wdsPrograms({ controllerManager, transport }: HookVersions): RunningProgram[] {
  const product = products.kubeStellar;
  return [
    {
      product,
      component: managerDeployment,
      image: 'controller-manager',
      wanted: controllerManager,
    },
    {
      product,
      component: transportDeployment,
      image: 'ocm-transport-controller',
      wanted: transport,
    },
  ];
}

const klusterletOperator: RunningProgram = {
  product: products.ocm,
  component: operatorName,
  image: 'registration-operator',
  namespace: operatorNamespace,
};

/** The operator of a WEC, and its agents: one program in mode Singleton, two otherwise. */
export function wecPrograms(klusterlet: Klusterlet | undefined): RunningProgram[] {
  if (klusterlet === undefined) return [klusterletOperator];
  const { deployOption, imagePullSpec, registrationImagePullSpec, workImagePullSpec } =
    klusterlet.spec ?? {};
  const agent = (
    component: string,
    image: string,
    reference: string | undefined,
  ): RunningProgram => {
    const version = imageVersion(reference);
    const wanted: Wanted | undefined =
      version === undefined ? undefined : { version, by: 'Klusterlet' };
    return { product: products.ocm, component, image, namespace: agentNamespace, wanted };
  };
  const agents = deployOption?.mode?.startsWith('Singleton')
    ? [agent('klusterlet-agent', 'registration-operator', imagePullSpec)]
    : [
        agent('klusterlet-registration-agent', 'registration', registrationImagePullSpec),
        agent('klusterlet-work-agent', 'work', workImagePullSpec),
      ];
  return [klusterletOperator, ...agents];
}

/** What the installed post-create hooks give to new spaces; a version is undefined if no hook has it. */
export interface HookVersions {
  controllerManager: Wanted | undefined;
  transport: Wanted | undefined;
  ocm: Wanted | undefined;
  statusAddon: Wanted | undefined;
  /** Where images are from, without a trailing slash; undefined for the public registries. */
  registry: string | undefined;
}

/** A user who may not read hooks sees no versions in them. */
export const readHookVersions = async (hosting: Reader): Promise<HookVersions> =>
  versionsOfHooks(
    shownList(await partialReader(hosting).list<PostCreateHook>(resources.postCreateHooks)),
  );

/** The versions in the chart's hooks, or in older hooks that did the work of both. */
export function versionsOfHooks(hooks: readonly PostCreateHook[]): HookVersions {
  const names: readonly string[] = Object.values(hookNames);
  // Copies of the chart's hooks, and foreign hooks, come after them.
  const rankOf = ({ metadata }: PostCreateHook) => Number(!names.includes(metadata.name));
  const ordered = hooks.toSorted((a, b) => rankOf(a) - rankOf(b));
  const containers = ordered.flatMap(({ spec }) =>
    ((spec?.templates ?? []) as (Deployment | Job)[]).flatMap(
      ({ spec }) => spec?.template?.spec?.containers ?? [],
    ),
  );
  const images = containers.map(({ image = '' }) => image);
  const tagOf = (name: string) =>
    imageVersion(images.find((image) => parseImage(image)?.repository === name));
  const addonArgs =
    containers.map(({ args = [] }) => args).find((args) => args.some(isAddonChart)) ?? [];
  const addon = addonArgs[addonArgs.indexOf('--version') + 1]?.replace(/^v/, '');
  return {
    controllerManager: wantedByHooks(tagOf('controller-manager')),
    transport: wantedByHooks(tagOf('ocm-transport-controller')),
    ocm: wantedByHooks(bundleOf(tagOf('clusteradm'))),
    statusAddon: wantedByHooks(addonArgs.includes('--version') ? addon : undefined),
    registry: registryOf(hooks),
  };
}

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

const isAddonChart = (arg: string) => arg.endsWith('/ocm-status-addon-chart');

/**
 * From 1.0 on a clusteradm installs the OCM of its own minor version (clusteradm pkg/version); before, their versions were
 * independent.
 */
const bundleOf = (clusteradm = '') => /^[1-9]\d*\.\d+(?=\.)/.exec(clusteradm)?.[0];

const wantedByHooks = (version: string | undefined): Wanted | undefined =>
  version === undefined ? undefined : { version, by: 'installed hooks' };

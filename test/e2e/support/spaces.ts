import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import {
  type AnyObject,
  type Api,
  type Bed,
  type Deployment,
  demoManifests,
  installKubeStellar,
  type KubeStellarOptions,
  type Plane,
  resources,
  startBed,
  until,
} from '../../../testbed/index.ts';
import { Cli, type CliOptions, type CliRun } from './harness.ts';
import { statusOf } from './registration.ts';
import { workloadOn } from './workloads.ts';

type PlaneSpec = Parameters<typeof startBed>[0]['planes'][number];

/** A test bed whose first plane is a hosting cluster, and a command line that uses it. */
export interface HostingBed {
  bed: Bed;
  hosting: Plane;
  cli: SpaceCli;
  stop(): Promise<void>;
}

/** @param others further planes, which publish their address as kubeadm's clusters do by default */
export async function startHosting(
  others: readonly PlaneSpec[] = [],
  { hasNewerOcm = false, ...options }: KubeStellarOptions & { hasNewerOcm?: boolean } = {},
): Promise<HostingBed> {
  const bed = await startBed({
    hasNewerOcm,
    planes: [
      { name: 'hosting', ingress: true },
      ...others.map((spec) => ({ clusterInfo: true, ...spec })),
    ],
  });
  try {
    const hosting = bed.plane('hosting');
    await installKubeStellar(hosting, options);
    const cli = await SpaceCli.open(bed.kubeconfig);
    const stop = async () => {
      await cli.remove();
      await bed.stop();
    };
    return { bed, hosting, cli, stop };
  } catch (error) {
    await bed.stop();
    throw error;
  }
}

/** Remembers all output. */
export class SpaceCli extends Cli {
  readonly outputs: string[] = [];

  static async open(kubeconfig: string): Promise<SpaceCli> {
    return new SpaceCli((await Cli.create(kubeconfig)).home, kubeconfig);
  }

  override async run(arguments_: readonly string[], options: CliOptions = {}): Promise<CliRun> {
    const run = await super.run(arguments_, options);
    this.outputs.push(run.stdout + run.stderr);
    return run;
  }
}

/** The test bed's kubeconfig, which stellarctl writes to. */
const kubeconfigText = ({ kubeconfig }: Bed) => readFile(kubeconfig, 'utf8');

interface Named {
  name: string;
  [field: string]: unknown;
}

export interface RawKubeconfig {
  'current-context': string;
  clusters: (Named & { cluster: Record<string, unknown> })[];
  users: (Named & { user: Record<string, unknown> })[];
  contexts: (Named & { context: { cluster: string; user: string; extensions?: Named[] } })[];
  extensions?: Named[];
}

export async function readKubeconfig(bed: Bed): Promise<RawKubeconfig> {
  return parse(await kubeconfigText(bed)) as RawKubeconfig;
}

/** The tags of the images of the Deployments in a namespace, each once. */
export async function tagsIn({ admin }: Plane, namespace: string): Promise<string[]> {
  const { items } = await admin.list<Deployment>(resources.deployments, { namespace });
  const images = items.flatMap(({ spec }) =>
    spec.template.spec.containers.map(({ image }) => image),
  );
  return [...new Set(images.map((image) => image.split(':').at(-1) ?? ''))];
}

export const controlPlane = ({ admin }: Plane, name: string): Promise<AnyObject | undefined> =>
  admin.find<AnyObject>(resources.controlPlanes, name);

/** Waits until KubeFlex reports a space as ready. */
export const untilReady = (hosting: Plane, name: string): Promise<unknown> =>
  until(
    async () => statusOf(await controlPlane(hosting, name), 'Ready') === 'True',
    `ready ${name}`,
  );

/** What its nodes have for all pods. */
export async function setCores({ admin }: Plane, cpu: string): Promise<void> {
  for (const { metadata } of (await admin.list(resources.nodes)).items)
    await admin.patch(
      resources.nodes,
      metadata.name,
      { status: { allocatable: { cpu } } },
      { subresource: 'status' },
    );
}

/** A WEC is available according to its ITS. */
export async function assertAvailableIn(its: Api, wec: string): Promise<void> {
  const cluster = await its.get<AnyObject>(resources.managedClusters, wec);
  assert.equal(statusOf(cluster, 'ManagedClusterConditionAvailable'), 'True');
}

/**
 * Creates a workload in a WDS, in a namespace with the name of the policy, with a BindingPolicy for the clusters with these labels,
 * and waits until it is on one of them.
 * @param hasPods whether it includes a Deployment: deleting a namespace with pods takes long
 */
export async function sendFrom(
  wds: Api,
  wec: Plane,
  {
    policy,
    matchLabels,
    hasPods,
  }: { policy: string; matchLabels: Record<string, string>; hasPods: boolean },
): Promise<void> {
  const manifests = demoManifests(policy).filter(({ kind }) => hasPods || kind !== 'Deployment');
  for (const object of manifests) await wds.ensure(resources.resourceOf(object), object);
  await wds.ensure(resources.bindingPolicies, {
    metadata: { name: policy },
    spec: {
      clusterSelectors: [{ matchLabels }],
      // Not the pods of a Deployment in a WDS that is a cluster.
      downsync: [
        {
          resources: manifests.map((object) => resources.resourceOf(object).plural),
          objectSelectors: [{ matchLabels: { app: policy } }],
        },
      ],
    },
  } as AnyObject);
  const count = hasPods ? 4 : 2;
  await until(
    async () => (await workloadOn(wec, policy)).uids.length === count,
    `workload ${policy}`,
  );
}

/** What must never be shown of the Secrets of a control plane: tokens, keys, passwords. */
export async function secretWordsOf(api: Api): Promise<string[]> {
  const { items } = await api.list<AnyObject>(resources.secrets);
  return items
    .filter(({ type }) => type !== 'helm.sh/release.v1')
    .flatMap(({ data = {} }) => Object.entries(data as Record<string, string>))
    .filter(([key]) => !/^(namespace|(ca|tls)\.crt)$/.test(key))
    .flatMap(([, value]) => [value, ...wordsIn(Buffer.from(value, 'base64').toString())])
    .filter((word) => word.length >= 16);
}

function wordsIn(text: string) {
  const inKubeconfig = [
    ...text.matchAll(/(?:token|client-key-data|password)"?: *"?([^\s"]+)/g),
  ].map(([, word]) => word);
  const inPem = text.split('\n').filter((line) => /^[A-Za-z0-9+/=]{16,64}$/.test(line));
  return [...inKubeconfig, ...inPem].filter((word) => word !== undefined);
}

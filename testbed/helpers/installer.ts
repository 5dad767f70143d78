import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { apply } from '../kube/apply.ts';
import { kubeconfigOf } from '../kube/kubeconfig.ts';
import type { AnyObject, KubeObject } from '../kube/objects.ts';
import { klusterlets } from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { moduleFolder } from '../ocm/crds.ts';
import { ocmVersion } from '../ocm/hub.ts';
import {
  addonNamespace,
  agentNamespace,
  bootstrapSecret,
  operatorNamespace,
} from '../ocm/names.ts';
import type { Plane } from '../plane/plane.ts';
import { remembered } from '../plane/remembered.ts';
import { buildHelm } from '../programs/build.ts';

export interface Installation {
  clusterName: string;
  /** Undefined leaves the bootstrap Secret out. */
  bootstrap: { server: string; caPem: string; token: string } | undefined;
  /** The version of the operator's image, and of the agents' images, which is the same by default. */
  version?: string;
  agentVersion?: string;
}

type Wec = Pick<Plane, 'admin'>;

/** Installs a klusterlet by OCM's own chart, with the values of `clusteradm join`, so that tests do not depend on the product. */
export async function installKlusterlet(
  { admin }: Wec,
  { clusterName, bootstrap, version = ocmVersion, agentVersion = version }: Installation,
): Promise<void> {
  await installOperator({ admin }, version);
  const klusterlet = (await chartObjects(agentVersion)).find(
    ({ kind }) => kind === klusterlets.kind,
  ) as AnyObject;
  if (bootstrap) await apply(admin, bootstrapSecretObject(bootstrap));
  await until(
    () => admin.list<KubeObject>(klusterlets).catch(() => undefined),
    'served kind Klusterlet',
  );
  await apply(admin, { ...klusterlet, spec: { ...(klusterlet.spec as object), clusterName } });
}

/** Installs only the operator, with the namespaces of the agents. */
export async function installOperator({ admin }: Wec, version = ocmVersion): Promise<void> {
  for (const name of [operatorNamespace, agentNamespace, addonNamespace])
    await apply(admin, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  for (const object of await chartObjects(version))
    if (object.kind !== klusterlets.kind) await apply(admin, object);
}

/** The objects of the chart in a version, whose Klusterlet has no name of a cluster yet. They are rendered once: that starts helm. */
export const chartObjects = remembered(async (tag): Promise<AnyObject[]> => {
  const chart = join(await moduleFolder(), 'deploy', 'klusterlet', 'chart', 'klusterlet');
  const registrationConfiguration = {
    clientCertExpirationSeconds: 31_536_000,
    featureGates: ['AddonManagement', 'ClusterClaim'].map((feature) => ({
      feature,
      mode: 'Enable',
    })),
  };
  const values = {
    images: { tag, imageCredentials: { createImageCredentials: true } },
    klusterlet: { clusterName: '', registrationConfiguration },
  };
  const args = [
    'template',
    'klusterlet',
    chart,
    '--namespace',
    operatorNamespace,
    '--include-crds',
    '--values',
    '-',
  ];
  const running = promisify(execFile)(join(await buildHelm(), 'helm'), args, {
    maxBuffer: 1 << 24,
  });
  running.child.stdin?.end(JSON.stringify(values));
  return parseAllDocuments((await running).stdout).map((document) => document.toJS() as AnyObject);
});

function bootstrapSecretObject({
  server,
  caPem,
  token,
}: NonNullable<Installation['bootstrap']>): AnyObject {
  const kubeconfig = kubeconfigOf([
    {
      context: 'bootstrap',
      cluster: 'hub',
      user: 'bootstrap',
      connection: { server, caPem, token },
    },
  ]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: bootstrapSecret, namespace: agentNamespace },
    data: { kubeconfig: Buffer.from(kubeconfig).toString('base64') },
  };
}

import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { run } from '../../engine/next-step.ts';
import type { Kube, Reader } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { parseImage, versionOf } from '../../kube/image.ts';
import type { ConfigMap, Deployment } from '../../kube/objects.ts';
import { lenient } from '../../kube/permissive-reader.ts';
import { resources } from '../../kube/resources.ts';
import { clusterManagerName, hubNamespace } from '../names.ts';
import type { ClusterManager } from '../objects.ts';
import { parseClusterInfo } from './cluster-info.ts';
import type { Endpoint } from './endpoint.ts';
import { requireHub } from './require-hub.ts';

/** What an ITS tells about itself. */
export interface Hub {
  /** OCM's version, as `1.3.1`; undefined where the hub does not say (images by digest, no right to look). */
  version: string | undefined;
  /** Where the hub's own images come from, as `quay.io/open-cluster-management`. */
  imageRegistry: string | undefined;
  /** What the hub publishes of itself in kube-public/cluster-info; undefined where it publishes nothing. */
  clusterInfo: Endpoint | undefined;
  /** True where it may publish something that this user may not read. */
  clusterInfoForbidden: boolean;
}

/**
 * Makes sure that a cluster is an OCM hub with which agents register by certificate signing requests, and reads what it tells
 * about itself.
 * @throws StellarError `not-a-hub` or `driver-unsupported`
 */
export async function inspectHub(kube: Kube): Promise<Hub> {
  // What is worth knowing, but not worth failing for.
  const reader = lenient(kube);
  const [, manager, info] = await Promise.all([
    requireHub(kube),
    reader.get<ClusterManager>(resources.clusterManagers, clusterManagerName),
    reader.get<ConfigMap>(resources.configMaps, 'cluster-info', { namespace: 'kube-public' }),
  ]);
  requireCsrDriver(kube, manager?.spec);
  const image = parseImage(manager?.spec?.registrationImagePullSpec ?? (await controllerImage(reader)) ?? '');
  return {
    version: image?.tag === undefined ? undefined : versionOf(image.tag),
    imageRegistry: image?.registry,
    clusterInfo: parseClusterInfo(info?.data?.kubeconfig),
    clusterInfoForbidden: reader.forbidden.has(resources.configMaps.plural),
  };
}

/** Agents may also register over gRPC or by AWS IAM roles, without certificate signing requests; stellarctl does neither. */
function requireCsrDriver(kube: Kube, spec: ClusterManager['spec']): void {
  const drivers = spec?.registrationConfiguration?.registrationDrivers?.map(({ authType }) => authType ?? '') ?? [];
  if (drivers.length === 0 || drivers.includes('csr')) return;
  throw new StellarError(
    'driver-unsupported',
    `${describeCluster(kube.cluster)} registers clusters by ${drivers.join(' and ')} only; stellarctl needs the driver csr.`,
    {
      next: [
        run(
          command`kubectl --context ${kube.cluster.context} edit clustermanager ${clusterManagerName}`,
          'Enable it beside the others',
        ),
      ],
    },
  );
}

async function controllerImage(hub: Reader): Promise<string | undefined> {
  const name = `${clusterManagerName}-registration-controller`;
  const deployment = await hub.get<Deployment>(resources.deployments, name, { namespace: hubNamespace });
  return deployment?.spec?.template?.spec?.containers?.[0]?.image;
}

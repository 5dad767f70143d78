import { setTimeout as sleep } from 'node:timers/promises';
import { Api, type Connection, type Dial } from '../kube/api.ts';
import { apply } from '../kube/apply.ts';
import { isTrue, microNow, withCondition } from '../kube/conditions.ts';
import { Informer } from '../kube/informer.ts';
import { type CurrentContext, readCurrentContext } from '../kube/kubeconfig.ts';
import type {
  AnyObject,
  CertificateSigningRequest,
  Condition,
  Klusterlet,
  Lease,
  ManagedCluster,
  Secret,
} from '../kube/objects.ts';
import {
  certificateSigningRequests,
  leases,
  managedClusters,
  nodes,
  secrets,
} from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { agentRequest } from '../ocm/certificate-request.ts';
import { filesOf, type HubFiles, hubFiles, type Identity, isValid } from '../ocm/hub-kubeconfig.ts';
import { bootstrapSecret, clusterLease, condition, hubKubeconfigSecret } from '../ocm/names.ts';
import { version } from './requests.ts';

export interface AgentParts {
  api: Api;
  /** The network of the stub's pods. */
  dial: Dial;
  namespace: string;
  klusterlet: Klusterlet;
  onRegistered: () => void;
  log: (line: string) => void;
}

/**
 * Does what OCM's registration agent does for a hub, until the signal: registers by a request for a certificate, reports a cluster that is
 * available, and renews its lease (ocm v1.0.0, pkg/registration/spoke). Works are not applied, and a certificate is not renewed.
 */
export async function runAgent(parts: AgentParts, signal: AbortSignal): Promise<void> {
  const { api, dial, namespace, klusterlet, log } = parts;
  const find = async (name: string) =>
    filesOf(await api.find<Secret>(secrets, `${namespace}/${name}`));
  const identity = {
    cluster: klusterlet.spec?.clusterName ?? '',
    agent: klusterlet.metadata.uid ?? '',
  };
  const clients: Api[] = [];
  signal.addEventListener('abort', () => {
    for (const client of clients) client.close();
  });
  const connect = (connection: Connection): Api => {
    const client = new Api({ ...connection, dial });
    clients.push(client);
    return client;
  };
  while (!signal.aborted) {
    try {
      const bootstrapped = readCurrentContext((await find(bootstrapSecret)).kubeconfig ?? '');
      let files = await find(hubKubeconfigSecret);
      if (!isValid(files, bootstrapped, identity)) {
        files = await register(connect(bootstrapped.connection), bootstrapped, identity, signal);
        const data = Object.fromEntries(
          Object.entries(files).map(([key, text]) => [key, btoa(text)]),
        );
        const { apiVersion, kind } = secrets;
        await apply<Secret>(api, {
          apiVersion,
          kind,
          metadata: { name: hubKubeconfigSecret, namespace },
          data,
        });
        parts.onRegistered();
      }
      const { connection } = readCurrentContext(files.kubeconfig ?? '', (name) => files[name]);
      const hub = connect(connection);
      return await reportCluster({ hub, own: api, cluster: identity.cluster, log }, signal);
    } catch (error) {
      if (!signal.aborted) log(`${identity.cluster}: ${(error as Error).message}`);
      await sleep(1_000, undefined, { signal }).catch(() => {});
    }
  }
}

/** Announces the cluster, and waits until its request is approved and signed. @throws Error if it is deleted before */
async function register(
  hub: Api,
  bootstrapped: CurrentContext,
  identity: Identity,
  signal: AbortSignal,
): Promise<HubFiles> {
  if (!(await hub.find(managedClusters, identity.cluster)))
    await hub.create<ManagedCluster>(managedClusters, {
      metadata: { name: identity.cluster },
      spec: { hubAcceptsClient: false },
    });
  const { request, keyPem } = await agentRequest(identity);
  const { metadata } = await hub.create<CertificateSigningRequest>(
    certificateSigningRequests,
    request,
  );
  const ended = new AbortController();
  const certificate = await new Promise<string>((resolve, reject) => {
    signal.addEventListener('abort', reject);
    new Informer<CertificateSigningRequest>(
      hub,
      certificateSigningRequests,
      {
        fieldSelector: `metadata.name=${metadata.name}`,
        onChange: ({ status }, change) => {
          if (change === 'deleted') reject(new Error(`the request ${metadata.name} was deleted`));
          else if (status?.certificate)
            resolve(Buffer.from(status.certificate, 'base64').toString());
        },
      },
      AbortSignal.any([signal, ended.signal]),
    );
  }).finally(() => ended.abort());
  return hubFiles(bootstrapped, identity, certificate, keyPem);
}

interface Registered {
  hub: Api;
  own: Api;
  cluster: string;
  log: (line: string) => void;
}

/** Reports an accepted cluster as joined and available, and renews its lease. */
async function reportCluster(
  { hub, own, cluster, log }: Registered,
  signal: AbortSignal,
): Promise<void> {
  const reports = new WorkQueue(
    async () => {
      const present = clusters.items.get(cluster);
      const conditions = present?.status?.conditions ?? [];
      if (
        !present ||
        !isTrue(conditions, condition.hubAccepted) ||
        isTrue(conditions, condition.available)
      )
        return;
      const [node] = (await own.list<AnyObject>(nodes)).items;
      const { capacity, allocatable } = (node?.status ?? {}) as Record<string, object>;
      const { uid, resourceVersion } = present.metadata;
      const status = {
        ...{ capacity, allocatable },
        version: { kubernetes: version.gitVersion },
        conditions: [joined, available].reduce(withCondition, conditions),
      };
      await hub.patch(
        managedClusters,
        cluster,
        { metadata: { uid, resourceVersion }, status },
        { subresource: 'status' },
      );
    },
    signal,
    (_key, { message }) => log(`${cluster}: ${message}`),
  );
  const onError = ({ message }: Error) => log(`${cluster}: ${message}`);
  const options = {
    fieldSelector: `metadata.name=${cluster}`,
    onError,
    onChange: () => reports.add(cluster),
  };
  const clusters = new Informer<ManagedCluster>(hub, managedClusters, options, signal);
  while (!signal.aborted) {
    const present = clusters.items.get(cluster);
    const seconds = present?.spec.leaseDurationSeconds ?? 60;
    const isJoined = isTrue(present?.status?.conditions, condition.joined);
    if (isJoined) await renew(hub, cluster).catch(onError);
    await sleep(isJoined ? seconds * 1000 : 1_000, undefined, { signal }).catch(() => {});
  }
}

async function renew(hub: Api, cluster: string): Promise<void> {
  const lease = await hub.get<Lease>(leases, `${cluster}/${clusterLease}`);
  await hub.update<Lease>(leases, {
    ...lease,
    spec: { ...lease.spec, renewTime: microNow(new Date()) },
  });
}

const joined: Condition = {
  type: condition.joined,
  status: 'True',
  reason: 'ManagedClusterJoined',
  message: 'Managed cluster joined',
};

const available: Condition = {
  type: condition.available,
  status: 'True',
  reason: 'ManagedClusterAvailable',
  message: 'Managed cluster is available',
};

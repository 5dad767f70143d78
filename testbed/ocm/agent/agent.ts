import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../../kube/api.ts';
import { isTrue, microNow } from '../../kube/conditions.ts';
import { Informer } from '../../kube/informer.ts';
import { type CurrentContext, readCurrentContext } from '../../kube/kubeconfig.ts';
import type { Condition, Lease, ManagedCluster, Secret } from '../../kube/objects.ts';
import { leases, managedClusters, secrets } from '../../kube/resources.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { Fatal } from '../leadership.ts';
import { bootstrapSecret, clusterLease, condition, hubKubeconfigSecret } from '../names.ts';
import { registerAddons } from './addon-registration.ts';
import { bootstrap } from './bootstrap.ts';
import { keepCertificate } from './certificate-keeping.ts';
import { reportStatus, setClusterCondition } from './cluster-status.ts';
import { dumpSecret, type HubFiles, type Identity, isValid, readHubFiles } from './hub-kubeconfig.ts';
import { type AgentOptions, agentOptions } from './options.ts';

/**
 * The time that the real program takes from its start to its first request, and again to start its main controllers, mostly for its
 * caches (recorded: running at 1.4 s, request at 2.0 s; Secret at 8.8 s, joined at 10.0 s).
 */
const startUp = 400;

const statusPeriod = 60_000;

const letters = 'abcdefghijklmnopqrstuvwxyz';

/** The liveness probe's failure time (ocm manifests/klusterlet/management). */
const probe = { period: 10_000, failures: 3 };

/** The other tasks of a registered agent, until the signal. */
type AlsoServe = (context: PodContext, files: HubFiles, identity: Identity, signal: AbortSignal) => Promise<void>;

/**
 * Stands in for `registration agent` (ocm pkg/registration/spoke). Ends, to be restarted, when its bootstrap Secret changes.
 *
 * An unregistered agent then ends without releasing its Lease, and sends a new request only when that has expired, after minutes
 * (seen on v1.3.1, in Singleton mode on v1.0.0 as well; ocm pkg/singleton/spoke/agent.go).
 */
export async function registrationAgent(context: PodContext, alsoServe?: AlsoServe): Promise<void> {
  const { api, pod, log, readFile, setReady } = context;
  const namespace = pod.metadata.namespace ?? '';
  const options = agentOptions(context.args);
  const text = readFile(options.bootstrapKubeconfig);
  if (!text) throw new Error(`stat ${options.bootstrapKubeconfig}: no such file or directory`);
  const kubeconfig = readCurrentContext(text);
  const restart = restartOnChange(context, namespace);
  const signal = AbortSignal.any([context.signal, restart]);
  dumpSecret(context, await api.find<Secret>(secrets, `${namespace}/${hubKubeconfigSecret}`));
  const identity = identityOf(options, readHubFiles(context));
  dumpOnChange(context, namespace, signal);
  // Healthy from here on, registered or not: /healthz says nothing about the hub before that.
  setReady(true);
  try {
    await sleep(startUp, undefined, { signal });
    if (!isValid(readHubFiles(context), kubeconfig, identity))
      await bootstrap(context, kubeconfig, identity, options, signal);
    log(`registered as ${identity.cluster}, agent ${identity.agent}`);
    void alsoServe?.(context, readHubFiles(context), identity, signal);
    await serveHub(context, kubeconfig, identity, options, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (!restart.aborted || readHubFiles(context).kubeconfig !== undefined) return;
  // On termination the agent continues to the part that needs the hub's kubeconfig, whose file does not exist yet.
  const missing = 'stat /spoke/hub-kubeconfig/kubeconfig: no such file or directory';
  if (alsoServe) throw new Fatal(missing);
  const why = `unable to load hub kubeconfig from file "/spoke/hub-kubeconfig/kubeconfig": ${missing}`;
  throw new Fatal(`graceful termination failed, controllers failed with error: ${why}`, 1);
}

/** Without flag and without a stored name both are random, and new at every start (ocm pkg/common/options/agent.go). */
function identityOf({ clusterName, agentId }: AgentOptions, stored: HubFiles): Identity {
  return {
    cluster: clusterName ?? stored['cluster-name'] ?? randomUUID(),
    agent:
      agentId ?? stored['agent-name'] ?? Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join(''),
  };
}

/** Aborted when the bootstrap Secret is changed or deleted, but not when it is created. */
function restartOnChange({ api, signal, log }: PodContext, namespace: string): AbortSignal {
  const restart = new AbortController();
  new Informer<Secret>(
    api,
    secrets,
    {
      namespace,
      fieldSelector: `metadata.name=${bootstrapSecret}`,
      onError: ({ message }) => log(message),
      onChange: (secret, change, before) => {
        const hasNewData = JSON.stringify(secret.data) !== JSON.stringify(before?.data);
        if (change === 'deleted' || (change === 'changed' && hasNewData)) restart.abort();
      },
    },
    signal,
  );
  return restart.signal;
}

/** Keeps the files in sync with the Secret (ocm pkg/registration/spoke/registration/secret_controller.go). */
function dumpOnChange(context: PodContext, namespace: string, signal: AbortSignal): void {
  new Informer<Secret>(
    context.api,
    secrets,
    {
      namespace,
      fieldSelector: `metadata.name=${hubKubeconfigSecret}`,
      onError: ({ message }) => context.log(message),
      onChange: (secret, change) => {
        if (change !== 'deleted') dumpSecret(context, secret);
      },
    },
    signal,
  );
}

/** The tasks of a registered agent, until the signal. */
async function serveHub(
  context: PodContext,
  bootstrapped: CurrentContext,
  identity: Identity,
  options: AgentOptions,
  signal: AbortSignal,
): Promise<void> {
  await sleep(startUp, undefined, { signal });
  const { api, connect, log, now } = context;
  const { cluster: name } = identity;
  const files = readHubFiles(context);
  const hub = connect(readCurrentContext(files.kubeconfig ?? '', (path) => files[path]).connection);
  const durationSeconds = () => clusters.items.get(name)?.spec.leaseDurationSeconds ?? 60;
  let keepsLease = false;
  const keepLeaseOnce = () => {
    if (!keepsLease) void keepLease({ hub, cluster: name, durationSeconds, now, log }, signal);
    keepsLease = true;
  };
  const status = new WorkQueue(
    async () => {
      const cluster = clusters.items.get(name);
      if (!cluster || !isTrue(cluster.status?.conditions, condition.hubAccepted)) return;
      // In all records a new cluster has joined before the hub checks its clock, which it does by the lease.
      if (isTrue(cluster.status?.conditions, condition.joined)) keepLeaseOnce();
      await reportStatus(hub, api, cluster, signal);
      keepLeaseOnce();
    },
    signal,
    (_key, error) => log(`failed to update the status of the managed cluster: ${error.message}`),
  );
  const clusters = new Informer<ManagedCluster>(
    hub,
    managedClusters,
    {
      fieldSelector: `metadata.name=${name}`,
      onError: ({ message }) => log(message),
      onChange: () => status.add(name),
    },
    signal,
  );
  const everyMinute = setInterval(() => status.add(name), statusPeriod);
  signal.addEventListener('abort', () => clearInterval(everyMinute));
  const report = (condition: Condition) => setClusterCondition(hub, name, condition);
  keepCertificate({ context, hub, bootstrapped, identity, options, report }, signal);
  registerAddons({ context, hub, bootstrapped, identity }, signal);
  await untilKilled(context, () => isValid(readHubFiles(context), bootstrapped, identity), signal);
}

/**
 * Stands in for the kubelet's probes of /healthz, which reports an expired certificate: the agent is not ready, and then terminated
 * gracefully.
 */
async function untilKilled({ setReady }: PodContext, isHealthy: () => boolean, signal: AbortSignal): Promise<void> {
  for (let failures = 0; failures < probe.failures; ) {
    await sleep(probe.period, undefined, { signal });
    failures = isHealthy() ? 0 : failures + 1;
    setReady(failures === 0);
  }
}

interface LeaseKeeping {
  hub: Api;
  cluster: string;
  durationSeconds: () => number;
  now: () => Date;
  log: (line: string) => void;
}

/**
 * Renews the cluster's lease, at once and then every duration stretched by up to a quarter (ocm
 * pkg/registration/spoke/lease).
 */
async function keepLease(
  { hub, cluster, durationSeconds, now, log }: LeaseKeeping,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const lease = await hub.get<Lease>(leases, `${cluster}/${clusterLease}`);
      await hub.update<Lease>(leases, { ...lease, spec: { ...lease.spec, renewTime: microNow(now()) } });
    } catch (error) {
      log(`failed to update the lease: ${(error as Error).message}`);
    }
    const pause = durationSeconds() * 1000 * (1 + Math.random() / 4);
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
}

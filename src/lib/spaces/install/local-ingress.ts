import { requireTime } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { untilMet } from '../../core/follow.ts';
import { advice, command, run as runCommand } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { failed, met, waiting } from '../../core/stages.ts';
import type { Kube } from '../../kube/client/client.ts';
import { shownList } from '../../kube/client/missing.ts';
import { type KubeObject, type Pod, resources } from '../../kube/client/objects.ts';
import { failureLog, firstPodFailure, isPodReady } from '../../kube/pods.ts';
import { errorAt } from '../../ocm/hub/endpoint.ts';
import { ingressClass } from '../../ocm/model/kubeflex-names.ts';
import { withHostingLease } from '../hosting/hosting-lease.ts';
import { defaultPort, type ProviderName } from '../local/local-cluster-names.ts';
import { ingressNodeLabel } from '../local/provider.ts';
import { failureGraceMs } from './follow-install.ts';
import type { Helm, LocalChart } from './helm.ts';
import type { Values } from './helm-values.ts';
import type { InitTools } from './init.ts';
import { isSameRelease, ownerOf } from './install-plan.ts';

/** The chart of Traefik (github.com/traefik/traefik-helm-chart), set only here. */
const ingressChart = {
  name: 'traefik',
  version: '41.3.0',
  reference: 'oci://ghcr.io/traefik/helm/traefik',
  /** Of Traefik itself. */
  image: 'v3.7.13',
};

/** As its chart names it. */
export const ingressImage = `docker.io/traefik:${ingressChart.image}`;

/** The name in Traefik's documentation. */
export const ingressRelease = { name: 'traefik', namespace: 'traefik' } as const;

/** How long a load balancer may take to forward to pods that are ready. */
const forwardingMs = 60_000;

export interface IngressInput {
  provider: ProviderName;
  /** The port of this machine that leads to it; undefined if unknown. */
  port: number | undefined;
  /** `--ingress CHART`: a file, a folder or a reference to a mirror. */
  chart?: string | undefined;
  imageRegistry?: string | undefined;
}

/**
 * Ensures that a local hosting cluster has an ingress that serves the Ingresses of KubeFlex: Traefik, which passes their TLS
 * through. An ingress that the class of those Ingresses already belongs to is kept.
 * @returns whether anything changed
 * @throws StellarError `chart-unusable`, `program-failed`, `release-pending`, `cluster-unusable`, `hosting-failed`, `timeout`
 */
export async function ensureIngress(
  input: IngressInput,
  { kube, helm, record, run }: InitTools,
): Promise<boolean> {
  const { context } = kube.cluster;
  const present = await kube.get<KubeObject>(resources.ingressClasses, ingressClass.name);
  if (present !== undefined && !isSameRelease(ownerOf(present), ingressRelease)) return false;
  // helm creates it after everything else.
  const isThere = present !== undefined;
  if (!isThere) {
    requireTime(run, `${context} has no ingress yet`);
    const chart = kube.dryRun ? undefined : await fetchIngressChart(helm, input.chart);
    run.progress.waiting(context, 'installing Traefik');
    await withHostingLease(kube, 'init', run, async () => {
      await kube.apply({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: ingressRelease.namespace },
      });
      record?.({ verb: 'create', cluster: context, kind: 'Release', ...ingressRelease });
      if (chart === undefined) return;
      const values = valuesFor(input);
      const timeoutMs = run.deadline.remaining;
      await helm.upgrade({ release: ingressRelease, chart, values, timeoutMs, skipCrds: true });
    }).catch((error: unknown) => {
      throw whyPending(error, context);
    });
    if (kube.dryRun) return true;
  }
  await untilAnswers(kube, input.port ?? defaultPort, run);
  if (!isThere) run.progress.reached(context, 'Traefik answers');
  return !isThere;
}

/** A helm that was killed leaves its release pending, which helm itself never ends. */
function whyPending(error: unknown, context: string): unknown {
  if (!(error instanceof StellarError) || error.code !== 'release-pending') return error;
  const { name, namespace } = ingressRelease;
  return error.with({
    next: [
      runCommand(
        command`helm uninstall ${name} --namespace ${namespace} --kube-context ${context}`,
        'If no helm is running',
      ),
      advice('Then rerun the command'),
    ],
  });
}

/**
 * Fetches the chart of Traefik unless it is local. @param given `--ingress CHART`
 * @throws StellarError `chart-unusable`
 */
export async function fetchIngressChart(
  helm: Helm,
  given: string | undefined,
): Promise<LocalChart> {
  const { reference, version } = ingressChart;
  try {
    if (given === undefined) return await helm.download(reference, version);
    // A mirror may have another version.
    const archive = (await helm.local(given)) ?? (await helm.download(given, version));
    const { name } = await helm.metadata(archive);
    if (name === ingressChart.name) return archive;
    throw new StellarError(
      'chart-unusable',
      `${given} is the chart "${name}", not ${ingressChart.name}.`,
    );
  } catch (error) {
    if (!(error instanceof StellarError) || error.code !== 'chart-unusable') throw error;
    const pull = command`helm pull ${reference} --version ${version}`;
    throw error.with({
      next: [
        advice(`Without access to it: ${pull} elsewhere, and --ingress FILE here`),
        advice('Or bring your own ingress: --ingress none'),
      ],
    });
  }
}

/**
 * The values for Traefik's chart. Its provider for Ingresses of ingress-nginx needs their class, which the chart cannot make of the
 * right controller. On kind Traefik uses a host port of its node; on k3d a load balancer forwards to it.
 */
function valuesFor({ provider, imageRegistry: registry }: IngressInput): Values {
  const { name, controller } = ingressClass;
  const values = {
    image: {
      tag: ingressChart.image,
      ...(registry === undefined ? {} : { registry, repository: 'library/traefik' }),
    },
    global: { checkNewVersion: false },
    providers: {
      kubernetesCRD: { enabled: false },
      kubernetesIngress: { enabled: false },
      kubernetesIngressNGINX: { enabled: true },
    },
    ingressClass: { enabled: false },
    extraObjects: [
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { name },
        spec: { controller },
      },
    ],
  };
  if (provider === 'k3d') return values;
  return {
    ...values,
    ports: { websecure: { hostPort: 443 } },
    service: { spec: { type: 'ClusterIP' } },
    nodeSelector: { 'kubernetes.io/os': 'linux', [ingressNodeLabel]: 'true' },
    tolerations: [
      { key: 'node-role.kubernetes.io/control-plane', operator: 'Equal', effect: 'NoSchedule' },
    ],
    // A new pod can bind the host port only after the old one has ended.
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
  };
}

/** @throws StellarError `hosting-failed` if its pod fails or its port does not lead to it, `timeout` */
async function untilAnswers(kube: Kube, port: number, run: Run) {
  const { context } = kube.cluster;
  const { namespace } = ingressRelease;
  const read = async () => {
    // Any certificate will do.
    const answers = (await errorAt('', `https://localhost:${port}`, {}))?.code === 'tls-error';
    const pods = answers ? [] : shownList(await kube.list<Pod>(resources.pods, { namespace }));
    return { answers, areReady: pods.some(isPodReady), failure: firstPodFailure(pods) };
  };
  type Running = Awaited<ReturnType<typeof read>>;
  const silence = `it does not answer at port ${port} of this machine`;
  const whyNot = ({ failure, areReady }: Running) =>
    failure?.why ?? (areReady ? silence : 'its pod is not ready');
  const unmet = async (running: Running) => {
    const { failure, areReady } = running;
    const late = advice('To resume, rerun the command with a longer --timeout');
    if (failure === undefined)
      return new StellarError(
        areReady ? 'hosting-failed' : 'timeout',
        `Traefik was not ready on ${context} in time: ${whyNot(running)}.`,
        areReady ? advice('If the port leads to another machine: --ingress none') : late,
      );
    return new StellarError(
      'hosting-failed',
      `Traefik does not start on ${context}: ${whyNot(running)}.`,
      runCommand(command`kubectl --context ${context} -n ${namespace} describe pods`, 'See more'),
    ).with({ details: await failureLog(kube, failure) });
  };
  const act = async (running: Running) =>
    run.progress.waiting(context, `Traefik: ${whyNot(running)}`);
  const check = (running: Running) =>
    running.answers
      ? met
      : (running.failure || running.areReady ? failed : waiting)(whyNot(running));
  const graceMs = ({ failure }: Running) => (failure ? failureGraceMs : forwardingMs);
  await untilMet<Running>({ check, graceMs, read, act, unmet }, run);
}

import { command } from '../engine/command-line.ts';
import { requireTime } from '../engine/deadline.ts';
import { StellarError } from '../engine/errors.ts';
import { advice, run as runCommand } from '../engine/next-step.ts';
import type { Run } from '../engine/run.ts';
import { failed, met, waiting } from '../engine/stages.ts';
import { untilMet } from '../engine/until-met.ts';
import { readIngress } from '../hosting/ingress.ts';
import { withHostingLease } from '../hosting/lease.ts';
import type { Kube } from '../kube/client/client.ts';
import type { WriteRecorder } from '../kube/client/dry-run.ts';
import type { Deployment, Pod } from '../kube/objects.ts';
import { failureLog, firstPodFailure, isDeploymentReady, type PodFailure } from '../kube/pods.ts';
import { resources } from '../kube/resources.ts';
import type { Helm, LocalChart } from '../programs/helm/helm.ts';
import type { Values } from '../programs/helm/values.ts';
import type { ProviderName } from './names.ts';
import { ingressNodeLabel } from './provider.ts';

/** The chart of ingress-nginx, set only here. The version is the one that KubeStellar's own scripts install. */
const ingressChart = {
  name: 'ingress-nginx',
  version: '4.12.1',
  /** Of the index of its repository, https://kubernetes.github.io/ingress-nginx. */
  sha256: '59f6647b8c0aa12267722fa0ade16713fb0b16a1af932227af2065fdd1a7f3bc',
  reference: 'https://github.com/kubernetes/ingress-nginx/releases/download/helm-chart-4.12.1/ingress-nginx-4.12.1.tgz',
};

/** The name in ingress-nginx's documentation. */
export const ingressRelease = { name: 'ingress-nginx', namespace: 'ingress-nginx' } as const;

/** How long a failure that may be transient must persist before it is reported. */
const failureGraceMs = 5000;

export interface IngressInput {
  provider: ProviderName;
  /** `--ingress-chart`: a file, a folder or a reference to a mirror. */
  chart?: string | undefined;
}

interface IngressTools {
  kube: Kube;
  helm: Helm;
  /** In a dry run, records what helm would do. */
  record?: WriteRecorder | undefined;
}

/**
 * Ensures that a local hosting cluster has the ingress that KubeFlex requires: ingress-nginx with TLS passthrough. An existing one
 * is kept, however it was installed.
 * @returns whether anything changed
 * @throws StellarError `chart-unusable`, `program-failed`, `cluster-unusable`, `hosting-failed`, `timeout`
 */
export async function ensureIngress(
  input: IngressInput,
  { kube, helm, record }: IngressTools,
  run: Run,
): Promise<boolean> {
  const { context } = kube.cluster;
  const before = await readIngress(kube);
  const isThere = before.passesTls;
  if (!isThere) {
    requireTime(run, `${context} has no ingress yet that passes TLS through`);
    run.progress.waiting(context, 'installing ingress-nginx');
    await withHostingLease(kube, 'init', run, async (lease) => {
      await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ingressRelease.namespace } });
      record?.({ verb: 'create', cluster: context, kind: 'Release', ...ingressRelease });
      if (kube.dryRun) return;
      const chart = await bringIngressChart(helm, input.chart);
      const onStart = await lease.noteHelm(ingressRelease.name);
      const values = valuesFor(input.provider);
      await helm.upgrade({ release: ingressRelease, chart, values, timeoutMs: run.deadline.remaining, onStart });
    });
    if (kube.dryRun) return true;
  }
  await untilReady(kube, run);
  if (!isThere) run.progress.reached(context, 'ingress-nginx runs, and passes TLS through');
  return !isThere;
}

/**
 * Fetches the chart of ingress-nginx unless it is local. @param given `--ingress-chart`
 * @throws StellarError `chart-unusable`
 */
export async function bringIngressChart(helm: Helm, given: string | undefined): Promise<LocalChart> {
  const { reference, version, sha256 } = ingressChart;
  const chart = given ?? reference;
  try {
    // A mirror may have packed it again.
    const expected = given === undefined ? sha256 : undefined;
    const brought = (await helm.local(chart)) ?? (await helm.download(chart, version, expected));
    const { name } = await helm.metadata(brought);
    if (name === ingressChart.name) return brought;
    throw new StellarError('chart-unusable', `${chart} is the chart "${name}", not ${ingressChart.name}.`);
  } catch (error) {
    if (!(error instanceof StellarError) || error.code !== 'chart-unusable') throw error;
    const elsewhere = command`Without access to it: helm pull ${reference} elsewhere, and --ingress-chart FILE here`;
    throw error.with({ next: [advice(elsewhere)] });
  }
}

/**
 * The values for ingress-nginx's chart. On kind the controller uses host ports of its node; on k3d a load balancer forwards to it.
 */
function valuesFor(provider: ProviderName): Values {
  const controller = { extraArgs: { 'enable-ssl-passthrough': 'true' }, watchIngressWithoutClass: true };
  if (provider === 'k3d') return { controller };
  return {
    controller: {
      ...controller,
      hostPort: { enabled: true },
      service: { type: 'ClusterIP' },
      nodeSelector: { 'kubernetes.io/os': 'linux', [ingressNodeLabel]: 'true' },
      tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Equal', effect: 'NoSchedule' }],
      // A new pod can bind the host port only after the old one has ended.
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
    },
  };
}

/** The evidence for whether ingress-nginx runs. */
interface RunningIngress {
  controller: Deployment | undefined;
  failure: PodFailure | undefined;
}

async function readRunning(kube: Kube): Promise<RunningIngress> {
  const { controller } = await readIngress(kube);
  if (isDeploymentReady(controller)) return { controller, failure: undefined };
  const { namespace } = controller?.metadata ?? ingressRelease;
  const labelSelector = 'app.kubernetes.io/name=ingress-nginx';
  const pods = await kube.list<Pod>(resources.pods, { namespace, labelSelector });
  return { controller, failure: firstPodFailure(pods ?? []) };
}

const whyNotReady = ({ controller, failure }: RunningIngress): string =>
  failure?.why ?? (controller === undefined ? 'its Deployment is missing' : 'its pod is not ready');

/** @throws StellarError `hosting-failed` if its pod fails, `timeout` */
async function untilReady(kube: Kube, run: Run): Promise<void> {
  const { context } = kube.cluster;
  const judged = (seen: RunningIngress) => (seen.failure === undefined ? waiting : failed)(whyNotReady(seen));
  await untilMet<RunningIngress>(
    {
      graceMs: failureGraceMs,
      check: (seen) => (isDeploymentReady(seen.controller) ? met : judged(seen)),
      read: () => readRunning(kube),
      act: async (seen) => run.progress.waiting(context, `ingress-nginx: ${whyNotReady(seen)}`),
      async unmet(seen) {
        const why = whyNotReady(seen);
        if (seen.failure === undefined)
          return new StellarError('timeout', `ingress-nginx was not ready on ${context} in time: ${why}.`, {
            next: [advice('To resume, rerun the command with a longer --timeout')],
          });
        const describe = command`kubectl --context ${context} -n ${seen.failure.pod.namespace ?? ''} describe pods`;
        return new StellarError('hosting-failed', `ingress-nginx does not start on ${context}: ${why}.`, {
          details: await failureLog(kube, seen.failure),
          next: [runCommand(describe, 'See more')],
        });
      },
    },
    run,
  );
}

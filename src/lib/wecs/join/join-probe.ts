import { randomBytes } from 'node:crypto';
import { type CheckInfo, fail, type Outcome, pass, skipped } from '../../core/checks.ts';
import { command, type Problem, partial } from '../../core/next-step.ts';
import { poll } from '../../core/poll.ts';
import type { Run } from '../../core/run.ts';
import { shownList } from '../../kube/client/missing.ts';
import { type Job, type Pod, resources } from '../../kube/client/objects.ts';
import { podFailure, whyNodeless } from '../../kube/pods.ts';
import { deletePresent, writeLast } from '../../kube/writes.ts';
import { bootstrapKubeconfig, image } from '../../ocm/agent/klusterlet-agent.ts';
import { restrictedContainer } from '../../ocm/agent/klusterlet-operator.ts';
import { connectionErrorIn } from '../../ocm/hub/hub-connection.ts';
import { operatorName } from '../../ocm/model/ocm-names.ts';
import { wecProblem } from '../registration/problems.ts';
import { whyUnreached } from '../registration/reregister.ts';
import type { JoinPlan } from './join-plan.ts';

/** Made by the Job of a probe, not by reads. */
export const probeCheck: CheckInfo = {
  id: 'wec-probe',
  title: "its pods get the agent's image and reach the ITS",
};

/** The agent's own namespace does not exist yet. */
const probePlace = { namespace: 'default' };
const kubeconfigAnnotation = 'stellarctl.kubestellar.io/kubeconfig';

/** What of a join a probe tries. */
export type Probed = Pick<JoinPlan, 'name' | 'its' | 'kube' | 'endpoint' | 'settings'>;

const imageOf = ({ settings }: Probed) => image(settings, 'registration-operator');

/**
 * The Job that tries whether a pod gets the agent's image, and reaches the ITS as the agent will: before anything else its program
 * reads from the API server in its `--kubeconfig`, and ends with an error if it may not (library-go, controllercmd). That is the
 * kubeconfig of a join, without a token. So the image needs no shell, and there is no object but the Job, which also ends and is
 * deleted if the command was killed.
 */
export function probeJob(probed: Probed): Job {
  const fieldRef = { fieldPath: `metadata.annotations['${kubeconfigAnnotation}']` };
  const base = restrictedContainer(imageOf(probed));
  const flags = [
    '--kubeconfig=/probe/kubeconfig',
    '--namespace=default',
    '--disable-leader-election',
  ];
  const container = {
    ...base,
    args: ['/registration-operator', 'agent', ...flags],
    volumeMounts: [...base.volumeMounts, { name: 'probe', mountPath: '/probe' }],
  };
  const spec = {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
    volumes: [
      { name: 'probe', downwardAPI: { items: [{ path: 'kubeconfig', fieldRef }] } },
      { name: 'tmpdir', emptyDir: {} },
    ],
  };
  const annotations = { [kubeconfigAnnotation]: bootstrapKubeconfig(probed.endpoint, '') };
  const limits = { backoffLimit: 0, activeDeadlineSeconds: 300, ttlSecondsAfterFinished: 60 };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: `stellarctl-probe-${randomBytes(4).toString('hex')}`, ...probePlace },
    spec: { ...limits, template: { metadata: { annotations }, spec } },
  };
}

/** What a probe writes, in words. */
export const describeProbe = (probed: Probed, { metadata: { namespace, name } }: Job) =>
  `${probed.name}: create Job ${namespace}/${name} with image ${imageOf(probed)}, which calls ${probed.endpoint.server}, and delete it`;

/** Deletes what it creates also when it fails or is interrupted. @throws StellarError `forbidden`, `interrupted` */
export async function probe(probed: Probed, job: Job, run: Run): Promise<Outcome> {
  const { name, kube } = probed;
  if (run.dryRun) return skipped('a dry run creates no Job');
  run.progress.waiting(name, 'probing');
  let why = 'it has no pod';
  const unfinished = () =>
    fail('probe-unfinished', `the probe does not show whether they do: ${why}`);
  const read = async () => {
    const labelSelector = `job-name=${job.metadata.name}`;
    const [pod] = shownList(await kube.list<Pod>(resources.pods, { ...probePlace, labelSelector }));
    if (pod === undefined) return undefined;
    const failure = podFailure(pod);
    const lines = (await kube.logTail(pod.metadata, operatorName, { lines: 1000 })) ?? [];
    const said = pod.status?.containerStatuses?.[0]?.state?.waiting?.message ?? lines.at(-1);
    why = [failure?.why ?? whyNodeless(pod) ?? `its pod is ${pod.status?.phase}`, said ?? []]
      .flat()
      .join(': ');
    if (failure === undefined || failure.kind === 'exit')
      return judgeLog(probed, lines) ?? (failure && unfinished());
    return failedOutcome(wecProblem('container-not-starting', why));
  };
  try {
    // Not interrupted: a Job whose creation was not answered might appear after its deletion.
    await writeLast(kube, (last) => last.create(resources.jobs, job, probePlace));
    return (await poll(read, run)) ?? unfinished();
  } finally {
    const { name: made, namespace } = job.metadata;
    await writeLast(kube, (last) => deletePresent(last, resources.jobs, made, namespace));
  }
}

const failedOutcome = (problem: Problem): Outcome => ({ status: 'fail', problem });

/**
 * A request without rights is refused by the API server itself: by then its certificate was verified.
 * @returns undefined if the log shows nothing yet
 */
export function judgeLog(probed: Probed, lines: readonly string[]): Outcome | undefined {
  const { name, its, kube, endpoint } = probed;
  if (lines.some((line) => /\bis forbidden: User "|\bUnauthorized\b/.test(line)))
    return pass(endpoint.server);
  // The first one: a later line may have several.
  const [report] = lines.flatMap((line) => /Get "https:\/\/[^"]*": .*$/.exec(line)?.[0] ?? []);
  if (report === undefined) return undefined;
  const { kind, words } = connectionErrorIn(report);
  const code = whyUnreached(kind, words, endpoint);
  const again = command`stellarctl doctor --pre --probe ${`${name}=${kube.cluster.context}`} --its ${its}`;
  const option = code.startsWith('authority') ? '--ca-file FILE' : '--hub-apiserver https://…';
  return failedOutcome(
    wecProblem(
      code,
      `its pods do not reach ${endpoint.server}: ${words}`,
      partial(`${again} ${option}`, 'Try another connection'),
    ),
  );
}

import { type Check, fail, type Outcome, pass, skipped, warn } from '../../core/checks.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, partial } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { compareVersions } from '../../core/text/version.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { missing, shownList } from '../../kube/client/missing.ts';
import { type Event, isTrue, type Node, type Pod, resources } from '../../kube/client/objects.ts';
import { cpuLeft } from '../../kube/nodes.ts';
import { cpuOf, namespaceOf } from '../../ocm/model/kubeflex-names.ts';
import { listControlPlanes, typeOf } from './spaces.ts';

export const roomCheck: Check<{ kube: Kube }> = {
  id: 'room',
  title: 'its nodes have CPU for another ITS and WDS',
  run: ({ kube }) => judgeRoom(kube, ['k8s', 'vcluster']),
};

/** Whether the pods of spaces of these types find a node. Those of KubeFlex have no tolerations. */
async function judgeRoom(kube: Kube, types: readonly string[]): Promise<Outcome> {
  const reader = partialReader(kube);
  const [nodes, pods] = await Promise.all([
    reader.list<Node>(resources.nodes),
    reader.list<Pod>(resources.pods),
  ]);
  if (pods === missing || nodes === missing || nodes.length === 0)
    return skipped('its nodes or their pods are not visible');
  const left = cpuLeft(nodes, pods);
  for (const type of types)
    for (const asked of cpuOf[type] ?? []) {
      const most = Math.max(0, ...left);
      const why = `a pod of a space of type ${type} asks for ${asked}m CPU, and its nodes have at most ${most}m left`;
      if (most < asked) return warn('no-room', why, advice('Give it another node, or more cores'));
      left[left.indexOf(most)] = most - asked;
    }
  return pass();
}

/**
 * Compares what a new space asks for with what the nodes have left. Pods of type k8s have the priority system-node-critical: the
 * scheduler would remove others for them, and with them an ITS. Those of other types wait for room.
 * @throws StellarError `no-room`
 */
export async function requireRoom(hosting: Kube, type: string, run: Run): Promise<void> {
  const outcome = cpuOf[type] && (await judgeRoom(hosting, [type]));
  if (outcome?.status !== 'warn') return;
  const text = `The hosting cluster ${hosting.cluster.context}: ${outcome.problem.message}`;
  if (type !== 'k8s') return run.progress.note(`${text}: it waits for room.`);
  throw new StellarError(
    'no-room',
    `${text}. Other pods, such as those of an ITS, would be removed for it.`,
    ...outcome.problem.next,
    advice('Or let it use the API server of the hosting cluster: --type host'),
  );
}

/** What the scheduler has removed from the namespace of a space for other pods, a line each (kube-scheduler, preemption). */
export async function preempted(hosting: Kube, space: string): Promise<string[]> {
  const events = shownList(
    await partialReader(hosting).list<Event>(resources.events, { namespace: namespaceOf(space) }),
  );
  const removed = events.filter(({ reason }) => reason === 'Preempted');
  return removed.map(({ involvedObject: pod, related }) => {
    const by = related ? `${related.namespace}/${related.name}` : 'another one';
    return `The scheduler has removed pod ${pod?.name} for ${by}.`;
  });
}

/** Spaces of type vcluster (chart 0.16.4, k3s 1.27.2) do not start on this version of k3s and later ones. */
const failing = { version: '1.35', source: 'kubestellar/kubestellar#3832: k3d 5.9.0' };

export const vclusterCheck: Check<{ kube: Kube }> = {
  id: 'vcluster',
  title: 'spaces of type vcluster are not known to fail on its version of Kubernetes',
  run: ({ kube }) => judgeVersion(kube),
};

/** A space that runs there says more than what is known of its version. */
async function judgeVersion(hosting: Kube): Promise<Outcome> {
  const { gitVersion = '' } = (await hosting.read<{ gitVersion?: string }>('/version')) ?? {};
  const [version] = /\d+\.\d+/.exec(gitVersion) ?? [];
  if (version === undefined) return skipped('its API server does not say its version');
  if (!gitVersion.includes('+k3s') || compareVersions(version, failing.version) < 0)
    return pass(version);
  const spaces = await listControlPlanes(partialReader(hosting));
  const running = spaces.find((space) => typeOf(space) === 'vcluster' && isTrue(space, 'Ready'));
  if (running !== undefined) return pass(`${running.metadata.name} runs on ${version}`);
  return fail(
    'kubernetes-unsupported',
    `spaces of type vcluster do not start on ${gitVersion} (${failing.source})`,
    partial('stellarctl its create NAME --type host', 'On this cluster'),
  );
}

/** @throws StellarError `kubernetes-unsupported` if a source names the version of the hosting cluster as failing */
export async function requireVclusterHost(hosting: Kube): Promise<void> {
  const outcome = await judgeVersion(hosting);
  if (outcome.status !== 'fail') return;
  const { next } = outcome.problem;
  throw new StellarError(
    'kubernetes-unsupported',
    `The hosting cluster ${hosting.cluster.context}: ${outcome.problem.message}.`,
    ...next,
  );
}

import { type Check, type Outcome, pass, skipped, warn } from '../../core/checks.ts';
import { StellarError } from '../../core/errors.ts';
import { advice } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { type Event, type Node, type Pod, resources } from '../../kube/client/objects.ts';
import { cpuLeft } from '../../kube/nodes.ts';
import { cpuOf, namespaceOf } from '../../ocm/model/kubeflex-names.ts';

export const roomCheck: Check<{ kube: Kube }> = {
  id: 'room',
  title: 'its nodes have CPU for another ITS and WDS',
  run: ({ kube }) => judgeRoom(kube, ['k8s', 'vcluster']),
};

/** Whether the pods of spaces of these types find a node. Those of KubeFlex have no tolerations. */
async function judgeRoom(kube: Kube, types: readonly string[]): Promise<Outcome> {
  const reader = partialReader(kube);
  const [nodes = [], pods] = await Promise.all([
    reader.list<Node>(resources.nodes),
    reader.list<Pod>(resources.pods),
  ]);
  if (pods === undefined || nodes.length === 0)
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
  const next = [
    ...outcome.problem.next,
    advice('Or let it use the API server of the hosting cluster: --type host'),
  ];
  throw new StellarError(
    'no-room',
    `${text}. Other pods, such as those of an ITS, would be removed for it.`,
    { next },
  );
}

/** What the scheduler has removed from the namespace of a space for other pods, a line each (kube-scheduler, preemption). */
export async function preempted(hosting: Kube, space: string): Promise<string[]> {
  const events =
    (await partialReader(hosting).list<Event>(resources.events, {
      namespace: namespaceOf(space),
    })) ?? [];
  const removed = events.filter(({ reason }) => reason === 'Preempted');
  return removed.map(({ involvedObject: pod, related }) => {
    const by = related ? `${related.namespace}/${related.name}` : 'another one';
    return `The scheduler has removed pod ${pod?.name} for ${by}.`;
  });
}

import { mapConcurrently } from '../core/concurrency.ts';
import { formatAge } from '../core/deadline.ts';
import { command, type NextStep, run } from '../core/next-step.ts';
import { ifSeen, tryRead } from './access.ts';
import type { Reader } from './client/client.ts';
import { conditionOf, isTrue, type Node, type Pod, resources } from './client/objects.ts';

/** A node whose kubelet does not report: what the pods on it show is as old. */
export interface LostNode {
  name: string;
  /** A clause, such as `its node n1 is not ready: Kubelet stopped posting node status (for 5m)`. */
  why: string;
}

/**
 * The nodes of pods whose kubelets do not report. They are read only for pods that are not ready, or do not end: the control plane marks
 * those of a lost node so after 40 s, whatever their containers show (kubernetes pkg/controller/nodelifecycle).
 * @param now by the clock of the cluster @returns none that may not be read
 */
export async function readLostNodes(
  kube: Reader,
  pods: readonly Pod[],
  now: number,
): Promise<LostNode[]> {
  const suspects = pods.filter(
    (pod) => pod.metadata.deletionTimestamp !== undefined || !isTrue(pod, 'Ready'),
  );
  const names = [...new Set(suspects.flatMap(({ spec }) => spec?.nodeName ?? []))];
  const nodes = await mapConcurrently(names, (name) =>
    tryRead(() => kube.get<Node>(resources.nodes, name)),
  );
  return nodes.flatMap((node) => lostNode(ifSeen(node), now) ?? []);
}

function lostNode(node: Node | undefined, now: number): LostNode | undefined {
  const ready = conditionOf(node, 'Ready');
  if (node === undefined || ready === undefined || ready.status === 'True') return undefined;
  const { name } = node.metadata;
  const reason = (ready.message ?? ready.reason ?? '').replace(/\.$/, '');
  const age = now - Date.parse(ready.lastTransitionTime ?? '');
  const since = Number.isNaN(age) ? '' : ` (for ${formatAge(age)})`;
  return { name, why: `its node ${name} is not ready: ${reason}${since}` };
}

/** The lost node of a pod. */
export const lostNodeOf = ({ spec }: Pod, lost: readonly LostNode[]) =>
  lost.find(({ name }) => name === spec?.nodeName);

export const toSeeNode = (context: string, { name }: LostNode): NextStep =>
  run(
    command`kubectl --context ${context} describe node ${name}`,
    'Start it, or its kubelet, again',
  );

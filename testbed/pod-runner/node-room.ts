import type { Container, KubeObject, Pod } from '../kube/objects.ts';

/** A node as far as its room counts. */
export interface NodeWithRoom extends KubeObject {
  status?: { allocatable?: Record<string, string> };
}

interface Requesting extends Container {
  resources?: { requests?: Record<string, string> };
}

const noRoom = '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: ';

/** What becomes of a pod: it fits, it removes others and waits, or it waits. */
export interface Fit {
  /** The scheduler's message; undefined if it fits. */
  why: string | undefined;
  /** The pods that are removed for it. */
  victims: readonly Pod[];
}

/**
 * Whether the CPU requests of a pod fit on a node, as the scheduler judges (kubernetes pkg/scheduler/framework, plugins noderesources and
 * defaultpreemption): else pods of lower priority are removed, the lowest first, if that makes room and no more than it needs.
 * @param present the pods of the node
 */
export function fitOf(pod: Pod, node: NodeWithRoom, present: readonly Pod[]): Fit {
  const running = present.filter(({ status }) => !/Succeeded|Failed/.test(status?.phase ?? ''));
  const used = running.reduce((sum, each) => sum + cpuOf(each), 0);
  let missing = cpuOf(pod) + used - milli(node.status?.allocatable?.cpu);
  if (missing <= 0) return { why: undefined, victims: [] };
  const lower = running
    .filter(
      (each) =>
        cpuOf(each) > 0 &&
        priorityOf(each) < priorityOf(pod) &&
        each.metadata.deletionTimestamp === undefined,
    )
    .sort((a, b) => priorityOf(a) - priorityOf(b));
  const victims: Pod[] = [];
  for (const each of lower) {
    if (missing <= 0) break;
    victims.push(each);
    missing -= cpuOf(each);
  }
  if (missing > 0)
    return { why: `${noRoom}1 No preemption victims found for incoming pod.`, victims: [] };
  return { why: `${noRoom}1 Insufficient cpu.`, victims };
}

const priorityOf = ({ spec: { priority = 0 } }: Pod): number => priority;

/** In thousandths of a core: its containers together, or its largest init container. */
function cpuOf({ spec: { containers, initContainers = [] } }: Pod): number {
  const of = (each: Requesting) => milli(each.resources?.requests?.cpu);
  return Math.max(
    containers.reduce((sum, each) => sum + of(each), 0),
    ...initContainers.map(of),
  );
}

const milli = (amount = '0'): number =>
  amount.endsWith('m') ? Number(amount.slice(0, -1)) : Number(amount) * 1000;

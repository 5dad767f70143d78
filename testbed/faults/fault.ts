import { agentNamespace, hubNamespace } from '../ocm/names.ts';

/** Pods, by the beginning of `namespace/name`. */
export const pods = {
  /** All agents of a managed cluster, whatever the mode. */
  agents: `${agentNamespace}/`,
  webhook: `${hubNamespace}/cluster-manager-registration-webhook`,
  /** Decides nothing any more: decisions stay as they are. */
  placement: `${hubNamespace}/cluster-manager-placement-controller`,
  /** The hub's side of registration: cleans up nothing any more, for example. */
  registration: `${hubNamespace}/cluster-manager-registration-controller`,
} as const;

/** What goes wrong in the world of the pods, which the pod runner plays. */
export type PodFault =
  /** Programs that fail whenever they start, those that run at once. Mending ends the kubelet's back-off. */
  | { kind: 'crashing'; plane: string; pod: string }
  /** Programs that do nothing any more, as if their node were frozen: what the API server says of them stays. */
  | { kind: 'dead'; plane: string; pod: string }
  /** Agents whose clock is so many seconds ahead, or behind. */
  | { kind: 'clock-off'; plane: string; pod: string; seconds: number }
  /** An image that cannot be pulled, by a part of its name; containers that run already go on. */
  | { kind: 'unpullable'; image: string }
  /** Programs of an image, by a part of its name, that say these lines and fail whenever they start; those that run go on. */
  | { kind: 'failing'; image: string; log: string[] }
  /** Programs of an image that start, and then do nothing and say nothing; those that run go on. */
  | { kind: 'silent'; image: string }
  /** Pods that no node has room for: those that are made from now on. */
  | { kind: 'unschedulable'; plane: string; pod: string }
  /** Pods whose node runs out of disk: they fail at once, and their successors find no node. */
  | { kind: 'evicted'; plane: string; pod: string }
  /**
   * A name that pods cannot resolve, that refuses their connections, or behind which a firewall swallows what they
   * send; the pods of one plane where `from` names it. Watches that are there already last.
   */
  | { kind: 'unresolvable' | 'refused' | 'swallowed'; host: string; from?: string };

/** What goes wrong with an API server. */
type PlaneFault =
  /** Its processes are killed; the data stay. */
  | { kind: 'stopped'; plane: string }
  /** It serves with a certificate of another CA than its kubeconfigs know; connections that are there already last. */
  | { kind: 'certificate'; plane: string }
  /** It serves with a certificate of its own CA that does not name its node; connections that are there already last. */
  | { kind: 'misnamed'; plane: string }
  /** Its store hangs: it answers nothing that needs it, and says of itself that it is not healthy. */
  | { kind: 'unhealthy'; plane: string }
  /** Nobody signs approved requests: its controller manager runs without that controller, as Amazon's do. */
  | { kind: 'unsigned'; plane: string };

export type Fault = PodFault | PlaneFault;

const planeFaults: ReadonlySet<string> = new Set<PlaneFault['kind']>([
  'stopped',
  'certificate',
  'misnamed',
  'unhealthy',
  'unsigned',
]);

export function isPodFault(fault: Fault): fault is PodFault {
  return !planeFaults.has(fault.kind);
}

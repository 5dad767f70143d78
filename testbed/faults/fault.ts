import { agentNamespace, hubNamespace } from '../ocm/names.ts';

/** Pods, by the beginning of `namespace/name`. */
export const pods = {
  /** All agents of a managed cluster, whatever the mode. */
  agents: `${agentNamespace}/`,
  webhook: `${hubNamespace}/cluster-manager-registration-webhook`,
  /** Decides nothing any more: decisions stay. */
  placement: `${hubNamespace}/cluster-manager-placement-controller`,
  /** The hub's side of registration: for example, it no longer cleans up. */
  registration: `${hubNamespace}/cluster-manager-registration-controller`,
} as const;

/** A fault of pods or their environment, simulated by the pod runner. */
export type PodFault =
  /** Programs that fail whenever they start; running ones fail at once. Removing the fault ends the kubelet's back-off. */
  | { kind: 'crashing'; plane: string; pod: string }
  /** Programs that do nothing any more, as if their node were frozen: their state in the API server stays. */
  | { kind: 'dead'; plane: string; pod: string }
  /** Agents whose clock is so many seconds ahead, or behind. */
  | { kind: 'clock-off'; plane: string; pod: string; seconds: number }
  /** An image that cannot be pulled, by a part of its name; running containers continue. */
  | { kind: 'unpullable'; image: string }
  /** An air gap: images and charts can be pulled from one registry only; running containers continue. */
  | { kind: 'air-gap'; registry: string }
  /** Programs of an image, by a part of its name, that print these lines and fail whenever they start; running ones continue. */
  | { kind: 'failing'; image: string; log: string[] }
  /** Programs of an image that start, and then do nothing and print nothing; running ones continue. */
  | { kind: 'silent'; image: string }
  /** Pods that fit on no node: new ones only. */
  | { kind: 'unschedulable'; plane: string; pod: string }
  /**
   * A name that pods cannot resolve, that refuses their connections, or behind which a firewall drops their packets; the pods of
   * one plane if `from` names it. Existing watches survive.
   */
  | { kind: 'unresolvable' | 'refused' | 'swallowed'; host: string; from?: string };

/** A fault of an API server. */
type PlaneFault =
  /** Its processes are killed; the data remain. */
  | { kind: 'stopped'; plane: string }
  /** It serves with a certificate of another CA than its kubeconfigs know; existing connections survive. */
  | { kind: 'certificate'; plane: string }
  /** It serves with a certificate of its own CA that does not name its node; existing connections survive. */
  | { kind: 'misnamed'; plane: string }
  /** Its store hangs: it answers nothing that needs it, and reports itself as unhealthy. */
  | { kind: 'unhealthy'; plane: string }
  /** Approved requests are not signed: its controller manager runs without that controller, as Amazon's do. */
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

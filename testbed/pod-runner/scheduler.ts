import { type Api, keyOf } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import type { Pod } from '../kube/objects.ts';
import { pods } from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';
import type { Faults } from './faults.ts';
import { type Fit, fitOf, type NodeWithRoom } from './node-room.ts';
import { tell } from './pod-events.ts';

interface OnlyNode {
  /** The names of its plane and its own. */
  plane: string;
  nodeName: string;
  kubelet: Api;
  faults: Faults;
  signal: AbortSignal;
  /** The node as it was last seen, and all pods of the plane. */
  seen: () => { node: NodeWithRoom | undefined; pods: readonly Pod[] };
}

/** The scheduler of a plane with one node. */
export class Scheduler {
  readonly #node: OnlyNode;
  /** By UID, pods without a node, and why they have none. */
  readonly #unbound = new Map<string, { pod: Pod; why: string | undefined }>();

  constructor(node: OnlyNode) {
    this.#node = node;
  }

  /** Binds a pod to the node, or reports why it fits on none. A pod that is known gets no new attempt: only its status changed. */
  async bind(pod: Pod): Promise<void> {
    const { uid = '' } = pod.metadata;
    if (this.#unbound.has(uid)) return;
    await this.#attempt(pod).catch((error) => {
      this.#unbound.delete(uid);
      throw error;
    });
  }

  /** To be called with a pod that has a node or is deleted. */
  forget({ metadata: { uid = '' } }: Pod): void {
    this.#unbound.delete(uid);
  }

  /** To be called after a change of faults or of the node, and when a pod has left its room. */
  async retry(failed: (error: Error) => void): Promise<void> {
    const waiting = [...this.#unbound.values()].filter(({ why }) => why !== undefined);
    for (const { pod } of waiting) await this.#attempt(pod).catch(failed);
  }

  async #attempt(pod: Pod): Promise<void> {
    const { namespace, name, uid = '' } = pod.metadata;
    const { plane, nodeName, kubelet, faults, signal } = this.#node;
    const fit = this.#fit(pod);
    const why = faults.unschedulable(plane, pod) ?? fit.why;
    const told = this.#unbound.get(uid)?.why;
    this.#unbound.set(uid, { pod, why });
    if (why && why !== told) await this.#report(pod, why);
    if (why === fit.why) await this.#remove(fit.victims, pod);
    if (why) return;
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
    const binding = { metadata: { namespace, name }, target };
    await untilAnswered(() => kubelet.post(pods, keyOf(pod), 'binding', binding), signal);
  }

  #fit(pod: Pod): Fit {
    const { nodeName, seen } = this.#node;
    const { node, pods: all } = seen();
    if (node === undefined) return { why: undefined, victims: [] };
    return fitOf(
      pod,
      node,
      all.filter(({ spec }) => spec.nodeName === nodeName),
    );
  }

  /** Removes pods for one of higher priority, which needs their room. */
  async #remove(victims: readonly Pod[], pod: Pod): Promise<void> {
    const { nodeName, kubelet, signal } = this.#node;
    const { namespace, name, uid = '' } = pod.metadata;
    const related = { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
    const message = `Preempted by pod ${uid} on node ${nodeName}`;
    const told = { reason: 'Preempted', message, component: 'default-scheduler', related };
    for (const victim of victims) {
      await tell(kubelet, victim, { ...told, type: 'Normal' });
      await untilAnswered(() => kubelet.delete(pods, keyOf(victim)), signal);
    }
  }

  async #report(pod: Pod, message: string): Promise<void> {
    const { kubelet, signal } = this.#node;
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    const status = { conditions: [{ ...condition, lastTransitionTime: now() }] };
    await untilAnswered(
      () => kubelet.patch(pods, keyOf(pod), { status }, { subresource: 'status' }),
      signal,
    );
    await tell(kubelet, pod, {
      reason: 'FailedScheduling',
      message,
      component: 'default-scheduler',
    });
  }
}

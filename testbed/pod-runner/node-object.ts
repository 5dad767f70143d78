import type { Api } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import { nodes } from '../kube/resources.ts';

/** The Node object of a kubelet. */
export class NodeObject {
  readonly #api: Api;
  readonly #name: string;
  #isFull = false;

  constructor(api: Api, name: string) {
    this.#api = api;
    this.#name = name;
  }

  /** @param addresses of the kubelet: the API server fetches container logs from the host name, else from the address */
  async register(addresses: { InternalIP: string; Hostname?: string }, port: number): Promise<void> {
    const labels = { 'kubernetes.io/hostname': this.#name, 'node-role.kubernetes.io/control-plane': '' };
    await this.#api.ensure(nodes, { metadata: { name: this.#name, labels } });
    const resources = { cpu: '2', memory: '8Gi', pods: '110' };
    const daemonEndpoints = { kubeletEndpoint: { Port: port } };
    const listed = Object.entries(addresses).map(([type, address]) => ({ type, address }));
    await this.#report({ capacity: resources, allocatable: resources, addresses: listed, daemonEndpoints });
    // The API server gives each new node the taint of one that is not ready, which the node lifecycle controller removes.
    await this.#api.patch(nodes, this.#name, { spec: { taints: null } });
  }

  /** Reports disk pressure, as kubelet and node lifecycle controller do. */
  async reportDisk(isFull: boolean): Promise<void> {
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    await this.#report({});
    const taint = { key: 'node.kubernetes.io/disk-pressure', effect: 'NoSchedule', timeAdded: now() };
    await this.#api.patch(nodes, this.#name, { spec: { taints: isFull ? [taint] : null } });
  }

  async #report(more: object): Promise<void> {
    const pressure = this.#isFull
      ? { status: 'True', reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' }
      : { status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' };
    const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' };
    const conditions = [{ type: 'DiskPressure', ...pressure }, ready];
    const status = { ...more, conditions: conditions.map((each) => ({ ...each, lastTransitionTime: now() })) };
    await this.#api.patch(nodes, this.#name, { status }, { subresource: 'status' });
  }
}

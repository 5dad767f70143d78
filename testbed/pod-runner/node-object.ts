import type { Api } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import { nodes } from '../kube/resources.ts';

/** The Node object of a kubelet. */
export class NodeObject {
  readonly #api: Api;
  readonly #name: string;

  constructor(api: Api, name: string) {
    this.#api = api;
    this.#name = name;
  }

  /** @param addresses of the kubelet: the API server fetches container logs from the host name, else from the address */
  async register(
    addresses: { InternalIP: string; Hostname?: string },
    port: number,
  ): Promise<void> {
    const labels = {
      'kubernetes.io/hostname': this.#name,
      'node-role.kubernetes.io/control-plane': '',
    };
    await this.#api.ensure(nodes, { metadata: { name: this.#name, labels } });
    // The pods are processes of one machine: their requests add up to more than its cores.
    const resources = { cpu: '64', memory: '8Gi', pods: '110' };
    const daemonEndpoints = { kubeletEndpoint: { Port: port } };
    const listed = Object.entries(addresses).map(([type, address]) => ({ type, address }));
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: 'kubelet is posting ready status',
    };
    const conditions = [{ ...ready, lastTransitionTime: now() }];
    const status = {
      capacity: resources,
      allocatable: resources,
      addresses: listed,
      daemonEndpoints,
      conditions,
    };
    await this.#api.patch(nodes, this.#name, { status }, { subresource: 'status' });
    // The API server gives each new node the taint of one that is not ready, which the node lifecycle controller removes.
    await this.#api.patch(nodes, this.#name, { spec: { taints: null } });
  }
}

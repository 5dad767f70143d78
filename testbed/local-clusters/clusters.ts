import { setTimeout as sleep } from 'node:timers/promises';
import type { Bed } from '../bed.ts';
import { isNotFound } from '../kube/errors.ts';
import { nodes } from '../kube/resources.ts';
import type { PortMapping } from '../plane/plane.ts';

/** A program that creates clusters from containers on this machine. */
export type Provider = 'kind' | 'k3d';

/** A cluster that one of the programs has created, or started to create. */
export interface LocalCluster {
  provider: Provider;
  name: string;
  /** The container of its node. */
  container: string;
  /** The container network that it is on. */
  network: string;
  /** Ports of this machine that are mapped to ports of its node. */
  ports: PortMapping[];
  /** False if its creator was killed before it was done: containers exist, but no Kubernetes yet. */
  isComplete: boolean;
}

export interface NewCluster extends Omit<LocalCluster, 'isComplete'> {
  nodeLabels: Record<string, string>;
}

/** The clusters of kind and k3d: real planes of a bed, with the names of the clusters. */
export class LocalClusters {
  readonly #bed: Bed;
  readonly #all = new Map<string, LocalCluster>();
  #turns: Promise<unknown> = Promise.resolve();

  constructor(bed: Bed) {
    this.#bed = bed;
  }

  of(provider: Provider): LocalCluster[] {
    return this.all.filter((cluster) => cluster.provider === provider);
  }

  get all(): LocalCluster[] {
    return [...this.#all.values()];
  }

  find(provider: Provider, name: string): LocalCluster | undefined {
    return this.of(provider).find((cluster) => cluster.name === name);
  }

  plane(name: string): ReturnType<Bed['plane']> {
    return this.#bed.plane(name);
  }

  /** Starts a cluster. If the signal interrupts that, it stays incomplete, as when such a program is killed. */
  async create(cluster: NewCluster, signal: AbortSignal): Promise<void> {
    const { provider, name, container, network, ports } = cluster;
    const made: LocalCluster = { provider, name, container, network, ports, isComplete: false };
    this.#all.set(`${provider}/${name}`, made);
    // One that was interrupted may still be starting, and must be gone first.
    const turn = this.#turns.then(() => this.#start(cluster, signal));
    this.#turns = turn.catch(() => {});
    // They clean up after their own failures.
    await turn.catch((error) => {
      this.#all.delete(`${provider}/${name}`);
      throw error;
    });
    made.isComplete = !signal.aborted;
  }

  async #start(
    { provider, name, container, ports, nodeLabels }: NewCluster,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted) return;
    const { admin } = await this.#bed.addPlane({
      name,
      nodeName: container,
      ports,
      // The name of k3d's API servers in kubeconfigs.
      hosts: ['0.0.0.0'],
      clusterInfo: provider === 'kind',
    });
    const untilThere = () => admin.patch(nodes, container, { metadata: { labels: nodeLabels } });
    while (!signal.aborted && !(await untilThere().catch(ifNotFound))) await sleep(50);
    if (signal.aborted) await this.#bed.removePlane(name);
  }

  async remove({ provider, name, isComplete }: LocalCluster): Promise<void> {
    this.#all.delete(`${provider}/${name}`);
    if (isComplete) await this.#bed.removePlane(name);
  }
}

function ifNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

import type { Api } from '../kube/api.ts';
import type { Faults } from '../pod-runner/faults.ts';
import type { NestedPlanes } from '../pod-runner/nested-planes.ts';
import type { ContainerParts } from './container.ts';
import type { ClusterNetwork, Network } from './network.ts';
import type { Machine } from './process.ts';
import type { Mountable } from './volumes.ts';

/** What a node provides to its pods. */
export interface NodeContext extends Mountable {
  machine: Machine;
  /** The node's address, as Kubernetes knows it. */
  address: string;
  /** The names of its plane and of the node. */
  plane: string;
  nodeName: string;
  /** The kubelet's own client. */
  kubelet: Api;
  /** The CA of the cluster. */
  caPem: string;
  network: Network;
  faults: Faults;
  cluster: ClusterNetwork;
  nestedPlanes: NestedPlanes;
  /** The folder of the files of its pods. */
  podsDir: string;
  /** Ports of the node that programs on this machine reach, and where. */
  publishedPorts: readonly { node: number; host: number }[];
  /** Aborted when the kubelet stops. */
  signal: AbortSignal;
  /** Reports whether a container is ready. */
  setReady(parts: ContainerParts, isReady: boolean): void;
}

import type { Api, Dial } from '../kube/api.ts';
import type { Secret } from '../kube/objects.ts';
import type { Faults } from './faults.ts';
import type { NestedPlanes } from './nested-planes.ts';
import type { NodePorts } from './node-ports.ts';
import type { ServiceProxy } from './service-proxy.ts';

/** What the pods of a node have of it. */
export interface NodeContext {
  plane: string;
  nodeName: string;
  faults: Faults;
  kubelet: Api;
  /** A client of the pods' own cluster. */
  connectOwn: (token: () => string) => Api;
  /** The network as pods see it. */
  dial: Dial;
  services: ServiceProxy;
  nodePorts: NodePorts;
  nestedPlanes: NestedPlanes;
  logDir: string;
  /** Aborted when the kubelet stops. */
  signal: AbortSignal;
  findSecret(key: string): Secret | undefined;
  /** Resolves when any Secret has changed, or the signal says so. */
  secretChange(signal: AbortSignal): Promise<void>;
}

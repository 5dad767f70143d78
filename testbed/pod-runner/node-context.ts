import type { Api, Dial } from '../kube/api.ts';
import type { Secret } from '../kube/objects.ts';
import type { Faults } from './faults.ts';
import type { NestedPlanes } from './nested-planes.ts';
import type { NodePorts } from './node-ports.ts';
import type { ServiceProxy } from './service-proxy.ts';

/** What a node provides to its pods. */
export interface NodeContext {
  plane: string;
  nodeName: string;
  faults: Faults;
  kubelet: Api;
  /** Creates a client of the pods' own cluster. */
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
  /** Resolves at the next change of any Secret or the signal. */
  secretChange(signal: AbortSignal): Promise<void>;
}

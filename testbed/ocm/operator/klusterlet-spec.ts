import type { Klusterlet } from '../../kube/objects.ts';
import { agentNamespace } from '../names.ts';

/** The spec of a Klusterlet, with defaults. */
export interface Wanted {
  /** Its name, the prefix of all names on the cluster. */
  name: string;
  uid: string;
  namespace: string;
  clusterName: string;
  isSingleton: boolean;
  spec: NonNullable<Klusterlet['spec']>;
}

export function wantedOf({ metadata, spec = {} }: Klusterlet): Wanted {
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    namespace: spec.namespace || agentNamespace,
    clusterName: spec.clusterName ?? '',
    isSingleton: spec.deployOption?.mode === 'Singleton',
    spec,
  };
}

/** The Deployments of a mode, in the order of the conditions. */
export function deploymentNames({ name, isSingleton }: Wanted): { registration: string; work: string; all: string[] } {
  if (isSingleton) return { registration: `${name}-agent`, work: `${name}-agent`, all: [`${name}-agent`] };
  const [registration, work] = [`${name}-registration-agent`, `${name}-work-agent`];
  return { registration, work, all: [registration, work] };
}

import type { Reader } from '../kube/client/client.ts';
import type { Deployment, Pod, Secret } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { partialReader } from '../kube/partial-reader.ts';
import {
  agentNamespace,
  bootstrapSecretName,
  hubSecretName,
  klusterletName,
  operatorName,
  operatorNamespace,
} from './ocm-names.ts';
import type { Klusterlet } from './ocm-objects.ts';

/** What a WEC shows of its side of the registration at one moment. */
export interface WecEvidence {
  /** The WEC's context, for commands in hints. */
  context: string;
  klusterlet: Klusterlet | undefined;
  bootstrapSecret: Secret | undefined;
  hubSecret: Secret | undefined;
  operator: Deployment | undefined;
  /** Pods of the operator's and the agents' namespaces; undefined if this user may not read them. */
  pods: Pod[] | undefined;
}

export async function readWec(kube: Reader): Promise<WecEvidence> {
  // A user who may not read pods still gets the rest.
  const podReader = partialReader(kube);
  const [klusterlet, bootstrapSecret, hubSecret, operator, ...pods] = await Promise.all([
    kube.get<Klusterlet>(resources.klusterlets, klusterletName),
    kube.get<Secret>(resources.secrets, bootstrapSecretName, { namespace: agentNamespace }),
    kube.get<Secret>(resources.secrets, hubSecretName, { namespace: agentNamespace }),
    kube.get<Deployment>(resources.deployments, operatorName, { namespace: operatorNamespace }),
    podReader.list<Pod>(resources.pods, { namespace: operatorNamespace }),
    podReader.list<Pod>(resources.pods, { namespace: agentNamespace }),
  ]);
  const { context } = kube.cluster;
  const visiblePods = pods.some((list) => list === undefined) ? undefined : pods.flatMap((list) => list ?? []);
  return { context, klusterlet, bootstrapSecret, hubSecret, operator, pods: visiblePods };
}

/**
 * The name that a cluster is registered under, if it is not the WEC's. It is only the cluster's own claim; a Klusterlet without a
 * name claims none.
 */
export function otherName(klusterlet: Klusterlet | undefined, name: string): string | undefined {
  const registered = klusterlet?.spec?.clusterName;
  return registered === name ? undefined : registered || undefined;
}

/** In Singleton mode the agent's id is the Klusterlet's UID (ocm pkg/operator); otherwise it is random and unknown. */
export function singletonAgentId(klusterlet: Klusterlet): string | undefined {
  return klusterlet.spec?.deployOption?.mode === 'Singleton' ? klusterlet.metadata.uid : undefined;
}

import type { Reader } from '../../kube/client/client.ts';
import { ApiError } from '../../kube/client/errors.ts';
import type { Deployment, Pod, Secret } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import {
  agentNamespace,
  bootstrapSecretName,
  hubSecretName,
  klusterletName,
  operatorName,
  operatorNamespace,
} from '../names.ts';
import type { Klusterlet } from '../objects.ts';

/** What a WEC shows of its side of the registration at one moment. */
export interface WecEvidence {
  /** The WEC's context, for the commands in hints. */
  context: string;
  klusterlet: Klusterlet | undefined;
  bootstrapSecret: Secret | undefined;
  hubSecret: Secret | undefined;
  operator: Deployment | undefined;
  /** Those of the operator's and the agents' namespaces; undefined where this user may not see them. */
  pods: Pod[] | undefined;
}

export async function readWec(kube: Reader): Promise<WecEvidence> {
  const [klusterlet, bootstrapSecret, hubSecret, operator, ...pods] = await Promise.all([
    kube.get<Klusterlet>(resources.klusterlets, klusterletName),
    kube.get<Secret>(resources.secrets, bootstrapSecretName, { namespace: agentNamespace }),
    kube.get<Secret>(resources.secrets, hubSecretName, { namespace: agentNamespace }),
    kube.get<Deployment>(resources.deployments, operatorName, { namespace: operatorNamespace }),
    listPods(kube, operatorNamespace),
    listPods(kube, agentNamespace),
  ]);
  const { context } = kube.cluster;
  const seen = pods.some((list) => list === undefined) ? undefined : pods.flatMap((list) => list ?? []);
  return { context, klusterlet, bootstrapSecret, hubSecret, operator, pods: seen };
}

/** Whoever may not see pods sees the rest. */
async function listPods(kube: Reader, namespace: string): Promise<Pod[] | undefined> {
  try {
    return await kube.list<Pod>(resources.pods, { namespace });
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
}

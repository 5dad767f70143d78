import type { Reader } from '../kube/client.ts';
import { type Deployment, isTrue, type Pod, type Secret } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';
import {
  agentNamespace,
  bootstrapSecretName,
  hubSecretName,
  klusterletName,
  operatorName,
  operatorNamespace,
} from './names.ts';
import type { Klusterlet } from './objects.ts';

/** What a WEC shows of its side of the registration at one moment. */
export interface WecEvidence {
  /** The WEC's context, for the commands in hints. */
  context: string;
  klusterlet: Klusterlet | undefined;
  bootstrapSecret: Secret | undefined;
  hubSecret: Secret | undefined;
  operator: Deployment | undefined;
  /** Containers that do not start, as `klusterlet-…: ImagePullBackOff (…)`; looked for only while something is not available. */
  stuckContainers: string[];
}

export async function readWec(kube: Reader): Promise<WecEvidence> {
  const [klusterlet, bootstrapSecret, hubSecret, operator] = await Promise.all([
    kube.get<Klusterlet>(resources.klusterlets, klusterletName),
    kube.get<Secret>(resources.secrets, bootstrapSecretName, { namespace: agentNamespace }),
    kube.get<Secret>(resources.secrets, hubSecretName, { namespace: agentNamespace }),
    kube.get<Deployment>(resources.deployments, operatorName, { namespace: operatorNamespace }),
  ]);
  const allRuns = isTrue(operator, 'Available') && isTrue(klusterlet, 'Available');
  const stuckContainers = allRuns || operator === undefined ? [] : await findStuckContainers(kube);
  return { context: kube.cluster.context, klusterlet, bootstrapSecret, hubSecret, operator, stuckContainers };
}

/** Reasons for which a container will not start by itself. */
const stuckReasons = [
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'CrashLoopBackOff',
  'CreateContainerConfigError',
];

async function findStuckContainers(kube: Reader): Promise<string[]> {
  const namespaces = [operatorNamespace, agentNamespace];
  const lists = await Promise.all(namespaces.map((namespace) => kube.list<Pod>(resources.pods, { namespace })));
  const stuck: string[] = [];
  for (const pod of lists.flatMap((pods) => pods ?? [])) {
    for (const { state } of pod.status?.containerStatuses ?? []) {
      const { reason = '', message } = state?.waiting ?? {};
      if (stuckReasons.includes(reason))
        stuck.push(`${pod.metadata.namespace}/${pod.metadata.name}: ${reason}${message ? ` (${message})` : ''}`);
    }
  }
  return stuck;
}

import type { Kube } from '../../kube/client/client.ts';
import type { Pod } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { operatorName, operatorNamespace } from '../names.ts';
import { isOperatorPod } from '../registration/wec-pods.ts';
import { isRunning } from './agent-state.ts';

/** Whether the klusterlet's operator works: by its pods, whatever its Deployment says. @returns undefined where there is no Deployment of its usual name */
export async function operatorRuns(wec: Kube): Promise<boolean | undefined> {
  const [deployment, pods] = await Promise.all([
    wec.get(resources.deployments, operatorName, { namespace: operatorNamespace }),
    wec.list<Pod>(resources.pods, { namespace: operatorNamespace }),
  ]);
  if (deployment === undefined) return undefined;
  return (pods ?? []).some((pod) => isOperatorPod(pod) && isRunning(pod));
}

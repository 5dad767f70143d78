import type { Api } from '../../kube/api.ts';
import type { Condition, Deployment, Klusterlet } from '../../kube/objects.ts';
import { deployments } from '../../kube/resources.ts';
import { deploymentNames, wantedOf } from './klusterlet-spec.ts';

/** The conditions of the agents' Deployments (messages as recorded). */
export async function availability(api: Api, klusterlet: Klusterlet): Promise<Condition[]> {
  const wanted = wantedOf(klusterlet);
  const names = deploymentNames(wanted);
  const find = (name: string) => api.find<Deployment>(deployments, `${wanted.namespace}/${name}`);
  const found = new Map(await Promise.all(names.all.map(async (name) => [name, await find(name)] as const)));
  const observedGeneration = klusterlet.metadata.generation ?? 0;
  const conditions = [
    available(wanted.namespace, names.all, found),
    desiredDegraded('RegistrationDesiredDegraded', wanted.namespace, names.registration, found.get(names.registration)),
    desiredDegraded('WorkDesiredDegraded', wanted.namespace, names.work, found.get(names.work)),
  ];
  return conditions.map((condition) => ({ ...condition, observedGeneration }));
}

function available(namespace: string, names: string[], found: Map<string, Deployment | undefined>): Condition {
  for (const name of names) {
    const deployment = found.get(name);
    const place = `${JSON.stringify(namespace)} ${JSON.stringify(name)}`;
    if (!deployment) return missing('Available', 'False', place);
    const count = deployment.status?.availableReplicas ?? 0;
    if (count > 0) continue;
    return {
      type: 'Available',
      status: 'False',
      reason: 'NoAvailablePods',
      message: `${count} of requested instances are available of deployment ${place}`,
    };
  }
  return {
    type: 'Available',
    status: 'True',
    reason: 'KlusterletAvailable',
    message: `deployments are ready: ${names.join(',')}`,
  };
}

function desiredDegraded(type: string, namespace: string, name: string, deployment: Deployment | undefined): Condition {
  const place = `${JSON.stringify(namespace)} ${JSON.stringify(name)}`;
  if (!deployment) return missing(type, 'True', place);
  const desired = deployment.spec.replicas ?? 1;
  const unavailable = desired - (deployment.status?.availableReplicas ?? 0);
  if (unavailable > 0) {
    const message = `${unavailable} of requested instances are unavailable of deployment ${place}`;
    return { type, status: 'True', reason: 'UnavailablePods', message };
  }
  return {
    type,
    status: 'False',
    reason: 'DeploymentsFunctional',
    message: `deployments replicas are desired: ${desired}`,
  };
}

function missing(type: string, status: 'True' | 'False', place: string): Condition {
  return { type, status, reason: 'GetDeploymentFailed', message: `Failed to get deployment ${place}: not found` };
}

import type { StellarError } from '../core/errors.ts';
import { waitWhile } from '../core/follow.ts';
import type { Run } from '../core/run.ts';
import type { Kube } from './client/client.ts';
import { type Deployment, type Pod, resources } from './client/objects.ts';
import { isRead, isScaledToNone, podsOf } from './pods.ts';
import { listServed } from './served.ts';

/** Where Deployments are. */
export interface DeploymentPlace {
  kube: Kube;
  namespace: string;
}

export const readDeployment = (
  { kube, namespace }: DeploymentPlace,
  name: string,
): Promise<Deployment | undefined> => kube.get(resources.deployments, name, { namespace });

/** The pods of a Deployment, those that end included. */
export const readPods = async (
  { kube, namespace }: DeploymentPlace,
  name: string,
): Promise<Pod[]> => podsOf(name, await listServed<Pod>(kube, resources.pods, { namespace }));

/** Scales a Deployment from or to zero; one that is missing, or is scaled already, stays as it is. */
export async function scale(place: DeploymentPlace, name: string, replicas: number): Promise<void> {
  const present = await readDeployment(place, name);
  if (present === undefined || isScaledToNone(present) === (replicas === 0)) return;
  const patch = { metadata: { uid: present.metadata.uid }, spec: { replicas } };
  await place.kube.merge(resources.deployments, name, patch, { namespace: place.namespace });
}

/**
 * Scales a Deployment to zero, and waits until its pods are gone.
 * @param late the error at the deadline
 * @param subject whose progress shows the wait
 * @param scaled called once zero is written
 */
export async function stop(
  place: DeploymentPlace,
  name: string,
  {
    late,
    subject,
    scaled,
  }: { late: (why: string) => StellarError; subject: string; scaled?: () => void },
  run: Run,
): Promise<void> {
  await scale(place, name, 0);
  scaled?.();
  const blocker = async () => {
    const present = await readDeployment(place, name);
    const pods = await readPods(place, name);
    if (isRead(present) && !present?.status?.replicas && pods.length === 0) return undefined;
    const [limit] = pods.flatMap(({ metadata }) => metadata.deletionGracePeriodSeconds ?? []);
    return `stopping ${name}${limit === undefined ? '' : `; its pods have ${limit}s to end`}`;
  };
  await waitWhile(blocker, run, () => late(`the pods of ${name} have not ended`), subject);
}

import { StellarError } from '../core/errors.ts';
import { command, run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { waitWhile } from '../core/until-met.ts';
import type { Kube } from '../kube/client/client.ts';
import { createdAt, type Deployment, type Pod, resources } from '../kube/client/objects.ts';
import { isScaledToNone, podsOf } from '../kube/pods.ts';
import { namespaceOf } from '../ocm/kubeflex-names.ts';
import type { ControlPlane, PostCreateHook } from '../ocm/kubeflex-objects.ts';
import { triggerReconcile } from './follow-space.ts';
import { forgetHooks, objectsOfHook } from './space-manifests.ts';
import { hookLike } from './spaces.ts';

/** A WDS by name, and its hosting cluster. */
interface Hosted {
  name: string;
  hosting: Kube;
}

export const readDeployment = ({ name, hosting }: Hosted, deployment: string): Promise<Deployment | undefined> =>
  hosting.get(resources.deployments, deployment, { namespace: namespaceOf(name) });

/** The pods of a Deployment, those that end included. */
export const readPods = async ({ name, hosting }: Hosted, deployment: string): Promise<Pod[]> =>
  podsOf(deployment, (await hosting.list<Pod>(resources.pods, { namespace: namespaceOf(name) })) ?? []);

/** Scales a Deployment from or to zero; one that is missing, or is scaled already, stays as it is. */
export async function scale(of: Hosted, name: string, replicas: number): Promise<void> {
  const present = await readDeployment(of, name);
  if (present === undefined || isScaledToNone(present) === (replicas === 0)) return;
  const patch = { metadata: { uid: present.metadata.uid }, spec: { replicas } };
  await of.hosting.merge(resources.deployments, name, patch, { namespace: namespaceOf(of.name) });
}

/** Scales a Deployment to zero, and waits until its pods are gone. @throws StellarError `timeout` */
export async function stop(of: Hosted, name: string, run: Run): Promise<void> {
  await scale(of, name, 0);
  const blocker = async () => {
    const { metadata, status = {} } = (await readDeployment(of, name)) ?? {};
    const isObserved = (status.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
    const isGone = isObserved && !status.replicas && (await readPods(of, name)).length === 0;
    return isGone ? undefined : `stopping ${name}`;
  };
  await waitWhile(blocker, run, () => late(of, `the pods of ${name} have not ended`), of.name);
}

/**
 * Makes KubeFlex run a hook again that has objects from before some time. They are deleted before the hook is forgotten: KubeFlex would
 * find it complete.
 */
export async function rerunHook({ name, hosting }: Hosted, hookName: string, before: number): Promise<void> {
  const controlPlane = await hosting.get<ControlPlane>(resources.controlPlanes, name);
  const ownHook = controlPlane && hookLike(controlPlane, hookName);
  const hook = ownHook && (await hosting.get<PostCreateHook>(resources.postCreateHooks, ownHook));
  if (!controlPlane || !hook) return;
  let isComplete = true;
  for (const { apiVersion, kind, metadata } of objectsOfHook(controlPlane, hook)) {
    const resource = Object.values(resources).find((each) => each.apiVersion === apiVersion && each.kind === kind);
    if (resource === undefined) continue;
    const options = resource.namespaced ? { namespace: namespaceOf(name) } : {};
    const present = await hosting.get(resource, metadata.name, options);
    if (present && createdAt(present) > before) continue;
    isComplete = false;
    if (present) await hosting.delete(resource, metadata.name, { ...options, uid: present.metadata.uid });
  }
  if (isComplete) return;
  await forgetHooks(hosting, controlPlane, [hook.metadata.name]);
  await triggerReconcile(hosting, name);
}

/** The error at the deadline. */
export function late({ name, hosting }: Hosted, why: string): StellarError {
  const see = command`stellarctl wds get ${name} --hosting-context ${hosting.cluster.context}`;
  return new StellarError('timeout', `The restart of the controllers of ${name} is not done in time: ${why}.`, {
    next: [nextStep(see, 'See what blocks it')],
  });
}

import { StellarError } from '../core/errors.ts';
import { command, run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import type { Kube } from '../kube/client/client.ts';
import { createdAt, resources } from '../kube/client/objects.ts';
import * as deployments from '../kube/scaling.ts';
import { namespaceOf } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane, PostCreateHook } from '../ocm/model/kubeflex-objects.ts';
import { triggerReconcile } from './space/follow-space.ts';
import { forgetHooks, objectsOfHook } from './space/space-manifests.ts';
import { hookLike } from './space/spaces.ts';

/** A WDS by name, and its hosting cluster. */
interface Hosted {
  name: string;
  hosting: Kube;
}

const placeOfHosted = ({ name, hosting }: Hosted) => ({
  kube: hosting,
  namespace: namespaceOf(name),
});

export const readController = (of: Hosted, name: string) =>
  deployments.readDeployment(placeOfHosted(of), name);

/** The pods of a Deployment, those that end included. */
export const readControllerPods = (of: Hosted, name: string) =>
  deployments.readPods(placeOfHosted(of), name);

/** Scales a Deployment from or to zero; one that is missing, or is scaled already, stays as it is. */
export const scaleController = (of: Hosted, name: string, replicas: number) =>
  deployments.scale(placeOfHosted(of), name, replicas);

/** Scales a Deployment to zero, and waits until its pods are gone. @throws StellarError `timeout` */
export const stopController = (of: Hosted, name: string, run: Run) =>
  deployments.stop(placeOfHosted(of), name, run, (why) => restartLate(of, why), of.name);

/**
 * Makes KubeFlex run a hook again that has objects from before some time. They are deleted before the hook is forgotten: KubeFlex would
 * find it complete.
 */
export async function rerunHook(
  { name, hosting }: Hosted,
  hookName: string,
  before: number,
): Promise<void> {
  const controlPlane = await hosting.get<ControlPlane>(resources.controlPlanes, name);
  const ownHook = controlPlane && hookLike(controlPlane, hookName);
  const hook = ownHook && (await hosting.get<PostCreateHook>(resources.postCreateHooks, ownHook));
  if (!controlPlane || !hook) return;
  let isComplete = true;
  for (const { apiVersion, kind, metadata } of objectsOfHook(controlPlane, hook)) {
    const resource = Object.values(resources).find(
      (each) => each.apiVersion === apiVersion && each.kind === kind,
    );
    if (resource === undefined) continue;
    const options = resource.namespaced ? { namespace: namespaceOf(name) } : {};
    const present = await hosting.get(resource, metadata.name, options);
    if (present && createdAt(present) > before) continue;
    isComplete = false;
    if (present) await hosting.delete(resource, present);
  }
  if (isComplete) return;
  await forgetHooks(hosting, controlPlane, [hook.metadata.name]);
  await triggerReconcile(hosting, name);
}

/** The error at the deadline. */
export function restartLate({ name, hosting }: Hosted, why: string): StellarError {
  const see = command`stellarctl wds get ${name} --hosting-context ${hosting.cluster.context}`;
  return new StellarError(
    'timeout',
    `The restart of the controllers of ${name} is not done in time: ${why}.`,
    { next: [nextStep(see, 'See what blocks it')] },
  );
}

import type { Kube } from '../kube/client/client.ts';
import { createdAt, type PlainResource, resources } from '../kube/client/objects.ts';
import { namespaceOf } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane, PostCreateHook } from '../ocm/model/kubeflex-objects.ts';
import { triggerReconcile } from './space/follow-space.ts';
import { forgetHooks, objectsOfHook } from './space/space-manifests.ts';
import { hookLike } from './space/spaces.ts';

/**
 * Makes KubeFlex run a hook again that has objects from before some time. They are deleted before the hook is forgotten: KubeFlex would
 * find it complete.
 */
export async function rerunHook(
  { name, hosting }: { name: string; hosting: Kube },
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
      (each): each is PlainResource =>
        !each.isForeseen && each.apiVersion === apiVersion && each.kind === kind,
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

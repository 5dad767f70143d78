import type { Kube } from './client/client.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';

/** Deletes these very objects, whatever has their names meanwhile. @returns whether any was deleted */
export async function deleteObjects(kube: Kube, resource: Resource, objects: readonly KubeObject[]): Promise<boolean> {
  let isAny = false;
  for (const { metadata } of objects) {
    const { name, namespace, uid } = metadata;
    if (await kube.delete(resource, name, { namespace, uid })) isAny = true;
  }
  return isAny;
}

/** Deletes the object that has a name now, by its UID: one that is recreated meanwhile stays. @returns whether it was deleted */
export async function deletePresent(kube: Kube, resource: Resource, name: string, namespace: string): Promise<boolean> {
  const present = await kube.get(resource, name, { namespace });
  return present !== undefined && kube.delete(resource, name, { namespace, uid: present.metadata.uid });
}

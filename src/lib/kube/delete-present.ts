import type { Kube } from './client/client.ts';
import type { Resource } from './resources.ts';

/** Deletes the object that has a name now, by its UID: one that is recreated meanwhile stays. @returns whether it was deleted */
export async function deletePresent(kube: Kube, resource: Resource, name: string, namespace: string): Promise<boolean> {
  const present = await kube.get(resource, name, { namespace });
  return present !== undefined && kube.delete(resource, name, { namespace, uid: present.metadata.uid });
}

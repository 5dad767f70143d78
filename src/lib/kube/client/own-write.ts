import type { KubeObject } from '../objects.ts';

/** Times in objects have whole seconds. */
const resolutionMs = 1000;

/**
 * Whether an object is as a write of ours has made it. A write whose answer was lost is sent again, and then refused (409) because
 * the first one has done its work: without this, the run would deny what it has written.
 * @param body what was sent: an object, or a merge patch
 * @param sent when it was first sent, by the cluster's clock, in milliseconds since the epoch
 */
export function isOwnWrite(object: KubeObject, body: object, manager: string, sent: number): boolean {
  const { managedFields = [] } = object.metadata;
  const wroteSince = managedFields.some(
    (entry) => entry.manager === manager && Date.parse(entry.time ?? '') >= sent - resolutionMs,
  );
  return wroteSince && contains(object, withoutGuards(body));
}

/** What of a body says which object it is for, rather than what is to be in it. */
function withoutGuards(body: object): object {
  const { metadata, ...rest } = body as KubeObject;
  const { labels, annotations, finalizers } = metadata ?? {};
  return { ...rest, metadata: { labels, annotations, finalizers } };
}

/** Whether everything that is wanted is there. What is null is not to be there, as in a merge patch. */
function contains(present: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return true;
  if (wanted === null) return present === null || present === undefined;
  if (Array.isArray(wanted))
    return (
      Array.isArray(present) &&
      present.length === wanted.length &&
      wanted.every((item, index) => contains(present[index], item))
    );
  if (typeof wanted !== 'object') return present === wanted;
  const values = (present ?? {}) as Record<string, unknown>;
  return Object.entries(wanted).every(([key, value]) => contains(values[key], value));
}

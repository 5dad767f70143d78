import { type Api, keyOf } from './api.ts';
import type { KubeObject } from './objects.ts';
import { resourceOf } from './resources.ts';

/** Creates an object, updates it if it differs, or does nothing. Fields that `wanted` does not name stay. */
export async function apply<T extends KubeObject>(api: Api, wanted: T): Promise<T> {
  const resource = resourceOf(wanted);
  const present = await api.find<T>(resource, keyOf(wanted));
  if (!present) return api.create<T>(resource, wanted);
  if (contains(present, wanted)) return present;
  return api.update<T>(resource, merge(present, wanted) as T);
}

/** Whether everything in `wanted` is in `present`, which may have more fields; lists must have the same length. */
function contains(present: unknown, wanted: unknown): boolean {
  if (wanted === undefined || present === wanted) return true;
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(present) &&
      present.length === wanted.length &&
      wanted.every((item, i) => contains(present[i], item))
    );
  }
  if (!isRecord(wanted) || !isRecord(present)) return false;
  return Object.entries(wanted).every(([field, value]) => contains(present[field], value));
}

/** `present` with the fields of `wanted`, deep in objects; lists are replaced. */
function merge(present: unknown, wanted: unknown): unknown {
  if (wanted === undefined) return present;
  if (!isRecord(present) || !isRecord(wanted)) return wanted;
  return {
    ...present,
    ...Object.fromEntries(
      Object.entries(wanted).map(([field, value]) => [field, merge(present[field], value)]),
    ),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

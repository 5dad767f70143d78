import type { Condition } from './objects.ts';

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * The conditions with one set as apimachinery's meta.SetStatusCondition sets it: in place, a new one at the end, lastTransitionTime
 * changing only with the status. The same array is returned if nothing changes.
 */
export function withCondition(conditions: Condition[], wanted: Condition): Condition[] {
  const at = conditions.findIndex((condition) => condition.type === wanted.type);
  const present = conditions[at];
  if (!present) return [...conditions, { lastTransitionTime: now(), ...wanted }];
  const same =
    present.status === wanted.status &&
    present.reason === wanted.reason &&
    present.message === wanted.message &&
    present.observedGeneration === wanted.observedGeneration;
  if (same) return conditions;
  const lastTransitionTime = present.status === wanted.status ? present.lastTransitionTime : now();
  return conditions.with(at, { ...wanted, ...(lastTransitionTime && { lastTransitionTime }) });
}

/** The time as metav1.Time writes it: whole seconds. */
export function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

/** The time as metav1.MicroTime writes it. */
export function microNow(date = new Date()): string {
  return date.toISOString().replace('Z', '000Z');
}

import type { Api } from '../../kube/api.ts';
import { findCondition, withCondition } from '../../kube/conditions.ts';
import { isConflict, isNotFound } from '../../kube/errors.ts';
import type { Condition, Klusterlet } from '../../kube/objects.ts';
import { klusterlets } from '../../kube/resources.ts';

type Status = NonNullable<Klusterlet['status']>;

/** Stores conditions, and other parts of the status, if any of them has changed. */
export async function setConditions(
  api: Api,
  name: string,
  wanted: Condition[],
  rest: Partial<Status> = {},
): Promise<void> {
  // All of the operator's controllers write one list: after a conflict they read it again.
  for (;;) {
    const klusterlet = await api.find<Klusterlet>(klusterlets, name);
    if (!klusterlet) return;
    const { status = {}, metadata } = klusterlet;
    const present = status.conditions ?? [];
    const conditions = wanted.reduce(withCondition, present);
    const isSame = (field: string) => sameJson(status[field as keyof Status], rest[field as keyof Status]);
    if (conditions === present && Object.keys(rest).every(isSame)) return;
    const { uid, resourceVersion } = metadata;
    try {
      const body = { metadata: { uid, resourceVersion }, status: { ...rest, conditions } };
      await api.patch(klusterlets, name, body, { subresource: 'status' });
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
    }
  }
}

/** Whether the operator has applied a Klusterlet, successfully or not: in all records it reports Deployments and hub only then. */
export function isApplied(klusterlet: Klusterlet | undefined): boolean {
  if (!klusterlet || klusterlet.metadata.deletionTimestamp) return false;
  return findCondition(klusterlet.status?.conditions, 'Applied') !== undefined;
}

function sameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

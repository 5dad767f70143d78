import type { Evidence } from '../engine/problem.ts';
import { conditionOf, type KubeObject, type WithConditions } from './objects.ts';

/** The name of an object for people: `Pod NAMESPACE/NAME`. */
export const named = (kind: string, { metadata: { namespace, name } }: KubeObject): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

/** A condition as evidence; none if it is missing. @param on the context of the cluster */
export function byCondition(kind: string, object: WithConditions | undefined, type: string, on: string): Evidence[] {
  const condition = conditionOf(object, type);
  if (object === undefined || condition === undefined) return [];
  const { status, reason, message, lastTransitionTime } = condition;
  return [
    {
      ...{ object: named(kind, object), on, condition: type, status },
      ...(reason && { reason }),
      ...(message && { message }),
      ...(lastTransitionTime && { since: lastTransitionTime }),
    },
  ];
}

/** Another field of an object as evidence. @param since RFC 3339 */
export const byField = (
  kind: string,
  object: KubeObject,
  field: string,
  on: string,
  { status, since }: { status?: string | undefined; since?: string | undefined },
): Evidence => ({
  ...{ object: named(kind, object), on, condition: field },
  ...(status && { status }),
  ...(since && { since }),
});

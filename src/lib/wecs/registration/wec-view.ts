import { rfc3339 } from '../../core/deadline.ts';
import { by } from '../../core/text/words.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { Condition } from '../../kube/client/objects.ts';
import type { RegistrationRequest } from '../../ocm/hub/registration-requests.ts';

/** A WEC by name, with a client for the cluster itself if its context is given. */
export interface Wec {
  name: string;
  kube?: Kube | undefined;
}

export type ConditionView = ReturnType<typeof conditionViews>[number];

/** Conditions for which True is a problem; for all others True is good. */
const isNegative = (type: string) => type.endsWith('Degraded');

/** Sorted by type: OCM's controllers append theirs in whatever order they come to it. */
export function conditionViews(conditions: readonly Condition[] = []) {
  return conditions
    .toSorted(by(({ type }) => type))
    .map(({ type, status, reason = '', message = '', lastTransitionTime }) => ({
      type,
      status,
      reason,
      message,
      since: lastTransitionTime ?? null,
      /** Whether its status is the healthy one. */
      healthy: status === (isNegative(type) ? 'False' : 'True'),
    }));
}

/** A request in the output for scripts: docs/output.md. */
export const requestView = ({ name, agent, state, created }: RegistrationRequest) => ({
  name,
  agent: agent ?? null,
  state,
  /** RFC 3339 */
  created: rfc3339(created),
});

import type { Kube } from '../../kube/client.ts';
import { bootstrapRequests } from '../hub-evidence.ts';
import { judgeRegistration, type Registration } from '../registration-stages.ts';

/** An agent announces itself within a second of its request; the operator looks at a changed secret within a few. */
const patienceMs = 10_000;

/**
 * Notices an agent that goes on by itself only after an hour, or an operator that looks again only after minutes: both do so when
 * the hub refused them once, as while it was restarting (ocm pkg/registration/spoke: 401 and 403 are swallowed until the next
 * resync). A new bootstrap secret makes them start anew at once.
 */
export class NewStart {
  /** Whether it has been done: once is enough, or something else is wrong. */
  done = false;
  #unreachableSince: number | undefined;

  /** @returns why the agent should start anew; undefined when it should not */
  reason(registration: Registration, hub: Kube): string | undefined {
    if (this.done || registration.hub === undefined) return undefined;
    const request = bootstrapRequests(registration.hub).at(-1);
    const unannounced = registration.hub.managedCluster === undefined && request?.state === 'pending';
    if (unannounced && registration.now - request.created > patienceMs) return 'its agent could not announce itself';

    const reach = judgeRegistration(registration).find(({ id }) => id === 'hub-reachable');
    if (reach?.verdict.state !== 'failed' || !hub.hasBeenAway()) this.#unreachableSince = undefined;
    else this.#unreachableSince ??= Date.now();
    const stale = this.#unreachableSince !== undefined && Date.now() - this.#unreachableSince > patienceMs / 2;
    return stale ? 'the ITS has been away' : undefined;
  }
}

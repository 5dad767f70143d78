import type { Verdict } from '../../engine/stages.ts';
import type { Kube } from '../../kube/client/client.ts';
import { createdAt } from '../../kube/objects.ts';
import { writtenAt } from '../klusterlet/agent.ts';
import { asksWithSeveralKeys } from '../registration/acceptance.ts';
import type { Registration } from '../registration/checks.ts';
import { bootstrapRequests } from '../registration/hub-evidence.ts';
import { judgeRegistration } from '../registration/stages.ts';
import { agentPodsOf } from '../registration/wec-pods.ts';
import { clockMarginMs } from './own-requests.ts';

/** An agent announces itself within a second of its request; the operator looks at a changed secret within a few. */
const patienceMs = 10_000;
/** An agent whose bootstrap secret has changed restarts and asks within some seconds: stopped just then, it would ask twice. */
const restartMs = 15_000;
/** Objects are dated by whole seconds. */
const secondMs = 1000;

/** How an agent is made to start anew. */
export interface NewStartNeed {
  why: string;
  /**
   * `token`: by a new bootstrap secret. `certificate`: its certificate is taken away as well. `pods`: both have been done, and it
   * still runs as before.
   */
  by: 'token' | 'certificate' | 'pods';
}

/**
 * Notices an agent that retries by itself only after an hour, or never, and an operator that retries only after minutes: the
 * first when the hub refused it once, as while it was restarting (ocm pkg/registration/spoke: 401 and 403 are swallowed until the
 * next resync), or when it has a certificate of a registration that is gone.
 */
export class NewStart {
  /** What has been done: once is enough, or something else is wrong. */
  readonly #done = new Set<NewStartNeed['by']>();
  #unreachableSince: number | undefined;
  #lostSince: number | undefined;
  #webhookSilentAt = 0;

  /** @param wecNow the WEC's clock, milliseconds since the epoch @returns undefined when the agent should not start anew */
  need(registration: Registration, hub: Kube, wecNow: number): NewStartNeed | undefined {
    if (registration.hub === undefined || this.#done.has('pods')) return undefined;
    // A new secret makes most agents ask at once; those that do not are replaced.
    if (this.#done.size > 0) return asleep(registration, wecNow);
    // Both clusters are at hand: the agent is made to ask once more, and all that was asked before is worthless.
    if (asksWithSeveralKeys(registration.hub)) return { why: 'its requests have several keys', by: 'token' };
    return (
      this.#lost(registration) ??
      this.#unannounced(registration) ??
      asleep(registration, wecNow) ??
      this.#away(registration, hub)
    );
  }

  did({ by }: NewStartNeed): void {
    this.#done.add(by);
  }

  /** Both sides were looked at side by side: what shows twice is so. */
  #lost({ hub, wec }: Registration): NewStartNeed | undefined {
    const isLost = hub?.managedCluster === undefined && wec?.hubSecret !== undefined;
    if (!isLost) this.#lostSince = undefined;
    else if (this.#lostSince !== undefined)
      return { why: 'its agent has a certificate, and the ITS has no ManagedCluster of it', by: 'certificate' };
    else this.#lostSince = Date.now();
    return undefined;
  }

  #unannounced({ hub, webhook, now }: Registration): NewStartNeed | undefined {
    // It cannot announce itself while the webhook does not admit it.
    if (webhook?.state === 'silent') this.#webhookSilentAt = now;
    const request = hub && bootstrapRequests(hub).at(-1);
    if (hub?.managedCluster !== undefined || request?.state !== 'pending') return undefined;
    const since = Math.max(request.created, this.#webhookSilentAt);
    return now - since > patienceMs ? { why: 'its agent could not announce itself', by: 'token' } : undefined;
  }

  #away(registration: Registration, hub: Kube): NewStartNeed | undefined {
    if (reachOf(registration)?.state !== 'failed' || !hub.hasBeenAway()) this.#unreachableSince = undefined;
    else this.#unreachableSince ??= Date.now();
    const stale = this.#unreachableSince !== undefined && Date.now() - this.#unreachableSince > patienceMs / 2;
    return stale ? { why: 'the ITS was unreachable', by: 'token' } : undefined;
  }
}

/** An earlier run has taken the certificate away and was interrupted before it deleted the pods, which still use it. */
function asleep(registration: Registration, wecNow: number): NewStartNeed | undefined {
  const { hub, wec, now } = registration;
  if (hub === undefined || wec?.bootstrapSecret === undefined || wec.hubSecret !== undefined) return undefined;
  const written = writtenAt(wec.bootstrapSecret);
  const age = wecNow - written;
  const isOld = agentPodsOf(wec.pods).some((pod) => createdAt(pod) < written - secondMs);
  // A certificate that was issued although no ManagedCluster is there is that of the registration before.
  const isFormer = (state: string) => state === 'issued' && hub.managedCluster === undefined;
  const hasAsked = bootstrapRequests(hub).some(
    ({ created, state }) => now - created <= age + clockMarginMs && !isFormer(state),
  );
  // An operator tells only after some time what it has reached; what it has not reached, no restart helps.
  return isOld && !hasAsked && age > restartMs && reachOf(registration)?.state !== 'failed'
    ? { why: 'its agent is older than its bootstrap secret and has not asked since', by: 'pods' }
    : undefined;
}

const reachOf = (registration: Registration): Verdict | undefined =>
  judgeRegistration(registration).find(({ id }) => id === 'hub-reachable')?.verdict;

import { StellarError } from '../../engine/errors.ts';
import { hintOf } from '../../engine/next-step.ts';
import { waitUntil } from '../../engine/poll.ts';
import type { Run } from '../../engine/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import { type HubWebhook, tryHubWebhook } from '../registration/hub-webhook.ts';

/** How old an answer may be that serves another WEC of the same command. */
const freshMs = 1000;

/** Tries the hub's webhook for all WECs of a command together, and says once when it does not answer. */
export class WebhookLook {
  readonly #hub: Kube;
  readonly #run: Run;
  #last: { at: number; webhook: Promise<HubWebhook> } | undefined;
  #isTold = false;

  constructor(hub: Kube, run: Run) {
    this.#hub = hub;
    this.#run = run;
  }

  async now(): Promise<HubWebhook> {
    if (this.#last === undefined || Date.now() - this.#last.at > freshMs)
      this.#last = { at: Date.now(), webhook: tryHubWebhook(this.#hub) };
    const webhook = await this.#last.webhook;
    if (webhook.state === 'silent' && !this.#isTold) {
      this.#run.progress.note(`${this.#hub.cluster.context}: ${webhook.why}. ${hintOf(webhook.next)}`);
      this.#isTold = true;
    }
    return webhook;
  }

  /**
   * Waits until the hub admits ManagedClusters: an agent that starts before tries again only after an hour or more.
   * @returns whether it had to be waited for
   * @throws StellarError `timeout`
   */
  async untilAnswering(name: string): Promise<boolean> {
    let last: Extract<HubWebhook, { state: 'silent' }> | undefined;
    const look = async () => {
      const webhook = await this.now();
      if (webhook.state !== 'silent') return true;
      last = webhook;
      this.#run.progress.waiting(name, webhook.why);
      return undefined;
    };
    const { context } = this.#hub.cluster;
    await waitUntil(look, this.#run, () => {
      const { why, next } = last ?? {};
      return new StellarError('timeout', `${name} was not joined to ${context} in time: ${why}.`, { next });
    });
    return last !== undefined;
  }
}

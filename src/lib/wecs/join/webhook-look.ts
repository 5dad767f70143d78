import { StellarError } from '../../engine/errors.ts';
import { hintOf } from '../../engine/next-step.ts';
import { poll } from '../../engine/poll.ts';
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
    let last: HubWebhook | undefined;
    let hasWaited = false;
    const answered = await poll(async () => {
      last = await this.now();
      if (last.state !== 'silent') return true;
      this.#run.progress.waiting(name, last.why);
      hasWaited = true;
      return undefined;
    }, this.#run);
    if (answered || last?.state !== 'silent') return hasWaited;
    throw new StellarError('timeout', `${name} was not joined to ${this.#hub.cluster.context} in time: ${last.why}.`, {
      next: last.next,
    });
  }
}

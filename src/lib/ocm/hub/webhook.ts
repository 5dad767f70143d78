import { randomUUID } from 'node:crypto';
import { monotonic } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { waitWhile } from '../../core/follow.ts';
import { command, type NextStep, run, stepLines } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { failed } from '../../core/stages.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { ApiError } from '../../kube/client/errors.ts';
import { shownList } from '../../kube/client/missing.ts';
import {
  type Deployment,
  type Pod,
  type Resource,
  resources,
  typeMeta,
} from '../../kube/client/objects.ts';
import { podsOf, running } from '../../kube/pods.ts';
import { hubNamespace, webhookName } from '../model/ocm-names.ts';
import { refuserIn, toSeeRefuser } from './refusals.ts';

/** Whether a hub's admission accepts ManagedClusters: if not, none can be announced, accepted or labelled. */
export type HubWebhook =
  | { state: 'answers' }
  | { state: 'silent'; why: string; next: readonly NextStep[] }
  /** This user may not try it, or the answer does not show it. */
  | { state: 'unseen'; why: string };

/**
 * Tries the admission of ManagedClusters with an object that is not stored (`dryRun=All`; OCM's webhooks have no side effects).
 * @throws StellarError if the ITS itself does not answer
 */
export async function tryHubWebhook(hub: Kube): Promise<HubWebhook> {
  const refusal = await testAdmission(hub, resources.managedClusters, {
    spec: { hubAcceptsClient: false },
  });
  if (refusal === undefined) return { state: 'answers' };
  return judgeAdmission(refusal) ?? { state: 'silent', ...(await causeOfSilence(hub, refusal)) };
}

/** @returns undefined if a webhook did not answer */
export function judgeAdmission({
  status,
  words,
}: Pick<ApiError, 'status' | 'words'>): HubWebhook | undefined {
  if (status === 409 || /^admission webhook .* denied the request/.test(words))
    return { state: 'answers' };
  if (status === 504 || /failed calling webhook/.test(words)) return undefined;
  if (status === 403) return { state: 'unseen', why: 'this user may not create ManagedClusters' };
  return { state: 'unseen', why: words || `HTTP ${status}` };
}

/** What the hub shows of the webhook's Deployment. Another product's webhook may also be the cause. */
async function causeOfSilence(hub: Kube, { words }: ApiError) {
  const { context } = hub.cluster;
  const flags = ['--context', context, '-n', hubNamespace];
  const refuser = refuserIn(words);
  const foreign =
    refuser?.webhook?.endsWith('.open-cluster-management.io') === false ? refuser : undefined;
  if (foreign !== undefined) {
    const why = `the ${foreign.what}, which is not OCM's, does not answer for ManagedClusters (${webhookWords(words)})`;
    return { why, next: [toSeeRefuser(foreign, context)] };
  }
  const reader = partialReader(hub);
  const [deployment, pods] = await Promise.all([
    reader.get<Deployment>(resources.deployments, webhookName, { namespace: hubNamespace }),
    reader.list<Pod>(resources.pods, { namespace: hubNamespace }),
  ]);
  const silent = "OCM's webhook for ManagedClusters does not answer";
  const see = run(
    command`kubectl ${flags} describe deployments,pods`,
    'See what runs, and what does not',
  );
  const place = { context, now: hub.now(), namespace: hubNamespace };
  const own = { kind: 'Deployment', pods: podsOf(webhookName, shownList(pods)) };
  const verdict =
    deployment === undefined
      ? failed(`there is no Deployment ${hubNamespace}/${webhookName}`)
      : running('it', { ...own, present: deployment }, place);
  if (reader.forbidden.size === 0 && (verdict.state === 'failed' || verdict.state === 'waiting'))
    return { why: `${silent}: ${verdict.why}`, next: verdict.next ?? [see] };
  return {
    why: `${silent} (${webhookWords(words)})`,
    next: [run(command`kubectl ${flags} rollout restart deployment ${webhookName}`, 'Restart it')],
  };
}

/** The end of the API server's message is the connection error of the webhook. */
function webhookWords(words: string) {
  const cause =
    /(?:Post|failed to call webhook:) "?https?:\/\/[^"]*"?: (.*)$/s.exec(words)?.[1] ?? words;
  return cause.replace(/^dial tcp [^ ]+: (?:connect: )?/, '').replace(/\s+/g, ' ') || 'no answer';
}

/** How old an answer may be to serve another WEC of the same command. */
const recentMs = 1000;

/** Tries the hub's webhook once for all WECs of a command, and reports once if it does not answer. */
export class WebhookProbe {
  readonly #hub: Kube;
  readonly #run: Run;
  #last: { at: number; webhook: Promise<HubWebhook> } | undefined;
  #isReported = false;

  constructor(hub: Kube, run: Run) {
    this.#hub = hub;
    this.#run = run;
  }

  async now(): Promise<HubWebhook> {
    if (this.#last === undefined || monotonic() - this.#last.at > recentMs)
      this.#last = { at: monotonic(), webhook: tryHubWebhook(this.#hub) };
    const webhook = await this.#last.webhook;
    if (webhook.state === 'silent' && !this.#isReported) {
      const what = `${this.#hub.cluster.context}: ${webhook.why}.`;
      for (const line of [what, ...stepLines(webhook.next, '  ')]) this.#run.progress.note(line);
      this.#isReported = true;
    }
    return webhook;
  }

  /**
   * Waits until the hub admits ManagedClusters: an agent that starts earlier retries only after an hour or more.
   * @returns whether it waited
   * @throws StellarError `timeout`
   */
  async untilAnswering(name: string): Promise<boolean> {
    let last: Extract<HubWebhook, { state: 'silent' }> | undefined;
    const blocker = async () => {
      const webhook = await this.now();
      if (webhook.state !== 'silent') return undefined;
      last = webhook;
      return webhook.why;
    };
    const { context } = this.#hub.cluster;
    const late = (why: string) =>
      new StellarError(
        'timeout',
        `${name} was not joined to ${context} in time: ${why}.`,
        ...(last?.next ?? []),
      );
    await waitWhile(blocker, this.#run, late, name);
    return last !== undefined;
  }
}

/**
 * Tries the admission of an object with one of a random name that is not stored (`dryRun=All`). Needs the right to create it.
 * @returns why the API server refuses it; undefined if it would be created
 * @throws StellarError if the API server does not answer
 */
export async function testAdmission(
  kube: Kube,
  resource: Resource,
  { namespace, spec }: { namespace?: string; spec: object },
): Promise<ApiError | undefined> {
  const name = `stellarctl-try-${randomUUID().slice(0, 8)}`;
  const metadata = namespace === undefined ? { name } : { name, namespace };
  const trial = { ...typeMeta(resource), metadata, spec };
  try {
    await kube.tryCreate(resource, trial);
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error;
  }
}

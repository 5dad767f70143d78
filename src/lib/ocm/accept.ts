import { mapConcurrently } from '../concurrency.ts';
import { StellarError } from '../errors.ts';
import type { Kube } from '../kube/client.ts';
import { poll } from '../poll.ts';
import type { Run } from '../run.ts';
import { denyRequest } from './approval.ts';
import { RegistrationFollower, type WecResult } from './follow.ts';
import { requireHub } from './hub.ts';
import { bootstrapRequests, emptyEvidence, readHub, readWholeHub } from './hub-evidence.ts';
import type { Klusterlet } from './objects.ts';
import { readWec } from './wec-evidence.ts';

export interface AcceptInput {
  /** WECs by name. A WEC's client helps to tell its own agent from others, and to say what keeps it. */
  wecs: { name: string; kube?: Kube | undefined }[];
  /** An agent's id, or the beginning of one. */
  agent?: string | undefined;
  /** Wait until available, rather than only until accepted. */
  wait: boolean;
}

/** At most this many WECs are written for at once: an API server's fair share for one user is not much more. */
const writersAtOnce = 16;

/** The names of all WECs with a request that waits for a decision, in alphabetical order. @throws StellarError `not-a-hub` */
export async function findPending(hub: Kube): Promise<string[]> {
  await requireHub(hub);
  const evidence = await readWholeHub(hub);
  return [...evidence.values()]
    .filter((wec) => bootstrapRequests(wec).some(({ state }) => state === 'pending'))
    .map(({ name }) => name)
    .sort();
}

/**
 * Accepts WECs: waits for each one's request, approves it if it is right, sets hubAcceptsClient only then, and waits until the
 * WEC is available. Every WEC is tried; an error of one is in its result.
 * @throws StellarError for what concerns all of them: no hub, no access
 */
export async function accept(hub: Kube, { wecs, agent, wait }: AcceptInput, run: Run): Promise<WecResult[]> {
  await requireHub(hub);
  const started = Date.now();
  const lookAgain = `stellarctl wec list --its ${hub.cluster.context}`;
  const followers = await Promise.all(
    wecs.map(async ({ name, kube }) => {
      const klusterlet = kube && (await readWec(kube)).klusterlet;
      const ownAgent = klusterlet && singletonAgentId(klusterlet);
      const options = { until: 'available', accept: true, wait, joinedIsEnough: true, agent, ownAgent, lookAgain, started } as const;
      return { kube, follower: new RegistrationFollower(name, hub, run, options) };
    }),
  );
  let open = followers;
  await poll(async () => {
    const evidence = await readHub(hub, open.map(({ follower }) => follower.name));
    await mapConcurrently(open, writersAtOnce, async ({ kube, follower }) => {
      // The WEC's side only explains; the registration goes on without it.
      const wec = kube && (await readWec(kube).catch(() => undefined));
      await follower.step({ name: follower.name, hub: evidence.get(follower.name), wec, now: hub.now() });
    });
    open = open.filter(({ follower }) => !follower.finished);
    return open.length === 0 ? true : undefined;
  }, run);
  for (const { follower } of open) follower.giveUp();
  return followers.map(({ follower }) => follower.result);
}

/** In Singleton mode the agent's id is the Klusterlet's UID (ocm pkg/operator); otherwise it is random and unknown. */
export function singletonAgentId(klusterlet: Klusterlet): string | undefined {
  return klusterlet.spec?.deployOption?.mode === 'Singleton' ? klusterlet.metadata.uid : undefined;
}

/** Refuses the pending requests of WECs. A request that was denied before is success. */
export async function deny(hub: Kube, wecs: { name: string }[], agent: string | undefined, run: Run): Promise<WecResult[]> {
  await requireHub(hub);
  const evidence = await readHub(hub, wecs.map(({ name }) => name));
  return mapConcurrently(wecs, writersAtOnce, async ({ name }): Promise<WecResult> => {
    const requests = bootstrapRequests(evidence.get(name) ?? emptyEvidence(name)).filter(
      (request) => agent === undefined || request.agent?.startsWith(agent),
    );
    const pending = requests.filter(({ state }) => state === 'pending');
    for (const request of pending) {
      await denyRequest(hub, request);
      run.progress.changed(name, `request ${request.name} denied`);
    }
    const result = { name, stage: 'request', changed: pending.length > 0 };
    if (pending.length > 0) run.progress.done(name, 'denied');
    else if (requests.some(({ state }) => state === 'denied')) run.progress.done(name, 'was denied before');
    else return { ...result, stage: undefined, error: nothingToDeny(name, agent, hub) };
    return result;
  });
}

function nothingToDeny(name: string, agent: string | undefined, { cluster }: Kube): StellarError {
  const whose = agent === undefined ? '' : ` from an agent ${agent}`;
  return new StellarError('not-found', `There is no pending request for ${name}${whose} on ${cluster.context}.`, {
    hint: `See what is pending: stellarctl wec list --pending --its ${cluster.context}`,
  });
}

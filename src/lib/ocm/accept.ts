import { mapConcurrently } from '../concurrency.ts';
import { StellarError } from '../errors.ts';
import type { Kube } from '../kube/client.ts';
import { mayPass } from '../kube/errors.ts';
import { poll } from '../poll.ts';
import type { Run } from '../run.ts';
import { findAgent } from './acceptance.ts';
import { denyRequest } from './approval.ts';
import { RegistrationFollower, type WecResult } from './follow.ts';
import { bootstrapRequests, emptyEvidence, type HubEvidence, readHub, readWholeHub } from './hub-evidence.ts';
import type { Klusterlet } from './objects.ts';
import { requireAcceptPermissions } from './permissions.ts';
import { requireHub } from './require-hub.ts';
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
  let permitted: Promise<void> | undefined;
  const mayWrite = () => {
    permitted ??= requireAcceptPermissions(
      hub,
      wecs.map(({ name }) => name),
    );
    return permitted;
  };
  const lookAgain = `stellarctl wec list --its ${hub.cluster.context}`;
  const followers = await Promise.all(
    wecs.map(async ({ name, kube }) => {
      run.progress.waiting(name, 'looking at its registration');
      // The WEC's side only helps to tell agents apart and to explain; the registration goes on without it.
      const klusterlet =
        kube && (await readWec(kube).catch((error: Error) => run.progress.note(error.message)))?.klusterlet;
      const ownAgent = klusterlet && singletonAgentId(klusterlet);
      const options = {
        until: 'available',
        accept: true,
        wait,
        joinedIsEnough: true,
        mayWrite,
        agent,
        ownAgent,
        lookAgain,
        started,
      } as const;
      return { kube, follower: new RegistrationFollower(name, hub, run, options) };
    }),
  );
  let open = followers;
  const look = async () => {
    const evidence = await readHub(
      hub,
      open.map(({ follower }) => follower.name),
    );
    await mapConcurrently(open, writersAtOnce, async ({ kube, follower }) => {
      const wec = kube && (await readWec(kube).catch(() => undefined));
      try {
        await follower.step({ name: follower.name, hub: evidence.get(follower.name), wec, now: hub.now() });
      } catch (error) {
        // What may pass, and Ctrl-C, concern all of them.
        if (!(error instanceof StellarError) || mayPass(error) || error.code === 'interrupted') throw error;
        follower.fail(error);
      }
    });
    open = open.filter(({ follower }) => !follower.finished);
    return open.length === 0 ? true : undefined;
  };
  // What goes wrong for the ITS as a whole ends those that are still open; the others' results stay.
  await poll(look, run).catch((error: unknown) => endAll(open, error));
  for (const { follower } of open.filter((each) => !each.follower.finished)) follower.giveUp();
  return followers.map(({ follower }) => follower.result);
}

function endAll(open: { follower: RegistrationFollower }[], error: unknown): void {
  if (!(error instanceof StellarError)) throw error;
  for (const { follower } of open.filter((each) => !each.follower.finished)) follower.fail(error);
}

/** In Singleton mode the agent's id is the Klusterlet's UID (ocm pkg/operator); otherwise it is random and unknown. */
export function singletonAgentId(klusterlet: Klusterlet): string | undefined {
  return klusterlet.spec?.deployOption?.mode === 'Singleton' ? klusterlet.metadata.uid : undefined;
}

/** Refuses the pending requests of WECs. A request that was denied before is success. */
export async function deny(
  hub: Kube,
  wecs: { name: string }[],
  agent: string | undefined,
  run: Run,
): Promise<WecResult[]> {
  await requireHub(hub);
  const evidence = await readHub(
    hub,
    wecs.map(({ name }) => name),
  );
  return mapConcurrently(wecs, writersAtOnce, async ({ name }): Promise<WecResult> => {
    const result: WecResult = { name, stage: null, changed: false };
    try {
      await denyOne(hub, evidence.get(name) ?? emptyEvidence(name), agent, result, run);
    } catch (error) {
      if (!(error instanceof StellarError)) throw error;
      result.error = error;
    }
    return result;
  });
}

async function denyOne(
  hub: Kube,
  evidence: HubEvidence,
  agent: string | undefined,
  result: WecResult,
  { progress }: Run,
): Promise<void> {
  const { name } = evidence;
  const all = bootstrapRequests(evidence);
  const chosen = findAgent(all, agent);
  const requests =
    agent === undefined ? all : all.filter((request) => chosen !== undefined && request.agent === chosen);
  const pending = requests.filter(({ state }) => state === 'pending');
  const before = requests.some(({ state }) => state === 'denied');
  if (pending.length === 0 && !before) throw nothingToDeny(name, agent, hub);
  result.stage = 'request';
  for (const request of pending) {
    await denyRequest(hub, request);
    if (hub.dryRun) continue;
    result.changed = true;
    progress.changed(name, `request ${request.name} denied`);
  }
  if (!hub.dryRun) progress.done(name, pending.length > 0 ? 'denied' : 'was denied before');
}

function nothingToDeny(name: string, agent: string | undefined, { cluster }: Kube): StellarError {
  const whose = agent === undefined ? '' : ` from a single agent ${agent}`;
  return new StellarError('not-found', `There is no pending request for ${name}${whose} on ${cluster.context}.`, {
    hint: `See what is pending: stellarctl wec list --pending --its ${cluster.context}`,
  });
}

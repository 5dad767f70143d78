import { command } from '../core/command-line.ts';
import { concurrentRequests, mapConcurrently } from '../core/concurrency.ts';
import { forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { unreached } from '../core/stages.ts';
import type { Kube } from '../kube/client/client.ts';
import { bootstrapRequests, emptyEvidence, type HubEvidence, readHub, readWholeHub } from '../ocm/hub-evidence.ts';
import { requireHub } from '../ocm/require-hub.ts';
import { otherName, readWec, type WecEvidence } from '../ocm/wec-evidence.ts';
import { denyRequest, findAgent } from './acceptance.ts';
import { type FollowedWec, followOnHub, RegistrationFollower, type WecResult } from './follow-registration.ts';
import type { Registration } from './registration-checks.ts';
import { seen } from './registration-stages.ts';
import { refuseUnknown } from './wait.ts';

export interface AcceptInput {
  /** WECs by name. A WEC's client helps to distinguish its own agent from others, and to explain what blocks it. */
  wecs: FollowedWec[];
  /** An agent's id or a prefix of it. */
  agent?: string | undefined;
  /** Wait until available, not only until accepted; `for-request`: and first until there is a request. */
  wait: boolean | 'for-request';
}

/** The names of all WECs with a request that waits for a decision, in alphabetical order. @throws StellarError `not-a-hub` */
export async function findPending(hub: Kube): Promise<string[]> {
  const evidence = await readWholeHub(hub);
  return [...evidence.values()]
    .filter((wec) => bootstrapRequests(wec).some(({ state }) => state === 'pending'))
    .map(({ name }) => name)
    .sort();
}

/**
 * Accepts WECs: approves the request of each one if it is right, sets hubAcceptsClient only then, and waits until the WEC is
 * available. It tries every WEC; the error of one is in its result, as is that of a name which is nowhere.
 * @throws StellarError for errors that concern all of them: no hub, no access
 */
export async function accept(hub: Kube, { wecs, agent, wait }: AcceptInput, run: Run): Promise<WecResult[]> {
  await requireHub(hub);
  const checkCommand = command`stellarctl wec list --its ${hub.cluster.context}`;
  const followers = wecs.map((wec) => {
    run.progress.waiting(wec.name, 'checking its registration');
    const refuse = async (first: Registration) => wait === 'for-request' || (await refuseUnknown(hub, first, wec.kube));
    const until = 'available';
    const options = { until, accept: true, wait: wait !== false, refuse, joinedIsEnough: true, checkCommand } as const;
    return new RegistrationFollower(wec, hub, run, { ...options, agent: () => agent });
  });
  const noted = new Set<string>();
  const note = ({ message }: Error) => {
    if (!noted.has(message)) run.progress.note(message);
    noted.add(message);
  };
  const read = async ({ name, kube }: FollowedWec, ofHub: HubEvidence | undefined) => {
    // The WEC's side only helps to distinguish agents and to explain; the registration continues without it.
    const wec = kube && ((await readWec(kube).catch(note)) || undefined);
    refuseOtherWec(hub, name, wec);
    const contexts = { its: hub.cluster.context, context: kube?.cluster.context };
    return seen({ name, ...contexts, hub: ofHub, wec, now: hub.now() });
  };
  return followOnHub(hub, followers, read, run);
}

/**
 * Refuses a context that leads to another WEC: its agent is not the one that requests this name.
 * @throws StellarError `registered-elsewhere`
 */
function refuseOtherWec({ cluster }: Kube, name: string, wec: WecEvidence | undefined): void {
  const other = otherName(wec?.klusterlet, name);
  if (wec === undefined || other === undefined) return;
  throw new StellarError(
    'registered-elsewhere',
    `The cluster of context ${wec.context} is registered as ${other}, not as ${name}; ${name} was not accepted.`,
    {
      next: [
        nextStep(command`stellarctl accept ${name} --its ${cluster.context}`, `Give the context of ${name}, or none`),
      ],
    },
  );
}

/** Denies the pending requests of WECs. A request that was denied before is success. */
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
  return mapConcurrently(wecs, concurrentRequests, ({ name }) => {
    const result: WecResult = { name, ...unreached, changed: false };
    return forName(result, run, () => denyOne(hub, evidence.get(name) ?? emptyEvidence(name), agent, result, run));
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
  const before = requests.filter(({ state }) => state === 'denied');
  if (pending.length === 0 && before.length === 0) throw nothingToDeny(name, agent, hub);
  result.stage = 'request';
  for (const request of pending) {
    await denyRequest(hub, request);
    if (hub.dryRun) continue;
    result.changed = true;
    progress.changed(name, `request ${request.name} denied`);
  }
  const last = [...before, ...(hub.dryRun ? [] : pending)].at(-1);
  if (last !== undefined)
    result.blockedAt = { stage: 'approved', state: 'failed', why: `request ${last.name} was denied` };
  if (!hub.dryRun) progress.done(name, pending.length > 0 ? 'denied' : 'was denied before');
}

function nothingToDeny(name: string, agent: string | undefined, { cluster }: Kube): StellarError {
  const whose = agent === undefined ? '' : ` from a single agent ${agent}`;
  return new StellarError('not-found', `There is no pending request for ${name}${whose} on ${cluster.context}.`, {
    next: [nextStep(command`stellarctl wec list --pending --its ${cluster.context}`, 'See what is pending')],
  });
}

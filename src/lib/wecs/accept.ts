import { mapConcurrently } from '../core/concurrency.ts';
import { forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { command, run as nextStep, partial } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { met, type Stage, waiting } from '../core/stages.ts';
import { partialReader } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import type { Foreseen } from '../kube/client/foreseen.ts';
import { readWec, type WecEvidence } from '../ocm/agent/wec-evidence.ts';
import { noSuchWec } from '../ocm/hub/find-wecs.ts';
import {
  bootstrapRequests,
  emptyEvidence,
  type HubEvidence,
  readHub,
  readWholeHub,
} from '../ocm/hub/hub-evidence.ts';
import { findManagedCluster, ocmOfHub, requireHub } from '../ocm/hub/require-hub.ts';
import { noteHoles } from '../ocm/versions/hub-holes.ts';
import { Acceptance } from './follow/acceptance.ts';
import {
  acting,
  type FollowOptions,
  followOnHub,
  newResult,
  RegistrationFollower,
  type WecResult,
} from './follow/follow-registration.ts';
import { decideRequest, findAgent } from './registration/acceptance.ts';
import { registeredAsAnother } from './registration/problems.ts';
import type { Registration } from './registration/registration-checks.ts';
import { registrationStageIds } from './registration/registration-stage-ids.ts';
import { readingOf, registrationStages, stageOf } from './registration/registration-stages.ts';
import type { Wec } from './registration/wec-view.ts';

export interface AcceptInput {
  /** WECs by name. A WEC's client helps to distinguish its own agent from others, and to explain what blocks it. */
  wecs: Wec[];
  /** An agent's id or a prefix of it. */
  agent?: string | undefined;
  /** Wait until available, not only until accepted; `for-request`: and first until there is a request. */
  wait: boolean | 'for-request';
  /** What their acceptance does to workloads. */
  effects: Foreseen;
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
export async function accept(
  hub: Kube,
  { wecs, agent, wait, effects }: AcceptInput,
  run: Run,
): Promise<WecResult[]> {
  await requireHub(hub);
  const names = wecs.map(({ name }) => name);
  await noteHoles(hub, await ocmOfHub(partialReader(hub)), names, run);
  const { context: its } = hub.cluster;
  const checkCommand = command`stellarctl wec list --its ${its}`;
  const followers = wecs.map((wec) => {
    run.progress.waiting(wec.name, 'checking its registration');
    const refuse = async (first: Registration) =>
      wait === 'for-request' || (await refuseUnknown(hub, first, wec.kube));
    const accepting = { wait: wait !== false, joinedIsEnough: true, agent, effects };
    const options = { until: 'available', refuse, checkCommand } as const;
    const follower = new RegistrationFollower(wec, hub, run, options);
    const acceptance = new Acceptance(hub, follower);
    return acting(follower, (reading) => acceptance.act(reading, accepting));
  });
  const noted = new Set<string>();
  const note = ({ message }: Error) => {
    if (!noted.has(message)) run.progress.note(message);
    noted.add(message);
  };
  const read = async ({ name, kube }: Wec, ofHub: HubEvidence | undefined) => {
    // The WEC's side only helps to distinguish agents and to explain; the registration continues without it.
    const wec = kube && ((await readWec(kube).catch(note)) || undefined);
    const other = registeredAsAnother({ name, wec, its });
    if (other !== undefined) {
      throw new StellarError(
        'registered-elsewhere',
        `${other.message} ${name} was not accepted.`,
        ...other.next,
      );
    }
    return readingOf({
      name,
      its,
      context: kube?.cluster.context,
      hub: ofHub,
      wec,
      now: hub.now(),
    });
  };
  return followOnHub(hub, followers, read, run);
}

/** Denies the pending requests of WECs. A request that was denied before is success. */
export async function deny(
  hub: Kube,
  wecs: { name: string }[],
  agent: string | undefined,
  run: Run,
): Promise<WecResult[]> {
  await requireHub(hub);
  const names = wecs.map(({ name }) => name);
  const evidence = await readHub(hub, names);
  return mapConcurrently(wecs, ({ name }) => {
    const result = newResult(name);
    return forName(result, run, async () => {
      const all = bootstrapRequests(evidence.get(name) ?? emptyEvidence(name));
      const chosen = findAgent(all, agent);
      const requests =
        agent === undefined
          ? all
          : all.filter((request) => chosen !== undefined && request.agent === chosen);
      const pending = requests.filter(({ state }) => state === 'pending');
      const before = requests.filter(({ state }) => state === 'denied');
      if (pending.length === 0 && before.length === 0) throw nothingToDeny(name, hub);
      result.stage = 'request';
      for (const request of pending) {
        await decideRequest(hub, request, 'Denied');
        if (hub.dryRun) continue;
        run.progress.changed(name, `request ${request.name} denied`);
      }
      const last = [...before, ...(hub.dryRun ? [] : pending)].at(-1);
      if (last !== undefined)
        result.blockedAt = {
          stage: 'approved',
          state: 'failed',
          why: `request ${last.name} was denied`,
        };
      run.progress.done(name, pending.length > 0 ? 'denied' : 'was denied before');
    });
  });
}

function nothingToDeny(name: string, { cluster }: Kube) {
  return new StellarError(
    'not-found',
    `There is no pending request for ${name} on ${cluster.context}.`,
    nextStep(
      command`stellarctl wec list --pending --its ${cluster.context}`,
      'See what is pending',
    ),
  );
}

/** What a user can wait for: a stage of the registration, or the deletion of the ManagedCluster. */
export type WaitGoal = FollowOptions['until'];

/** The deletion of a WEC, judged like a stage. */
const deletion: readonly Stage<Registration>[] = [
  {
    id: 'delete',
    title: 'gone',
    check({ hub, left }) {
      if (left !== undefined && left.object === undefined) return met;
      const { deletionTimestamp } = (left?.object ?? hub?.managedCluster)?.metadata ?? {};
      return waiting(
        `its ManagedCluster ${deletionTimestamp ? 'is' : 'exists and is not'} being deleted`,
      );
    },
  },
];

/** Whether only the WEC shows a stage. */
const isOfWec = (goal: WaitGoal) => goal !== 'delete' && stageOf(goal).side === 'wec';

/** @throws StellarError `usage` for a stage that cannot be seen without the WEC's context */
export function checkWaitGoal(
  goal: WaitGoal,
  wecs: readonly { name: string; context: string | undefined }[],
): void {
  const withoutContext = wecs.find(({ context }) => context === undefined);
  if (withoutContext === undefined || !isOfWec(goal)) return;
  throw new StellarError(
    'usage',
    `The stage ${goal} shows on the WEC itself, and ${withoutContext.name} is given without its context.`,
    partial(command`stellarctl wec wait ${withoutContext.name}=CONTEXT --for ${goal}`, 'Give it'),
  );
}

/**
 * Waits until every WEC has reached a stage or is gone, even if a check fails on the way: a user may repair it before the deadline.
 * Reads only. The error of one WEC is in its result; so is that of a name which is nowhere, unless the goal is to appear.
 * @throws StellarError for errors that concern all of them: no hub, no access
 */
export async function waitFor(
  hub: Kube,
  wecs: readonly Wec[],
  goal: WaitGoal,
  run: Run,
): Promise<WecResult[]> {
  await requireHub(hub);
  const { context } = hub.cluster;
  const followers = wecs.map((wec) => {
    const checkCommand = command`stellarctl wec get ${wec.name} --its ${context}`;
    const refuse = async (first: Registration) =>
      firstGoals.includes(goal) || refuseUnknown(hub, first, wec.kube);
    const options = { until: goal, patient: true, refuse, checkCommand };
    return new RegistrationFollower(wec, hub, run, options);
  });
  const stages = goal === 'delete' ? deletion : registrationStages;
  const read = async ({ name, kube }: Wec, ofHub: HubEvidence | undefined) => {
    const wec = await readSideOf(kube, goal);
    const contexts = { its: context, context: kube?.cluster.context };
    const isLost = goal === 'delete' && ofHub?.managedCluster === undefined;
    const left = isLost ? await findManagedCluster(hub, name) : undefined;
    return { stages, snapshot: { name, ...contexts, hub: ofHub, wec, left, now: hub.now() } };
  };
  return followOnHub(hub, followers, read, run);
}

/** Some stages need the WEC's side; for the others it only helps to explain. */
async function readSideOf(
  kube: Kube | undefined,
  goal: WaitGoal,
): Promise<WecEvidence | undefined> {
  if (kube === undefined || goal === 'delete') return undefined;
  const reading = readWec(kube);
  return isOfWec(goal) ? reading : reading.catch(() => undefined);
}

/** The goals that a WEC may reach of which the ITS knows nothing yet. */
const firstGoals: readonly WaitGoal[] = [
  ...registrationStageIds.slice(0, registrationStageIds.indexOf('request') + 1),
  'delete',
];

/**
 * Refuses a name that the ITS does not know, unless the cluster of its context registers, or cannot be read.
 * @param kube the client of that cluster
 * @throws StellarError `not-found`, with the nearest names
 */
async function refuseUnknown(its: Kube, { name, hub, wec }: Registration, kube: Kube | undefined) {
  const isKnown = hub?.managedCluster !== undefined || (hub?.requests ?? []).length > 0;
  const mayRegister = kube !== undefined && (wec === undefined || wec.klusterlet !== undefined);
  const readNames = async () => [...(await readWholeHub(its)).keys()];
  if (!isKnown && !mayRegister) throw await noSuchWec(name, its, readNames);
}

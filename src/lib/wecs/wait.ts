import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { partial } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { met, type Stage, waiting } from '../core/stages.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { noSuchWec } from '../ocm/find-wecs.ts';
import { type HubEvidence, readWholeHub } from '../ocm/hub-evidence.ts';
import { requireHub } from '../ocm/require-hub.ts';
import { readWec, type WecEvidence } from '../ocm/wec-evidence.ts';
import {
  type FollowedWec,
  type FollowOptions,
  followOnHub,
  RegistrationFollower,
  type WecResult,
} from './follow-registration.ts';
import type { Registration } from './registration-checks.ts';
import { registrationStageIds } from './registration-stage-ids.ts';
import { registrationStages, stageOf } from './registration-stages.ts';

/** What a user can wait for: a stage of the registration, or the deletion of the ManagedCluster. */
export type WaitGoal = FollowOptions['until'];

/** The deletion of a WEC, judged like a stage. */
const deletion: readonly Stage<Registration>[] = [
  {
    id: 'delete',
    title: 'gone',
    check({ hub }) {
      if (hub?.managedCluster === undefined) return met;
      return waiting(
        hub.managedCluster.metadata.deletionTimestamp
          ? 'its ManagedCluster is being deleted'
          : 'its ManagedCluster exists and is not being deleted',
      );
    },
  },
];

/** Whether only the WEC shows a stage. */
const isOfWec = (goal: WaitGoal): boolean => goal !== 'delete' && stageOf(goal).side === 'wec';

/** @throws StellarError `usage` for a stage that cannot be seen without the WEC's context */
export function checkWaitGoal(goal: WaitGoal, wecs: readonly { name: string; context: string | undefined }[]): void {
  const withoutContext = wecs.find(({ context }) => context === undefined);
  if (withoutContext === undefined || !isOfWec(goal)) return;
  throw new StellarError(
    'usage',
    `The stage ${goal} shows on the WEC itself, and ${withoutContext.name} is given without its context.`,
    { next: [partial(command`stellarctl wec wait ${withoutContext.name}=CONTEXT --for ${goal}`, 'Give it')] },
  );
}

/**
 * Waits until every WEC has reached a stage or is gone, even if a check fails on the way: a user may repair it before the deadline.
 * Reads only. The error of one WEC is in its result; so is that of a name which is nowhere, unless the goal is to appear.
 * @throws StellarError for errors that concern all of them: no hub, no access
 */
export async function waitFor(hub: Kube, wecs: readonly FollowedWec[], goal: WaitGoal, run: Run): Promise<WecResult[]> {
  await requireHub(hub);
  const { context } = hub.cluster;
  const followers = wecs.map((wec) => {
    const checkCommand = command`stellarctl wec get ${wec.name} --its ${context}`;
    const refuse = async (first: Registration) => firstGoals.includes(goal) || refuseUnknown(hub, first, wec.kube);
    const options = { until: goal, accept: false, wait: true, patient: true, refuse, checkCommand };
    return new RegistrationFollower(wec, hub, run, options);
  });
  const stages = goal === 'delete' ? deletion : registrationStages;
  const read = async ({ name, kube }: FollowedWec, ofHub: HubEvidence | undefined) => {
    const wec = await readSideOf(kube, goal);
    const contexts = { its: context, context: kube?.cluster.context };
    return { stages, snapshot: { name, ...contexts, hub: ofHub, wec, now: hub.now() } };
  };
  return followOnHub(hub, followers, read, run);
}

/** Some stages need the WEC's side; for the others it only helps to explain. */
async function readSideOf(kube: Kube | undefined, goal: WaitGoal): Promise<WecEvidence | undefined> {
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
export async function refuseUnknown(
  its: Kube,
  { name, hub, wec }: Registration,
  kube: Kube | undefined,
): Promise<void> {
  const isKnown = hub?.managedCluster !== undefined || (hub?.requests ?? []).length > 0;
  const mayRegister = kube !== undefined && (wec === undefined || wec.klusterlet !== undefined);
  const readNames = async () => [...(await readWholeHub(its)).keys()];
  if (!isKnown && !mayRegister) throw noSuchWec(name, its, ifSeen(await tryRead(readNames)));
}

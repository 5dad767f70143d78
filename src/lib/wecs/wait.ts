import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import type { Followed, JudgedReading } from '../core/follow.ts';
import { run as nextStep, partial } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { met, type Stage, standingOf, unreached, waiting } from '../core/stages.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { noSuchWec } from '../ocm/find-wecs.ts';
import { type HubEvidence, readWholeHub } from '../ocm/hub-evidence.ts';
import { requireHub } from '../ocm/require-hub.ts';
import { readWec, type WecEvidence } from '../ocm/wec-evidence.ts';
import { blockedIn, followOnHub, type WecResult } from './follow-registration.ts';
import type { Registration } from './registration-checks.ts';
import { type RegistrationStageId, registrationStageIds } from './registration-stage-ids.ts';
import { registrationStages, stageOf } from './registration-stages.ts';

/** What a user can wait for: a stage of the registration, or the deletion of the ManagedCluster. */
export type WaitGoal = RegistrationStageId | 'delete';

/** A WEC to wait for, with a client if its side is to be read. */
export interface AwaitedWec {
  name: string;
  kube: Kube | undefined;
}

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
export async function waitFor(hub: Kube, wecs: readonly AwaitedWec[], goal: WaitGoal, run: Run): Promise<WecResult[]> {
  await requireHub(hub);
  const waits = wecs.map((wec) => waitOn(wec, goal, hub, run));
  const stages = goal === 'delete' ? deletion : registrationStages;
  const read = async (wait: Wait, ofHub: HubEvidence | undefined) => {
    const wec = await readSideOf(wait, goal);
    const contexts = { its: hub.cluster.context, context: wait.kube?.cluster.context };
    return { stages, snapshot: { name: wait.name, ...contexts, hub: ofHub, wec, now: hub.now() } };
  };
  return followOnHub(hub, waits, read, run);
}

/** Some stages need the WEC's side; for the others it only helps to explain. */
async function readSideOf({ kube }: AwaitedWec, goal: WaitGoal): Promise<WecEvidence | undefined> {
  if (kube === undefined || goal === 'delete') return undefined;
  const reading = readWec(kube);
  return isOfWec(goal) ? reading : reading.catch(() => undefined);
}

interface Wait extends AwaitedWec, Followed<Registration, WecResult> {}

/** The stages whose goal is that a WEC appears. */
const firstStages = registrationStageIds.slice(0, registrationStageIds.indexOf('request') + 1);

function waitOn(wec: AwaitedWec, goal: WaitGoal, hub: Kube, { progress }: Run): Wait {
  const { name } = wec;
  const { context } = hub.cluster;
  const mayBeAbsent = [...firstStages, 'delete'].includes(goal);
  const result: WecResult = { name, ...unreached, changed: false };
  const broken = (error: StellarError): WecResult => {
    result.error = error;
    progress.failed(name, error.message);
    return result;
  };
  return {
    ...wec,
    until: goal,
    broken,
    async act(reading) {
      if (reading.isFirst && !mayBeAbsent) await refuseUnknown(hub, reading.snapshot, wec.kube);
      if (goal !== 'delete') Object.assign(result, standingOf(reading.reports));
      const reached = reading.reports.find(({ id, verdict }) => id === goal && verdict.state === 'met');
      if (reached === undefined) {
        progress.waiting(name, awaitedIn(reading, goal));
        return undefined;
      }
      progress.done(name, reached.title, !reading.isFirst);
      return result;
    },
    async late(last) {
      const { verdictOf } = await import('./verdict.ts');
      const wrong = last && goal !== 'delete' ? verdictOf(last, context) : undefined;
      const message =
        goal === 'delete'
          ? `${name} is not deleted: ${awaitedIn(last, goal)}.`
          : `${name} is not at the stage ${goal}. ${wrong?.message ?? blockedIn(last)}`;
      const next = wrong?.next ?? [nextStep(command`stellarctl wec get ${name} --its ${context}`, 'See why')];
      return broken(new StellarError('timeout', message, { next }));
    },
  };
}

/** The first stage up to the goal that is not met explains the most. */
function awaitedIn(reading: JudgedReading<Registration> | undefined, goal: WaitGoal): string {
  const { id, verdict } = reading?.blocking ?? reading?.reports.find((report) => report.id === goal) ?? {};
  if (verdict === undefined || verdict.state === 'met') return 'no trace of it was found';
  return goal === 'delete' ? verdict.why : `${id}: ${verdict.why}`;
}

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

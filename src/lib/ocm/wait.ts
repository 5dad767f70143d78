import { formatElapsed } from '../duration.ts';
import { StellarError } from '../errors.ts';
import type { Kube } from '../kube/client.ts';
import { poll } from '../poll.ts';
import type { Run } from '../run.ts';
import { blockingStage, isMet, reachedStage, type StageReport } from '../stages.ts';
import type { WecResult } from './follow.ts';
import { emptyEvidence, type HubEvidence, readHub } from './hub-evidence.ts';
import type { RegistrationStageId } from './registration-stage-ids.ts';
import { judgeRegistration, registrationStages } from './registration-stages.ts';
import { requireHub } from './require-hub.ts';
import { readWec, type WecEvidence } from './wec-evidence.ts';

/** What can be waited for: a stage of the registration, or that the ManagedCluster is gone. */
export type WaitGoal = RegistrationStageId | 'delete';

/** A WEC to wait for, with a client for it where its side is to be looked at. */
export interface AwaitedWec {
  name: string;
  kube: Kube | undefined;
}

interface Wait extends AwaitedWec {
  result: WecResult;
  finished: boolean;
  awaited: string;
}

/** Stages that only the WEC itself shows. */
const stagesOfWec: readonly string[] = [
  'bootstrap-secret',
  'klusterlet-applied',
  'hub-reachable',
  'hub-secret',
  'connected',
];

/** @throws StellarError `usage` for a stage that cannot be seen without the WEC's context */
export function checkWaitGoal(goal: WaitGoal, wecs: readonly { name: string; context: string | undefined }[]): void {
  const blind = wecs.find(({ context }) => context === undefined);
  if (blind === undefined || !stagesOfWec.includes(goal)) return;
  throw new StellarError(
    'usage',
    `The stage ${goal} shows on the WEC itself, and ${blind.name} is given without its context.`,
    {
      hint: `Give it: stellarctl wec wait ${blind.name}=CONTEXT --for ${goal}`,
    },
  );
}

/**
 * Waits until every WEC has got to a stage, or is gone, whatever fails on the way: something may be mended before the deadline. Reads
 * only. An error of one WEC is in its result.
 * @throws StellarError for what concerns all of them: no hub, no access
 */
export async function waitFor(hub: Kube, wecs: readonly AwaitedWec[], goal: WaitGoal, run: Run): Promise<WecResult[]> {
  await requireHub(hub);
  const started = Date.now();
  const waits = wecs.map(
    (wec): Wait => ({
      ...wec,
      result: { name: wec.name, stage: null, changed: false },
      finished: false,
      awaited: 'nothing was seen of it',
    }),
  );
  let looks = 0;
  const look = async () => {
    const open = waits.filter(({ finished }) => !finished);
    const evidence = await readHub(
      hub,
      open.map(({ name }) => name),
    );
    looks += 1;
    await Promise.all(
      open.map(async (wait) => {
        const wec = await readSideOf(wait, goal);
        if (!judgeWait(wait, evidence.get(wait.name) ?? emptyEvidence(wait.name), wec, goal, hub.now()))
          return run.progress.waiting(wait.name, wait.awaited);
        wait.finished = true;
        run.progress.done(wait.name, inWords(goal), looks === 1 ? undefined : Date.now() - started);
      }),
    );
    return waits.every(({ finished }) => finished) || undefined;
  };
  const failure = await poll(look, run).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure !== undefined && !(failure instanceof StellarError)) throw failure;
  for (const wait of waits.filter(({ finished }) => !finished)) {
    const error = failure ?? tooLate(wait, goal, hub, Date.now() - started);
    wait.result.error = error;
    run.progress.failed(wait.name, error.message);
  }
  return waits.map(({ result }) => result);
}

/** The WEC's side matters for some stages; for the others it only helps to explain. */
async function readSideOf({ kube }: Wait, goal: WaitGoal): Promise<WecEvidence | undefined> {
  if (kube === undefined || goal === 'delete') return undefined;
  const reading = readWec(kube);
  return stagesOfWec.includes(goal) ? reading : reading.catch(() => undefined);
}

/** One look at one WEC: notes where it is and what is awaited. @returns whether it has got there */
function judgeWait(wait: Wait, hub: HubEvidence, wec: WecEvidence | undefined, goal: WaitGoal, now: number): boolean {
  if (goal === 'delete') {
    const { managedCluster } = hub;
    wait.awaited = managedCluster?.metadata.deletionTimestamp
      ? 'its ManagedCluster is being deleted'
      : 'its ManagedCluster is there, and nobody has deleted it';
    return managedCluster === undefined;
  }
  const reports = judgeRegistration({ name: wait.name, hub, wec, now });
  wait.result.stage = reachedStage(reports) ?? null;
  wait.awaited = whatKeeps(reports, goal);
  return isMet(reports, goal);
}

/** The first stage up to the goal that is not met says most. */
function whatKeeps(reports: readonly StageReport[], goal: WaitGoal): string {
  const wanted = reports.slice(0, reports.findIndex(({ id }) => id === goal) + 1);
  const { id, verdict } = blockingStage(wanted) ?? wanted.at(-1) ?? { id: goal, verdict: { state: 'met' } };
  return verdict.state === 'met' ? id : `${id}: ${verdict.why}`;
}

const inWords = (goal: WaitGoal): string =>
  goal === 'delete' ? 'gone' : (registrationStages.find(({ id }) => id === goal)?.title ?? goal);

function tooLate({ name, awaited }: Wait, goal: WaitGoal, { cluster }: Kube, elapsed: number): StellarError {
  const after = elapsed < 1000 ? '' : ` after ${formatElapsed(elapsed)}`;
  const message =
    goal === 'delete'
      ? `${name} is not gone${after}: ${awaited}.`
      : `${name} is not at the stage ${goal}${after}; it is kept by ${awaited}.`;
  return new StellarError('timeout', message, {
    hint: `See why: stellarctl wec get ${name} --its ${cluster.context}`,
  });
}

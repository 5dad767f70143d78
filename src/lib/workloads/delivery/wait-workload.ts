import { forName, type NamedResult } from '../../core/each-name.ts';
import { ExitCode, StellarError } from '../../core/errors.ts';
import { untilMet } from '../../core/follow.ts';
import { advice, command, flagsOf, run as nextStep } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { failed, met, type Verdict, waiting } from '../../core/stages.ts';
import { few, withoutValues } from '../../core/text/words.ts';
import { getManagedCluster } from '../../ocm/hub/find-wecs.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { requireIts, type ViewWithErrors } from '../selection/unseen.ts';
import type { DeliveryView } from './delivery-view.ts';
import { hasReached } from './judged-objects.ts';
import { inNamespace } from './stages-in-wds.ts';
import { findObject, type NamedObject, readWorkload } from './workload.ts';

export type WorkloadGoal = 'applied' | 'available' | 'status' | 'equal';

export interface WorkloadWait {
  named: NamedObject;
  goal: WorkloadGoal;
  /** WECs that the object must reach; undefined selects all WECs that policies send it to. */
  on: readonly string[] | undefined;
}

export interface WorkloadWaited extends NamedResult {
  /** WECs that reached the goal. */
  reached: string[];
}

/**
 * Waits until an object reaches a stage on every WEC. A failed stage ends the wait after a grace period. Reads only.
 * @throws StellarError `not-found`; `usage` for a status that no policy requests
 */
export async function waitForWorkload(
  wait: WorkloadWait,
  wds: Wds,
  run: Run,
): Promise<WorkloadWaited> {
  const { named, goal, on } = wait;
  const its = requireIts(wds);
  await Promise.all((on ?? []).map((wec) => getManagedCluster(its, wec)));
  const found = await findObject(named, wds);
  const name = `${named.kind}/${named.name}`;
  const result: WorkloadWaited = { name, reached: [] };
  return forName(result, run, async () => {
    const see = command`stellarctl workload get ${name} ${inNamespace(found.ref)} ${flagsOf(wds)}`;
    await untilReached({ name, goal, see }, run, async () => {
      const { view, errors } = await readWorkload(found, wds, { compares: goal === 'equal' });
      const { deliveries } = view;
      if (goal === 'status') refuseUnreturned(`this ${view.kind}`, deliveries);
      const open = openOf(deliveries, goal, on);
      const places = new Set(open.map((each) => each.where));
      result.reached = wecsToWaitFor(deliveries, on).filter((wec) => !places.has(wec));
      return { view: open, errors };
    });
    run.progress.done(name, `${goal} on ${result.reached.join(', ')}`, true);
  });
}

interface Wanted {
  name: string;
  goal: WorkloadGoal;
  /** The command that shows what blocks it. */
  see: string;
}

/** Waits until nothing is open that a reading finds. */
export const untilReached = (
  wanted: Wanted,
  run: Run,
  read: () => Promise<ViewWithErrors<Open[]>>,
) =>
  untilMet(
    {
      name: wanted.name,
      read,
      check: ({ view }) => verdictOn(view),
      unmet: ({ view, errors }) => notReached(wanted, view, errors),
    },
    run,
  );

const wecsToWaitFor = (deliveries: readonly DeliveryView[], on: WorkloadWait['on']) =>
  on === undefined ? [...new Set(deliveries.flatMap(({ wec }) => wec ?? []))] : [...on];

/** What is not at the goal yet. */
export interface Open {
  /** The WEC, for people. */
  where: string;
  /** Undefined if there is none. */
  delivery?: DeliveryView;
  /** Why, if no delivery says it. */
  why?: string;
}

const isOpenFailed = ({ delivery }: Open) => delivery?.blockedAt?.state === 'failed';

function whyOf({ delivery, why = 'no policy sends it there' }: Open) {
  if (delivery === undefined) return why;
  const { blockedAt, stages } = delivery;
  return (
    blockedAt?.why ?? stages.find(({ state }) => state === 'not-visible')?.why ?? 'not there yet'
  );
}

/** A line for each reason, which names its WECs once. */
const openWords = (open: readonly Open[]) =>
  [...Map.groupBy(open, (each) => withoutValues(whyOf(each)))].map(([why, all]) =>
    all.every(({ where }) => why.includes(` ${where}`))
      ? why
      : `${few(all.map(({ where }) => where)).join(', ')}: ${why}`,
  );

function verdictOn(open: readonly Open[]): Verdict {
  if (open.length === 0) return met;
  const why = few(openWords(open), 2).join('; ');
  return open.some(isOpenFailed) ? failed(why) : waiting(why);
}

/** Returns the WECs that some policy has not brought to the goal, each with its current stage. */
function openOf(
  deliveries: readonly DeliveryView[],
  goal: WorkloadGoal,
  on: WorkloadWait['on'],
): Open[] {
  const wecs = wecsToWaitFor(deliveries, on);
  if (wecs.length === 0) return deliveries.map((delivery) => ({ where: 'no WEC', delivery }));
  return wecs.flatMap((wec): Open[] | Open => {
    const ofWec = deliveries.filter((delivery) => delivery.wec === wec);
    if (ofWec.length === 0) return { where: wec };
    const isCompared = ofWec.every(
      ({ done, stages }) => !done || stages.some(({ id }) => id === goal),
    );
    if (goal === 'equal' && !isCompared)
      return { where: wec, why: 'no context is proven to lead there' };
    return ofWec
      .filter((delivery) => !hasReached(delivery, goal))
      .map((delivery) => ({ where: wec, delivery }));
  });
}

/** Refuses to wait for a status that nothing asks for. @throws StellarError `usage` */
export function refuseUnreturned(what: string, deliveries: readonly DeliveryView[]): void {
  const sent = deliveries.filter(({ wec }) => wec !== null);
  if (sent.length === 0 || sent.some(({ stages }) => stages.some(({ id }) => id === 'status')))
    return;
  throw new StellarError(
    'usage',
    `No policy asks for a status of ${what}, or its kind has none.`,
    advice(
      'Ask for it in the policy: wantSingletonReportedState, wantMultiWECReportedState or statusCollectors',
    ),
  );
}

/** The problem of the first failed delivery. If the last reading failed, reports that as the error, not a timeout. */
function notReached(
  { name, goal, see }: Wanted,
  open: readonly Open[],
  errors: readonly StellarError[],
) {
  const details = few(openWords(open), 20);
  const unseen = errors.find(({ exitCode }) => exitCode === ExitCode.unreachable);
  if (unseen !== undefined) return unseen.with({ details });
  const look = nextStep(see, 'See what blocks it');
  const blocked = open.find(isOpenFailed)?.delivery;
  const state = goal === 'status' ? 'returned' : goal;
  if (blocked === undefined)
    return new StellarError('timeout', `${name} was not ${state} everywhere in time.`, look).with({
      details,
    });
  const [first, ...more] = blocked.steps;
  const cure =
    first === undefined
      ? []
      : [blocked.next === null ? advice(first) : nextStep(blocked.next), ...more.map(advice)];
  return new StellarError(
    'workload-blocked',
    `${name} is blocked before it is ${state}.`,
    ...cure,
    look,
  ).with({ details, problem: blocked.code ?? undefined });
}

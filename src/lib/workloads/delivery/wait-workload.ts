import { command } from '../../engine/command-line.ts';
import { forName, type NamedResult } from '../../engine/each-name.ts';
import { StellarError } from '../../engine/errors.ts';
import { inWords, run as nextStep } from '../../engine/next-step.ts';
import type { Run } from '../../engine/run.ts';
import { met, waiting } from '../../engine/stages.ts';
import { untilMet } from '../../engine/until-met.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import type { WayView } from './view.ts';
import { lookAtWorkload, type NamedObject, type WorkloadView } from './workload.ts';

export type WorkloadGoal = 'applied' | 'available' | 'status';

export interface WorkloadWait {
  named: NamedObject;
  goal: WorkloadGoal;
  /** The WECs that it is to be on; undefined means all that policies send it to. */
  on: readonly string[] | undefined;
}

export interface WorkloadWaited extends NamedResult {
  /** The WECs where the goal is reached. */
  reached: string[];
}

/**
 * Waits until an object has got to a link of its way on every WEC, whatever fails on the way: it may be fixed before the deadline.
 * Reads only.
 * @throws StellarError `not-found`; `usage` for a status that nobody asks for
 */
export async function waitForWorkload(
  { named, goal, on }: WorkloadWait,
  wds: OpenWds,
  run: Run,
): Promise<WorkloadWaited> {
  const look = await lookAtWorkload(named, wds);
  const started = Date.now();
  const name = `${named.kind}/${named.name}`;
  const result: WorkloadWaited = { name, reached: [] };
  return forName(result, run, async () => {
    await untilMet<WorkloadView>(
      {
        name,
        stage: {
          id: goal,
          title: goal,
          check: ({ ways }) => {
            const open = openOf(ways, goal, on);
            return open.length === 0 ? met : waiting(open.map(({ wec, why }) => `${wec}: ${why}`).join('; '));
          },
        },
        look: async () => {
          const view = await look();
          refuseUnasked(view, goal);
          const open = new Set(openOf(view.ways, goal, on).map(({ wec }) => wec));
          result.reached = wecsOf(view.ways, on).filter((wec) => !open.has(wec));
          return view;
        },
        unmet: ({ ways }) => notReached(name, goal, named, wds, openOf(ways, goal, on)),
      },
      run,
    );
    run.progress.done(name, `${goal} on ${result.reached.join(', ')}`, Date.now() - started);
  });
}

const wecsOf = (ways: readonly WayView[], on: readonly string[] | undefined): string[] =>
  on === undefined ? [...new Set(ways.flatMap(({ wec }) => wec ?? []))] : [...on];

/** The WECs where the goal is not reached by every policy that sends the object there, each with what it is at. */
function openOf(
  ways: readonly WayView[],
  goal: WorkloadGoal,
  on: readonly string[] | undefined,
): { wec: string; why: string }[] {
  const wecs = wecsOf(ways, on);
  if (wecs.length === 0) return ways.map((way) => ({ wec: 'no WEC', why: whyOf(way) }));
  return wecs.flatMap((wec) => {
    const own = ways.filter((way) => way.wec === wec);
    if (own.length === 0) return { wec, why: 'no policy sends it there' };
    return own.filter((way) => !hasReached(way, goal)).map((way) => ({ wec, why: whyOf(way) }));
  });
}

/** What comes later proves nothing while an earlier link is open: a new state may be under way. */
function hasReached({ stages }: WayView, goal: WorkloadGoal): boolean {
  const index = stages.findIndex(({ id }) => id === goal);
  return index !== -1 && stages.slice(0, index + 1).every(({ state }) => state === 'met');
}

const whyOf = ({ blockedAt, stages }: WayView): string =>
  blockedAt?.why ?? stages.find(({ state }) => state === 'unseen')?.why ?? 'not there yet';

/** A status that is not asked for never comes. */
function refuseUnasked({ ways, kind }: WorkloadView, goal: WorkloadGoal): void {
  const sent = ways.filter(({ wec }) => wec !== null);
  if (goal !== 'status' || sent.length === 0 || sent.some(({ stages }) => stages.some(({ id }) => id === goal))) return;
  throw new StellarError('usage', `No policy asks for the status of this ${kind}: it never comes.`, {
    next: [
      inWords('Ask for it in the policy: wantSingletonReportedState, wantMultiWECReportedState or statusCollectors'),
    ],
  });
}

function notReached(
  name: string,
  goal: WorkloadGoal,
  { namespace }: NamedObject,
  wds: OpenWds,
  open: readonly { wec: string; why: string }[],
): StellarError {
  return new StellarError('timeout', `${name} was not ${goal === 'status' ? 'returned' : goal} everywhere in time.`, {
    details: open.map(({ wec, why }) => `${wec}: ${why}`),
    next: [nextStep(command`stellarctl workload get ${name} -n ${namespace} --wds ${wds.name}`, 'See what blocks it')],
  });
}

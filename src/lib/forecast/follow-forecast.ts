import { StellarError } from '../core/errors.ts';
import { command, run as nextStep } from '../core/next-step.ts';
import { poll } from '../core/poll.ts';
import type { Run } from '../core/run.ts';
import { count, few } from '../core/text/words.ts';
import { tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import type { Forecast, WorkEffect } from './forecast.ts';
import { readMailboxes } from './read-forecast.ts';

/** How long KubeStellar gets, in milliseconds: it follows a change within 2 to 5 s, if it is not busy (kubestellar 0.30.0, seen). */
const followMs = 20_000;

/** What KubeStellar has made of a change. */
interface Followed {
  /** Why it has not followed in time, a clause; undefined if it has, or nothing goes. */
  why?: string;
  /** `forecast-wrong`, if works have gone, or were created anew, of which the forecast has said that they stay. */
  error?: StellarError;
}

/** Waits until the works have gone that a change makes go, and compares the others with the forecast meanwhile. */
export async function followForecast(
  its: Kube,
  { works }: Pick<Forecast, 'works'>,
  run: Run,
): Promise<Followed> {
  const going = works.filter(({ goes }) => goes);
  const wecs = [...new Set(works.map(({ wec }) => wec))];
  if (run.dryRun || going.length === 0) return {};
  let left = going;
  const read = async () => {
    const present = await readMailboxes(its, wecs, { metadataOnly: true });
    const isThere = ({ wec, uid }: WorkEffect) =>
      present.get(wec)?.some((work) => work.uid === uid && !work.isLeaving) === true;
    left = going.filter(isThere);
    const lost = works.filter((work) => !work.goes && !isThere(work));
    return lost.length > 0 || left.length === 0 ? lost : undefined;
  };
  run.progress.waiting(its.cluster.context, 'KubeStellar follows');
  const deadline = run.deadline.within(followMs);
  const lost = await tryRead(() => poll(read, { ...run, deadline }));
  if (lost.state !== 'seen')
    return { why: `the works on ${its.cluster.context} could not be read: ${lost.why}` };
  if (lost.value?.length) return { error: forecastWrong(lost.value, its) };
  const words = `${count(left.length, 'work')} that should go are still on ${its.cluster.context}`;
  return left.length === 0 ? {} : { why: words };
}

function forecastWrong(lost: readonly WorkEffect[], its: Kube) {
  const [{ policy, wds }] = lost as [WorkEffect];
  const of = few(lost.map(({ wec, name }) => `${name} of ${wec}`)).join(', ');
  return new StellarError(
    'forecast-wrong',
    `KubeStellar has removed works on ${its.cluster.context} that the forecast did not show: ${of}.`,
    nextStep(command`stellarctl policy get ${policy} --wds ${wds}`, 'See what it sends now'),
  );
}

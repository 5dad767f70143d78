import { ownLimits } from '../core/deadline.ts';
import { failureOf, StellarError } from '../core/errors.ts';
import { run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import type { ExpectedBinding } from '../forecast/reach.ts';
import { seen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { namesOf, type Pod, resources } from '../kube/client/objects.ts';
import { requirePermissions } from '../kube/permissions.ts';
import { isScaledToNone } from '../kube/pods.ts';
import { readDeployment, readPods, scale, stop } from '../kube/scaling.ts';
import { listServed } from '../kube/served.ts';
import { managerDeployment, transportDeployment } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import type { Binding } from '../ocm/model/kubestellar-names.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import { worksOf } from '../spaces/choose/works-of-policy.ts';
import type { SpaceTools } from '../spaces/hosting/hosting.ts';
import { leasePermissions, withHostingLease } from '../spaces/hosting/hosting-lease.ts';
import {
  type RestartNote,
  readNote,
  type TriedObject,
  toRestart,
} from '../spaces/space/controllers-run.ts';
import { lateFor, untilBindings, wantedBindings } from './rehearsed-bindings.ts';
import { endNote, keepChange, keepNote, renewNote } from './restart-note.ts';
import { planRestart, type RestartPlan } from './restart-plan.ts';
import { restartControllers } from './restart-wds.ts';
import { setTried } from './tried.ts';
import { unprovenBinding } from './unproven-binding.ts';

/** A change that KubeStellar makes its Bindings for while nothing is sent. */
export interface Rehearsal {
  /** For other runs: `label w1`. */
  what: string;
  /** Whose progress shows the wait: the ITS or the WDS. */
  subject: string;
  /** All that is written. */
  tried: readonly TriedObject[];
  /** What the Bindings are to be, by the forecast. */
  bindings: readonly ExpectedBinding[];
}

/** The WDSes whose Bindings a change may change. */
export const wdsesOf = ({ tried, bindings }: Pick<Rehearsal, 'tried' | 'bindings'>): string[] => [
  ...new Set([...tried, ...bindings].flatMap(({ wds }) => wds ?? [])),
];

/**
 * Plans to stop the transports of WDSes.
 * @throws StellarError what hides a WDS, or keeps its controllers from being stopped; `hosting-busy` if another change is tried there
 */
export async function planRehearsal(
  wdses: readonly string[],
  tools: SpaceTools,
): Promise<RestartPlan[]> {
  await requirePermissions(tools.hosting, leasePermissions);
  const plans: RestartPlan[] = [];
  for (const name of wdses) {
    const plan = await planRestart(name, tools);
    requireNoNote(plan, readNote(plan.controlPlane));
    // Without a transport nothing is sent.
    if (plan.found.transport > 0) plans.push(plan);
  }
  return plans;
}

function requireNoNote({ name, hosting }: RestartPlan, note: RestartNote | undefined): void {
  if (note === undefined) return;
  const begun = `that ${note.by} has begun at ${note.at}`;
  if (note.tried === undefined)
    throw new StellarError('conflict', `the restart of its controllers ${begun} is not finished`);
  throw new StellarError(
    'hosting-busy',
    `KubeStellar tries a change in ${name} ${begun}.`,
    nextStep(toRestart(name, hosting.cluster.context), 'If that run has ended, take it back'),
  );
}

/**
 * Takes back what rehearsals have left that were killed, and starts their transports.
 * @throws StellarError what a restart of the controllers throws
 */
export async function endRehearsals(tools: SpaceTools, run: Run): Promise<void> {
  const { hosting } = tools;
  const left = async () => {
    const all = await listServed<ControlPlane>(hosting, resources.controlPlanes);
    return namesOf(all.filter((each) => readNote(each)?.tried !== undefined));
  };
  const found = await tryRead(left);
  // Who cannot read them cannot end them: waits, status and doctor show who has begun them.
  if (found.state !== 'seen' || found.value.length === 0) return;
  // Another run may be at it.
  await withHostingLease(hosting, 'taking a change back', run, async () => {
    for (const name of await left()) await restartControllers(await planRestart(name, tools), run);
  });
}

/** A WDS whose transport is stopped. */
interface Held {
  plan: RestartPlan;
  note: RestartNote;
  /** What the Bindings were when it had stopped. */
  bindings: readonly Binding[];
  /** How often the containers of its controller manager had restarted. */
  restarts: number;
}

/** What has begun of a rehearsal. */
interface Begun {
  tried: readonly TriedObject[];
  subject: string;
  /** Those that have a note. */
  plans: RestartPlan[];
  held: Held[];
  /** Whether another program has started a transport meanwhile. */
  isSent: boolean;
}

/**
 * Writes a change while the transports are stopped, and compares the Bindings that KubeStellar makes of it with the forecast. If they differ,
 * or its controller manager crashes, the change is taken back: nothing has reached a WEC then. Measured with kubestellar 0.30.0.
 * @returns what the write returns @throws StellarError `forecast-wrong`, or what has failed, also once the change is taken back
 */
export const rehearse = <Result>(
  plans: readonly RestartPlan[],
  rehearsal: Rehearsal,
  write: () => Promise<Result>,
  run: Run,
): Promise<Result> =>
  holding(plans, rehearsal, run, async (begun) => {
    const result = await write();
    for (const each of begun.held) await proveForeseen(each, rehearsal.bindings, begun, run);
    // From here on the change is to stay, whoever finishes it.
    for (const { plan, note } of begun.held) await keepChange(plan, note);
    return { result, finish: () => eachOf(begun.held, ({ plan }) => release(plan)) };
  });

/** Does the same, and takes the change back, whatever KubeStellar makes of it. @throws StellarError as `rehearse` */
export const tryOut = (
  plans: readonly RestartPlan[],
  rehearsal: Rehearsal,
  run: Run,
): Promise<void> =>
  holding(plans, rehearsal, run, async (begun) => {
    await eachOf(plans, (plan) => setTried(plan, rehearsal.tried, 'after'));
    for (const each of begun.held) await proveForeseen(each, rehearsal.bindings, begun, run);
    const finish = async () => {
      const failed = await takenBack(begun, run);
      if (failed !== undefined) throw failed;
    };
    return { result: undefined, finish };
  });

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) await work(item);
}

/** Stops the transports, and takes the change back if the work fails. @param work returns what is left to do once it has not */
async function holding<Result>(
  plans: readonly RestartPlan[],
  { what, subject, tried }: Rehearsal,
  run: Run,
  work: (begun: Begun) => Promise<{ result: Result; finish: () => Promise<void> }>,
): Promise<Result> {
  const [first] = plans as [RestartPlan];
  return withHostingLease(first.hosting, what, run, async () => {
    const begun: Begun = { tried, subject, plans: [], held: [], isSent: false };
    const done = await eachOf(plans, (plan) => hold(plan, begun, run))
      .then(() => work(begun))
      .catch(async (error: unknown) => {
        // Ctrl-C as well.
        if (!(error instanceof StellarError)) throw error;
        throw (await takenBack(begun, run, error)) ?? error;
      });
    await done.finish();
    return done.result;
  });
}

async function hold(plan: RestartPlan, { tried, subject, plans, held }: Begun, run: Run) {
  const { name, place, wds, hosting, controlPlane } = plan;
  const current = await hosting.get<ControlPlane>(resources.controlPlanes, name);
  requireNoNote(plan, readNote(current ?? controlPlane));
  plans.push(plan);
  const note = await keepNote(plan, { tried: [...tried] });
  const late = (why: string) => lateFor(name, why);
  await stop(place, transportDeployment, { late, subject }, run);
  held.push({
    plan,
    note: await renewNote(plan, note),
    bindings: await listServed<Binding>(wds.kube, resources.bindings),
    restarts: restartsOf(await readPods(place, managerDeployment)),
  });
}

const restartsOf = (pods: readonly Pod[]) =>
  pods
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);

async function release(plan: RestartPlan): Promise<void> {
  await scale(plan.place, transportDeployment, plan.found.transport);
  await endNote(plan);
}

/** Waits until KubeStellar has handled the change. @throws StellarError `forecast-wrong`, `timeout` */
function proveForeseen(
  { plan: { name, wds, place }, bindings, restarts }: Held,
  expected: readonly ExpectedBinding[],
  begun: Begun,
  run: Run,
): Promise<void> {
  const { tried, subject } = begun;
  const failure = async () => {
    const transport = await readDeployment(place, transportDeployment);
    begun.isSent = transport !== undefined && !isScaledToNone(transport);
    if (begun.isSent) return 'another program has started its transport meanwhile';
    const pods = await readPods(place, managerDeployment);
    return restartsOf(pods) > restarts ? `the controller manager of ${name} crashes` : undefined;
  };
  const wanted = wantedBindings(name, expected, bindings);
  return untilBindings({ wds, wanted, tried, to: 'after', failure }, run, (why) =>
    run.progress.waiting(subject, `${name}: ${why}`),
  );
}

/** How long the change may take to be taken back, in milliseconds: a manager that crashes is started again after its back-off. */
const takeBackMs = 90_000;

/** Takes a change back, and starts the transports once the Bindings are as before. @returns the error of the command */
async function takenBack(
  { plans, held, tried, subject, isSent }: Begun,
  run: Run,
  error?: StellarError,
): Promise<StellarError | undefined> {
  if (plans.length === 0) return error;
  const limits = ownLimits(takeBackMs);
  const waiting = (why: string) => run.progress.waiting(subject, `taking the change back: ${why}`);
  const forks: Kube[] = [];
  const fork = (kube: Kube) => {
    const own = kube.fork({ run: limits });
    forks.push(own);
    return own;
  };
  try {
    const lasting = plans.map((plan) => ({ plan, last: withKubes(plan, fork) }));
    await eachOf(lasting, ({ last }) => setTried(last, tried, 'before'));
    for (const { plan, last } of lasting) {
      waiting(plan.name);
      const before = held.find((each) => each.plan === plan);
      if (before !== undefined)
        await untilAsBefore({ ...before, plan: last }, tried, limits, waiting);
      await release(last);
    }
    const words = isSent
      ? 'The change was taken back.'
      : 'The change was taken back; nothing has changed on any WEC.';
    return error?.with({ details: [...error.details, words] });
  } catch (second) {
    const names = plans.map(({ name }) => name).join(', ');
    const words = `The transport of ${names} stays stopped, and its workloads keep running: ${failureOf(second).message}`;
    const finish = plans.map(({ name, hosting }) =>
      nextStep(toRestart(name, hosting.cluster.context), 'Take the change back'),
    );
    const first = error ?? failureOf(second);
    return first.with({ details: [...first.details, words], next: [...first.next, ...finish] });
  } finally {
    for (const each of forks) each.close();
  }
}

/** Others may have changed labels and policies meanwhile: then a Binding is to be what its policy selects now. */
function untilAsBefore(
  { plan: { name, wds }, note, bindings }: Held,
  tried: readonly TriedObject[],
  limits: Pick<Run, 'deadline' | 'signal'>,
  waiting: (why: string) => void,
): Promise<void> {
  const accepts = async (present: readonly Binding[]) => {
    const works = await worksOf(wds);
    return (
      works.state === 'seen' &&
      (await unprovenBinding(wds, note, present, works.value)) === undefined
    );
  };
  const wanted = wantedBindings(name, [], bindings);
  return untilBindings({ wds, wanted, tried, to: 'before', accepts }, limits, waiting);
}

/** The same plan, with clients that outlive the command. */
function withKubes(plan: RestartPlan, fork: (kube: Kube) => Kube): RestartPlan {
  const { wds, place } = plan;
  const hosting = fork(plan.hosting);
  const its: Wds['its'] =
    wds.its.state === 'seen' ? seen({ ...wds.its.value, kube: fork(wds.its.value.kube) }) : wds.its;
  return {
    ...plan,
    hosting,
    place: { ...place, kube: hosting },
    wds: { ...wds, kube: fork(wds.kube), its },
  };
}

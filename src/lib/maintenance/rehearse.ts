import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ownLimits } from '../core/deadline.ts';
import { failureOf, StellarError } from '../core/errors.ts';
import { run as nextStep } from '../core/next-step.ts';
import { poll } from '../core/poll.ts';
import type { Run } from '../core/run.ts';
import { few } from '../core/text/words.ts';
import type { ExpectedBinding } from '../forecast/reach.ts';
import type { WecChange } from '../forecast/wec-change.ts';
import { seen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import {
  byName,
  type LabelSelector,
  namesOf,
  type Pod,
  resources,
} from '../kube/client/objects.ts';
import { requirePermissions } from '../kube/permissions.ts';
import { readPods, scale, stop } from '../kube/scaling.ts';
import { listServed } from '../kube/served.ts';
import { managerDeployment, transportDeployment } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import { type Binding, destinationsOf } from '../ocm/model/kubestellar-names.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import type { SpaceTools } from '../spaces/hosting/hosting.ts';
import { leasePermissions, withHostingLease } from '../spaces/hosting/hosting-lease.ts';
import {
  type RestartNote,
  readNote,
  type TriedLabels,
  toRestart,
} from '../spaces/space/controllers-run.ts';
import { endNote, keepChange, keepNote, renewNote, takeBack } from './restart-note.ts';
import {
  isProbe,
  noteBindings,
  planRestart,
  quietTime,
  type RestartPlan,
  writeSelectionProbe,
} from './restart-plan.ts';
import { restartControllers } from './restart-wds.ts';

/** A change of WECs that KubeStellar makes its Bindings for while nothing is sent. */
export interface Rehearsal<Result> {
  /** For other runs: `label w1`. */
  what: string;
  /** Whose progress shows the wait: the ITS. */
  subject: string;
  wecs: readonly WecChange[];
  /** What the Bindings are to be, by the forecast. */
  bindings: readonly ExpectedBinding[];
  write(): Promise<Result>;
}

/**
 * Plans to stop the transports of the WDSes whose Bindings may change.
 * @throws StellarError what hides a WDS, or keeps its controllers from being stopped
 */
export async function planRehearsal(
  bindings: readonly ExpectedBinding[],
  tools: SpaceTools,
): Promise<RestartPlan[]> {
  await requirePermissions(tools.hosting, leasePermissions);
  const plans: RestartPlan[] = [];
  for (const name of new Set(bindings.map(({ wds }) => wds))) {
    const plan = await planRestart(name, tools);
    if (readNote(plan.controlPlane) !== undefined)
      throw new StellarError('conflict', `a restart of the controllers of ${name} is not finished`);
    // Without a transport nothing is sent.
    if (plan.found.transport > 0) plans.push(plan);
  }
  return plans;
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

/**
 * Writes a change while the transports are stopped, and compares the Bindings that KubeStellar makes of it with the forecast. If they differ,
 * or its controller manager crashes, the change is taken back: nothing has reached a WEC then. Measured with kubestellar 0.30.0.
 * @throws StellarError `forecast-wrong`, or what has failed, also once the change is taken back
 */
export async function rehearse<Result>(
  plans: readonly RestartPlan[],
  { what, subject, wecs, bindings, write }: Rehearsal<Result>,
  run: Run,
): Promise<Result> {
  const [{ hosting }] = plans as [RestartPlan];
  const tried = wecs.map(triedLabels);
  return withHostingLease(hosting, what, run, async () => {
    const held: Held[] = [];
    let result: Result;
    try {
      for (const plan of plans) held.push(await hold(plan, tried, subject, run));
      result = await write();
      for (const each of held) await proveForeseen(each, { bindings, tried, subject }, run);
      // From here on the change is to stay, whoever finishes it.
      for (const { plan, note } of held) await keepChange(plan, note);
    } catch (error) {
      // Ctrl-C as well.
      if (!(error instanceof StellarError)) throw error;
      const waiting = (why: string) =>
        run.progress.waiting(subject, `taking the change back: ${why}`);
      throw await takenBack({ plans, held, tried }, error, waiting);
    }
    for (const { plan } of held) await release(plan);
    return result;
  });
}

/** The labels of a WEC that change. */
function triedLabels({ name, before, after }: WecChange): TriedLabels {
  const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after)]);
  const labels = [...keys].flatMap((key): [string, [string | null, string | null]][] => {
    const values = [before?.[key] ?? null, after[key] ?? null] as [string | null, string | null];
    return values[0] === values[1] ? [] : [[key, values]];
  });
  return { wec: name, labels: Object.fromEntries(labels) };
}

async function hold(
  plan: RestartPlan,
  tried: TriedLabels[],
  subject: string,
  run: Run,
): Promise<Held> {
  const { name, place, wds } = plan;
  const note = await keepNote(plan, { tried });
  const late = (why: string) => lateFor(name, why);
  await stop(place, transportDeployment, { late, subject }, run);
  return {
    plan,
    note: await renewNote(plan, note),
    bindings: await listServed<Binding>(wds.kube, resources.bindings),
    restarts: restartsOf(await readPods(place, managerDeployment)),
  };
}

const lateFor = (name: string, why: string) =>
  new StellarError(
    'timeout',
    `KubeStellar has not followed the change in ${name} in time: ${why}.`,
  );

const restartsOf = (pods: readonly Pod[]) =>
  pods
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);

async function release(plan: RestartPlan): Promise<void> {
  await scale(plan.place, transportDeployment, plan.found.transport);
  await endNote(plan);
}

/** How long no Binding may be written before another one than foreseen counts as what KubeStellar makes of the change. */
const quietMs = 5_000;

/** Waits until KubeStellar has handled the change. @throws StellarError `forecast-wrong`, `timeout` */
async function proveForeseen(
  { plan, bindings, restarts }: Held,
  {
    bindings: expected,
    tried,
    subject,
  }: Pick<Rehearsal<unknown>, 'bindings' | 'subject'> & { tried: readonly TriedLabels[] },
  run: Run,
): Promise<void> {
  const { name, wds, place } = plan;
  const wecsOf = (binding: Binding) =>
    expected.find((each) => each.wds === name && each.policy === binding.metadata.name)?.wecs ??
    destinationsOf(binding);
  const wanted = bindings.map((binding) => ({
    ...binding,
    spec: { ...binding.spec, destinations: wecsOf(binding).map((clusterId) => ({ clusterId })) },
  }));
  const crashed = async () => {
    const pods = await readPods(place, managerDeployment);
    return restartsOf(pods) > restarts ? `the controller manager of ${name} crashes` : undefined;
  };
  await untilBindings({ wds, wanted, tried, isAfter: true, crashed }, run, (why) => {
    run.progress.waiting(subject, `${name}: ${why}`);
  });
}

interface AwaitedBindings {
  wds: Wds;
  wanted: readonly Binding[];
  tried: readonly TriedLabels[];
  /** Whether the manager has to have read the labels after the change, or those before. */
  isAfter: boolean;
  /** Why what is there is not what comes, a clause. */
  crashed?(): Promise<string | undefined>;
}

/** Waits until the Bindings are as wanted, and the manager has handled all that was written before. @throws StellarError */
async function untilBindings(
  { wds, wanted, tried, isAfter, crashed }: AwaitedBindings,
  run: Pick<Run, 'deadline' | 'signal'>,
  waiting: (why: string) => void,
): Promise<void> {
  const probe = probeOf(tried, isAfter);
  const quietFor = quietTime();
  let why = 'its controller manager has not read the change';
  const read = async () => {
    const crash = await crashed?.();
    if (crash !== undefined) throw wrong(wds, crash);
    const bindings = await listServed<Binding>(wds.kube, resources.bindings);
    const isQuiet = quietFor(bindings) > quietMs;
    const isHandled = probe === undefined || (await areAnswered(wds, probe, bindings));
    const difference = differenceOf(wanted, bindings);
    if (isHandled && difference === undefined) return true;
    why = difference ?? why;
    waiting(why);
    if (isHandled && difference !== undefined && isQuiet) throw wrong(wds, difference);
    return undefined;
  };
  if ((await poll(read, run)) === undefined) throw lateFor(wds.name, why);
}

const wrong = ({ name }: Wds, why: string) =>
  new StellarError(
    'forecast-wrong',
    `KubeStellar does not do in ${name} what was foreseen: ${why}.`,
  );

/** What is wrong with the first Binding that differs, a clause. Those that list nothing do not count. */
function differenceOf(wanted: readonly Binding[], present: readonly Binding[]) {
  const [noted, now] = [noteBindings(wanted), noteBindings(present)];
  const [before, after] = [byName(wanted), byName(present)];
  for (const name of new Set([...Object.keys(noted), ...Object.keys(now)])) {
    if (isDeepStrictEqual(now[name], noted[name])) continue;
    const [foreseen, found] = [before, after].map(
      (bindings) => few(destinationsOf(bindings.get(name)).toSorted()).join(', ') || 'no WEC',
    );
    if (noted[name] === undefined) return `Binding ${name} is new`;
    if (now[name] === undefined) return `Binding ${name} lists nothing`;
    return foreseen === found
      ? `Binding ${name} lists other objects`
      : `Binding ${name} names ${found}, instead of ${foreseen}`;
  }
  return undefined;
}

/** What shows that the manager has read the labels of a WEC. */
interface SelectionProbe {
  wec: string;
  /** Selects the WEC by a label that it has only afterwards, or only before. */
  selector: LabelSelector;
  /** The names of the probes, in their order. */
  names: readonly string[];
}

function probeOf(tried: readonly TriedLabels[], isAfter: boolean): SelectionProbe | undefined {
  const [{ wec, labels } = { wec: '', labels: {} }] = tried;
  const [[key, [before, after]] = ['', [null, null]]] = Object.entries(labels);
  if (key === '') return undefined;
  const value = isAfter ? after : before;
  const selector: LabelSelector =
    value === null
      ? { matchExpressions: [{ key, operator: 'DoesNotExist' }] }
      : { matchLabels: { [key]: value } };
  const id = randomUUID().slice(0, 8);
  return { wec, selector, names: [`${id}-1`, `${id}-2`] };
}

/**
 * Whether the manager has read the labels, and handled all that came before: a first probe selects the WEC by them, and a second one is
 * written once the first has its Binding. The manager handles what it hears of in one queue (kubestellar v0.30.0, pkg/binding).
 */
async function areAnswered(
  wds: Wds,
  { wec, selector, names }: SelectionProbe,
  bindings: readonly Binding[],
): Promise<boolean> {
  for (const name of names) {
    const binding = bindings.find(({ metadata }) => isProbe(metadata, name));
    if (binding === undefined) await writeSelectionProbe(wds, name, selector);
    if (!destinationsOf(binding).includes(wec)) return false;
  }
  return true;
}

/** How long the change may take to be taken back, in milliseconds: a manager that crashes is started again after its back-off. */
const takeBackMs = 90_000;

/** Takes a change back, and starts the transports once the Bindings are as before. @returns the error of the command */
async function takenBack(
  {
    plans,
    held,
    tried,
  }: { plans: readonly RestartPlan[]; held: readonly Held[]; tried: readonly TriedLabels[] },
  error: StellarError,
  waiting: (why: string) => void,
): Promise<StellarError> {
  const limits = ownLimits(takeBackMs);
  const forks: Kube[] = [];
  const fork = (kube: Kube) => {
    const own = kube.fork({ run: limits });
    forks.push(own);
    return own;
  };
  const finish = plans.map(({ name, hosting }) =>
    nextStep(toRestart(name, hosting.cluster.context), 'Take the change back'),
  );
  try {
    const lasting = plans.map((plan) => ({ plan, last: withKubes(plan, fork) }));
    const [first] = lasting;
    // All send through one ITS.
    if (first !== undefined) await takeBack(first.last, tried);
    for (const { plan, last } of lasting) {
      waiting(plan.name);
      const before = held.find((each) => each.plan === plan);
      if (before !== undefined) {
        const { bindings: wanted } = before;
        await untilBindings({ wds: last.wds, wanted, tried, isAfter: false }, limits, waiting);
      }
      await release(last);
    }
    const words = 'The change was taken back; nothing has changed on any WEC.';
    return error.with({ details: [...error.details, words] });
  } catch (second) {
    const names = plans.map(({ name }) => name).join(', ');
    const words = `The transport of ${names} stays stopped, and its workloads keep running: ${failureOf(second).message}`;
    return error.with({ details: [...error.details, words], next: [...error.next, ...finish] });
  } finally {
    for (const each of forks) each.close();
  }
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

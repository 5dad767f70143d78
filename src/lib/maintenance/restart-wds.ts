import { forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { waitWhile } from '../core/follow.ts';
import { command, run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { unreached } from '../core/stages.ts';
import { whyUnseen } from '../kube/access.ts';
import { createdAt, resources } from '../kube/client/objects.ts';
import { isDeploymentReady, isRead, isRunning } from '../kube/pods.ts';
import { readDeployment, readPods, scale, stop } from '../kube/scaling.ts';
import { listServed } from '../kube/served.ts';
import { hookNames, managerDeployment, transportDeployment } from '../ocm/model/kubeflex-names.ts';
import { type Binding, destinationsOf, objectsOf } from '../ocm/model/kubestellar-names.ts';
import { readHookVersions } from '../ocm/versions/program-versions.ts';
import { sentElsewhere, worksOf } from '../spaces/choose/works-of-policy.ts';
import type { SpaceTools } from '../spaces/hosting/hosting.ts';
import { withHostingLease } from '../spaces/hosting/hosting-lease.ts';
import { type RestartNote, readNote, toRestart } from '../spaces/space/controllers-run.ts';
import { renewCorrectedHook } from '../spaces/space/its-name-defect.ts';
import { toSeeSpace } from '../spaces/space/space-access.ts';
import { wdsVersions } from '../spaces/space/space-watcher.ts';
import { readSpace, typeOf } from '../spaces/space/spaces.ts';
import type { SpaceResult } from '../spaces/space-work.ts';
import { rerunHook } from '../spaces/wds-controllers.ts';
import { endNote, keepNote, renewNote } from './restart-note.ts';
import {
  hasProbe,
  isAnswered,
  planRestart,
  probeFor,
  quietTime,
  type RestartPlan,
  removeProbes,
  writeProbe,
} from './restart-plan.ts';
import { setTried } from './tried.ts';
import { unprovenBinding } from './unproven-binding.ts';

/** How long no Binding may be written before the controller manager counts as through. */
const quietMs = 10_000;

/**
 * Restarts KubeStellar's controllers of a WDS, or finishes a restart. The workloads keep running: a controller manager that starts
 * (0.30.0) empties all Bindings, for seconds or minutes, and meanwhile the transport is stopped.
 * @param recreates whether KubeFlex creates both anew, by the hooks that are installed now
 * @throws StellarError before any write: what planRestart throws; afterwards the error is in the result
 */
export async function restartWds(
  name: string,
  recreates: boolean,
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult> {
  const plan = await planRestart(name, tools, { recreates });
  return carryOut(plan, run, 'controllers restarted; workloads kept', { starts: true });
}

/** @param work undefined if nothing is to do @param state what the end of it shows */
function carryOut(
  plan: RestartPlan,
  run: Run,
  state: string,
  work?: RestartWork,
): Promise<SpaceResult> {
  const { name, wds, controlPlane } = plan;
  const result = {
    name,
    type: typeOf(controlPlane),
    ...unreached,
    changed: work !== undefined,
    context: wds.context,
  };
  return forName<SpaceResult>(result, run, async () => {
    if (work !== undefined) await restartControllers(plan, run, work);
    run.progress.done(name, state, true);
  });
}

/**
 * Upgrades the controllers of a WDS to the version of the installed hooks: KubeFlex creates them anew, with the sequence of a restart.
 * @throws StellarError before any write: what planRestart throws; afterwards the error is in the result
 */
export async function upgradeWds(name: string, tools: SpaceTools, run: Run): Promise<SpaceResult> {
  const { hosting } = tools;
  const isRenewed = await renewCorrectedHook(hosting, run);
  const plan = await planRestart(name, tools, { recreates: true });
  const { controlPlane, variables } = plan;
  const space = await readSpace(hosting, name, 'wds');
  const hooks = await readHookVersions(hosting);
  const isApart = space !== undefined && wdsVersions(space, hooks).some(({ differs }) => differs);
  const isOpen =
    isApart ||
    isRenewed ||
    Object.keys(variables).length > 0 ||
    readNote(controlPlane) !== undefined;
  return isOpen
    ? carryOut(plan, run, 'upgraded; workloads kept', {})
    : carryOut(plan, run, 'runs the versions of the installed hooks; nothing to do');
}

/** KubeFlex does not run the hooks again because of this. */
async function fillVariables({ hosting, controlPlane, variables }: RestartPlan) {
  if (Object.keys(variables).length === 0) return;
  const { name, uid } = controlPlane.metadata;
  await hosting.merge(resources.controlPlanes, name, {
    metadata: { uid },
    spec: { globalVars: variables },
  });
}

/**
 * Takes the steps of a restart, each of which can be repeated. An error leaves the transport stopped, and names the command that
 * finishes.
 */
export function restartControllers(
  plan: RestartPlan,
  run: Run,
  work: RestartWork = {},
): Promise<void> {
  return withHostingLease(plan.hosting, `wds restart ${plan.name}`, run, () =>
    runSteps(plan, run, work),
  );
}

interface RestartWork {
  /** Whether a transport that is scaled to zero is started. */
  starts?: boolean;
  /** What is done while both are stopped. A rerun without it is complete as well. */
  change?(): Promise<void>;
}

async function runSteps(plan: RestartPlan, run: Run, work: RestartWork) {
  const { name, hosting, controlPlane } = plan;
  await fillVariables(plan);
  let note = await keepNote(plan, { starts: work.starts });
  if (readNote(controlPlane))
    run.progress.changed(
      name,
      `${note.tried ? 'ending the change' : 'resuming the restart'} that ${note.by} has begun at ${note.at}`,
    );
  let state: string | undefined;
  try {
    const scaled = () => {
      state = 'is scaled to zero';
    };
    const late = lateFor(plan);
    await stop(plan.place, transportDeployment, { late, subject: name, scaled }, run);
    state = 'stays stopped';
    // What it has sent since the note was written is not in the note.
    if (!note.stopped || plan.found.transport > 0) note = await renewNote(plan, note);
    if (note.tried && !note.stays) await setTried(plan, note.tried, 'before');
    if (work.change) {
      await stop(plan.place, managerDeployment, { late, subject: name }, run);
      await work.change();
    }
    await restartManager(plan, note, run);
    await proveComplete(plan, note, run);
  } catch (error) {
    if (!(error instanceof StellarError)) throw error;
    const finish = nextStep(toRestart(name, hosting.cluster.context), 'Finish the restart');
    const next = [...(error.code === 'interrupted' ? [] : error.next), finish];
    const stopped = `The transport of ${name} ${state}; its workloads keep running.`;
    throw error.with({ ...(state === undefined ? {} : { details: [stopped] }), next });
  }
  if (note.recreates) await rerunHook(plan, hookNames.transport, Date.parse(note.at));
  await scale(plan.place, transportDeployment, note.transport);
  if (note.transport > 0) await untilSent(plan, run);
  await endNote(plan);
}

/** The controller manager has no leader election: the next must not start before the last pod has ended. */
async function restartManager(plan: RestartPlan, note: RestartNote, run: Run) {
  const { place } = plan;
  const began = Date.parse(note.at);
  const present = [
    await readDeployment(place, managerDeployment),
    ...(await readPods(place, managerDeployment)),
  ];
  const [deployment, ...pods] = present.map(
    (each) => each !== undefined && createdAt(each) <= began,
  );
  if (pods.includes(true) || (note.recreates && deployment))
    await stop(place, managerDeployment, { late: lateFor(plan), subject: plan.name }, run);
  if (note.recreates) await rerunHook(plan, hookNames.controller, began);
  await scale(place, managerDeployment, 1);
}

/**
 * Waits until the controller manager has handled what there was at its start, and the Bindings are right. Without works no workload can be lost.
 * @throws StellarError `restart-unproven`
 */
async function proveComplete(plan: RestartPlan, note: RestartNote, run: Run) {
  const { name, wds } = plan;
  const quietFor = quietTime();
  let isWrong = false;
  let works = await worksOf(plan.wds);
  const blocker = async () => {
    isWrong = false;
    if (works.state !== 'seen') works = await worksOf(plan.wds);
    if (works.state !== 'seen') return `what it sends cannot be read: ${works.why}`;
    if (works.value.length === 0) return undefined;
    const pod = (await readPods(plan.place, managerDeployment)).find(isRunning);
    const bindings = await listServed<Binding>(wds.kube, resources.bindings);
    const isQuiet = quietFor(bindings) >= quietMs;
    if (pod === undefined) return 'its controller manager does not run';
    const probe = probeFor(pod);
    const isThrough = isAnswered(probe, bindings);
    if (!isThrough) await writeProbe(wds, probe);
    if (!isThrough || !isQuiet) return 'its controller manager has not finished its initial sync';
    const wrong = await unprovenBinding(wds, note, bindings, works.value);
    isWrong = wrong !== undefined;
    return wrong;
  };
  try {
    await waitWhile(
      blocker,
      run,
      (why) => (isWrong ? restartUnproven(plan, why) : lateFor(plan)(why)),
      name,
    );
  } finally {
    // What has failed before is the error; a rerun removes them as well.
    await removeProbes(wds).catch(() => {});
  }
  // The transport would send what lists a probe.
  const leftProbe = async () => {
    const bindings = await listServed<Binding>(wds.kube, resources.bindings);
    return bindings.some(hasProbe) ? 'its probe has not been removed' : undefined;
  };
  await waitWhile(leftProbe, run, lateFor(plan));
}

/** The error at the deadline. */
const lateFor =
  ({ name, hosting }: RestartPlan) =>
  (why: string) =>
    new StellarError(
      'timeout',
      `The restart of the controllers of ${name} is not done in time: ${why}.`,
      toSeeSpace('wds', name, hosting.cluster.context),
    );

function restartUnproven({ name, wds }: RestartPlan, why: string) {
  return new StellarError(
    'restart-unproven',
    `After the start of its controller manager, ${name} would remove workloads: ${why}.`,
    nextStep(
      command`kubectl --context ${wds.context} get bindings,bindingpolicies -o yaml`,
      'See them',
    ),
  );
}

/** Waits until the transport has read all Bindings, and the ITS has works of each. */
async function untilSent(plan: RestartPlan, run: Run) {
  const { name, wds } = plan;
  const blocker = async () => {
    const bindings = await listServed<Binding>(wds.kube, resources.bindings);
    const works = await worksOf(plan.wds);
    const isReady = isDeploymentReady(await readDeployment(plan.place, transportDeployment));
    const open =
      bindings.find(isUnread) ??
      (works.state === 'seen' ? sentElsewhere(bindings, works.value) : undefined);
    if (isReady && open === undefined) return undefined;
    const waits = isReady
      ? `its transport has not sent Binding ${open?.metadata.name}`
      : 'its transport is starting';
    return whyUnseen(works) ?? waits;
  };
  await waitWhile(blocker, run, lateFor(plan), name);
}

const isUnread = (binding: Binding) =>
  objectsOf(binding).length > 0 && destinationsOf(binding).length > 0 && !isRead(binding);

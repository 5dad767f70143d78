import { mapConcurrently } from '../core/concurrency.ts';
import { type ChangeResult, forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { command, run as nextStep } from '../core/next-step.ts';
import { type Confirm, readConfirmed } from '../core/read-confirmed.ts';
import type { Run } from '../core/run.ts';
import { met, type Verdict, waiting } from '../core/stages.ts';
import type { Forecast } from '../forecast/forecast.ts';
import { lostBy } from '../forecast/losses.ts';
import { noForecast } from '../forecast/read-forecast.ts';
import { readSentForecast } from '../forecast/read-policy-forecast.ts';
import { tryRead } from '../kube/access.ts';
import { resources } from '../kube/client/objects.ts';
import { requirePermissions } from '../kube/permissions.ts';
import { apiServerOf, namespaceOf } from '../ocm/model/kubeflex-names.ts';
import { senderOf } from '../ocm/sender.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import { worksOfPolicy } from '../spaces/choose/works-of-policy.ts';
import {
  betaKinds,
  deleteGuard,
  type Guard,
  guardPermissions,
  hasGuard,
  type Kinds,
  readGuard,
  writeGuard,
} from '../spaces/guard.ts';
import type { SpaceTools } from '../spaces/hosting/hosting.ts';
import { readNote, toRestart } from '../spaces/space/controllers-run.ts';
import { sharersOf, typeOf } from '../spaces/space/spaces.ts';
import { keptByGuard } from '../workloads/delivery/judged-objects.ts';
import { requireIts } from '../workloads/selection/unseen.ts';
import { openNamed, planRestart, type RestartPlan } from './restart-plan.ts';
import { restartControllers } from './restart-wds.ts';
import { rollOut } from './roll-out.ts';

/** The fields are an interface: docs/output.md. */
export interface GuardResult extends ChangeResult {
  type: string;
  guarded: boolean;
  /** The other WDSes that have the same guard: those of type host. */
  sharedWith: string[];
}

/**
 * Writes the guard of a WDS. The API server of type k8s is changed first, if it serves no ValidatingAdmissionPolicies: that is a
 * restart of the controllers as well, which keeps the workloads.
 * @param confirm asks before the API server is changed
 * @throws StellarError before any write: what planRestart throws, `guard-unsupported`, `forbidden`, `not-confirmed`
 */
export async function guardWds(
  name: string,
  confirm: Confirm<RestartPlan>,
  tools: SpaceTools,
  run: Run,
) {
  const { all, controlPlane, wds } = await openNamed(name, tools);
  const { kube } = wds;
  const { kinds, isOn } = await readGuard(kube);
  const type = typeOf(controlPlane);
  if (kinds === undefined && type !== 'k8s') throw unsupported(name, tools);
  if (!isOn) await requirePermissions(kube, guardPermissions(kinds ?? betaKinds));
  const read = () => planRestart(name, tools);
  // A guard that changes the API server is asked for; an unfinished restart is finished with it.
  const isFinished = kinds !== undefined && readNote(controlPlane) === undefined;
  const asked = kinds === undefined ? confirm : async () => false;
  const plan = isFinished
    ? undefined
    : await readConfirmed({ read, effects: () => [], confirm: asked });
  const result = {
    name,
    type,
    guarded: isOn,
    changed: plan !== undefined || !isOn,
    sharedWith: sharersOf(controlPlane, all),
  };
  return forName<GuardResult>(result, run, async () => {
    if (plan !== undefined) {
      const change = async () => writeGuard(kube, kinds ?? (await serve(plan, run)), name, run);
      await restartControllers(plan, run, { change });
    } else if (kinds !== undefined && !isOn) await writeGuard(kube, kinds, name, run);
    if (run.dryRun) return;
    result.guarded = true;
    run.progress.done(name, result.changed ? 'guarded' : 'has its guard; nothing to do', true);
  });
}

/** Guards a WDS that has just been created: its API server may restart, since nothing is sent yet. */
export const guardNew = (name: string, tools: SpaceTools, run: Run): Promise<GuardResult> => {
  const guard = command`stellarctl wds guard ${name} --hosting-context ${tools.hosting.cluster.context}`;
  const refuse: Confirm<RestartPlan> = async ({ found }) => {
    if (Object.keys(found.bindings).length === 0) return false;
    throw new StellarError(
      'not-confirmed',
      `${name} sends workloads already, and its API server would restart.`,
      nextStep(guard, 'Guard it by itself'),
    );
  };
  return guardWds(name, refuse, tools, run);
};

/**
 * Has the API server of a WDS of type k8s serve ValidatingAdmissionPolicies, which replaces its pod, and waits until it does. If it does
 * not, it gets its earlier flags back.
 */
async function serve({ name, hosting, wds }: RestartPlan, run: Run): Promise<Kinds> {
  const server = apiServerOf.k8s?.name ?? '';
  let kinds = betaKinds;
  const works = async (): Promise<Verdict> => {
    const guard = await tryRead(() => readGuard(wds.kube));
    if (guard.state !== 'seen') return waiting(`its API server does not answer: ${guard.why}`);
    kinds = guard.value.kinds ?? kinds;
    return guard.value.kinds === undefined
      ? waiting('its API server serves no ValidatingAdmissionPolicies')
      : met;
  };
  await rollOut(
    {
      subject: name,
      kube: hosting,
      resource: resources.deployments,
      name: server,
      namespace: namespaceOf(name),
      change: ({ containers = [], ...others }) => ({
        ...others,
        containers: containers.map((container) => {
          if (container.name !== server) return container;
          const { command = [], args } = container;
          return {
            ...container,
            ...(args === undefined ? { command: withFlags(command) } : { args: withFlags(args) }),
          };
        }),
      }),
      what: 'ValidatingAdmissionPolicies',
      works,
    },
    run,
  );
  return kinds;
}

function unsupported(name: string, { hosting }: SpaceTools) {
  return new StellarError(
    'guard-unsupported',
    `${name} cannot be guarded: its API server serves no ValidatingAdmissionPolicies, which Kubernetes has since 1.30.`,
    nextStep(
      toRestart(name, hosting.cluster.context),
      'Restart its controllers only so: that keeps its workloads',
    ),
  );
}

/** A WDS that is to lose its guard. */
export interface Unguarding {
  guard: Guard;
  /** What becomes of what it keeps on WECs. */
  effects: Forecast;
  sharedWith: string[];
}

/** What KubeStellar removes once the guard is gone: all that it keeps of a policy, which selects nothing then. */
async function effectsOf(wds: Wds): Promise<Forecast> {
  const policies = [...new Set((await keptByGuard(wds)).flatMap(({ policy }) => policy ?? []))];
  if (policies.length === 0) return noForecast;
  const its = requireIts(wds);
  const works = await mapConcurrently(policies, (name) => worksOfPolicy(its, name, wds));
  const changes = policies.map((name) => ({ name, after: { objects: [], unread: [] } }));
  const sender = await senderOf(wds, its);
  return readSentForecast(its, changes, works.flat(), { sender });
}

/**
 * Deletes the guard of a WDS. What it has kept is then removed from the WECs.
 * @throws StellarError before any write: `not-found`, `forbidden`, `not-confirmed`, and why the WDS cannot be read
 */
export async function unguardWds(
  name: string,
  confirm: Confirm<Unguarding>,
  tools: SpaceTools,
  run: Run,
) {
  const { all, controlPlane, wds } = await openNamed(name, tools);
  const sharedWith = sharersOf(controlPlane, all);
  const read = async (): Promise<Unguarding> => {
    const guard = await readGuard(wds.kube);
    if (guard.kinds !== undefined)
      await requirePermissions(wds.kube, guardPermissions(guard.kinds));
    const effects = hasGuard(guard) ? await effectsOf(wds) : noForecast;
    return { guard, effects, sharedWith };
  };
  const { guard } = await readConfirmed({
    read,
    effects: ({ effects }) => lostBy(effects),
    confirm,
  });
  const result = {
    name,
    type: typeOf(controlPlane),
    guarded: guard.isOn,
    changed: false,
    sharedWith,
  };
  return forName<GuardResult>(result, run, async () => {
    await deleteGuard(wds.kube, guard);
    if (run.dryRun) return;
    Object.assign(result, { guarded: false, changed: hasGuard(guard) });
    run.progress.done(
      name,
      result.changed ? 'no longer guarded' : 'has no guard; nothing to do',
      true,
    );
  });
}

/**
 * What kube-apiserver 1.28 and 1.29 need to serve ValidatingAdmissionPolicies. KubeFlex runs 1.29.9 for control planes of type k8s;
 * it creates their Deployment once and never changes it (kubeflex 0.9.3, pkg/reconcilers/k8s).
 */
const flags: readonly [flag: string, value: string][] = [
  ['--feature-gates', 'ValidatingAdmissionPolicy=true'],
  ['--runtime-config', 'admissionregistration.k8s.io/v1beta1=true'],
];

/** Adds these values to the flags of a command line, beside the values that they have. */
export function withFlags(words: readonly string[]): string[] {
  const added = flags.map(([flag, value]) => {
    const [present = ''] = words.filter((word) => word.startsWith(`${flag}=`));
    const values = present.split('=').slice(1).join('=').split(',');
    return `${flag}=${[...new Set([...values, value])].filter((each) => each !== '').join(',')}`;
  });
  const others = words.filter((word) => !flags.some(([flag]) => word.startsWith(`${flag}=`)));
  return [...others, ...added];
}

import { command } from '../engine/command-line.ts';
import { Deadline } from '../engine/deadline.ts';
import { StellarError } from '../engine/errors.ts';
import { run as nextStep } from '../engine/next-step.ts';
import { poll } from '../engine/poll.ts';
import type { Run } from '../engine/run.ts';
import { requireHosting } from '../hosting/hosting.ts';
import { withHostingLease } from '../hosting/lease.ts';
import type { Kube } from '../kube/client/client.ts';
import type { Job } from '../kube/objects.ts';
import { jobState } from '../kube/pods.ts';
import { resources } from '../kube/resources.ts';
import { deletePresent } from '../kube/writes.ts';
import { canNameIts, chooseItsForWds, type ItsForWds } from './create/its-for-wds.ts';
import { checkSpaceName, requireHooks } from './create/requirements.ts';
import { knownEntries, SpaceWork } from './create/space-work.ts';
import {
  clusterInfoJob,
  hookNames,
  managerDeployment,
  namespaceOf,
  roleWithArticle,
  type SpaceRole,
  transportDeployment,
} from './names.ts';
import type { ControlPlane, HookUse } from './objects.ts';
import type { SpaceResult } from './space-result.ts';
import { hooksOf, itsNameOf, itsOfWds, listControlPlanes, roleOf } from './spaces.ts';
import { readSpace, type SpaceEvidence } from './stages/evidence.ts';
import { triggerReconcile } from './stages/follow-space.ts';
import { isWiredFor } from './stages/wds-stages.ts';
import type { SpaceTools } from './tools.ts';

export interface RepairInput {
  name: string;
  role: SpaceRole;
  /** For a WDS: the ITS to switch to. */
  itsName?: string | undefined;
  /** Whether the Lease of the hosting cluster is held: everything is read again then, since another run may have repaired it. */
  isHeld?: true;
}

/**
 * Repairs a space: makes KubeFlex recreate failed Jobs, which it never does on its own, and gives a WDS hooks that can name its
 * ITS. Then follows the space and writes its context, as for a new space.
 * @throws StellarError `not-found`, and errors before the first write; afterwards the error is in the result
 */
export async function repairSpace(input: RepairInput, tools: SpaceTools, run: Run): Promise<SpaceResult> {
  const { name, role } = input;
  const { hosting } = tools;
  checkSpaceName(name);
  await requireHosting(hosting);
  const evidence = await readSpace(hosting, name, role);
  if (evidence === undefined || roleOf(evidence.controlPlane) !== role)
    throw noSuchSpace(name, role, hosting, evidence?.controlPlane, 'repair');
  const failed = failedJobs(evidence);
  const rewired = role === 'wds' ? await rewiring(input, evidence, hosting) : undefined;
  const isBroken = failed.length > 0 || rewired !== undefined;
  const underLease = () => repairSpace({ ...input, isHeld: true }, tools, run);
  if (isBroken && !input.isHeld) return withHostingLease(hosting, `${role} repair ${name}`, run, underLease);
  const space = new SpaceWork({ name, role, type: evidence.type, exists: true }, tools, run);
  return space.attempt(async () => {
    if (rewired !== undefined) await rewire(hosting, evidence, rewired, run);
    if (isBroken) {
      await recreateJobs(hosting, evidence, failed);
      space.written(describeRepair(failed, rewired));
    }
    const isReady =
      role === 'its'
        ? await space.follow(() => space.watcher.its(name))
        : await space.follow(() => space.watcher.wds(name));
    if (isReady) await space.finish(await knownEntries(name, evidence.type, tools));
  });
}

/** The error for a name without such a space. @param present the control plane of that name, if any */
export function noSuchSpace(
  name: string,
  role: SpaceRole,
  { cluster }: Kube,
  present: ControlPlane | undefined,
  verb: 'get' | 'repair' | 'context',
): StellarError {
  const other = present && roleOf(present);
  if (other !== undefined) {
    return new StellarError('not-found', `${name} is ${roleWithArticle(other)}.`, {
      next: [nextStep(command`stellarctl ${other} ${verb} ${name} --hosting-context ${cluster.context}`)],
    });
  }
  return new StellarError('not-found', `There is no ${role.toUpperCase()} ${name} on ${cluster.context}.`, {
    next: [nextStep(command`stellarctl ${role} list --hosting-context ${cluster.context}`, 'See what exists')],
  });
}

function failedJobs({ controlPlane, jobs }: SpaceEvidence): Job[] {
  const own = [...hooksOf(controlPlane), clusterInfoJob];
  return jobs.filter((job) => own.includes(job.metadata.name) && jobState(job) === 'failed');
}

/** Deletes failed Jobs, and clears them from KubeFlex's status: it does not recheck completed hooks. */
async function recreateJobs(
  hosting: Kube,
  { name, controlPlane }: SpaceEvidence,
  failed: readonly Job[],
): Promise<void> {
  for (const { metadata } of failed)
    await hosting.delete(resources.jobs, metadata.name, { namespace: namespaceOf(name), uid: metadata.uid });
  await forgetHooks(
    hosting,
    controlPlane,
    failed.map(({ metadata }) => metadata.name),
  );
  await triggerReconcile(hosting, name);
}

async function forgetHooks(hosting: Kube, { metadata, status }: ControlPlane, hooks: readonly string[]): Promise<void> {
  const marked = hooks.filter((hook) => status?.postCreateHooks?.[hook] === true);
  if (marked.length === 0) return;
  const postCreateHooks = Object.fromEntries(marked.map((hook) => [hook, null]));
  await hosting.merge(
    resources.controlPlanes,
    metadata.name,
    { status: { postCreateHooks, postCreateHookCompleted: false } },
    { subresource: 'status' },
  );
}

interface Rewiring extends ItsForWds {
  hooks: HookUse[];
}

/** Determines how to correct the ITS of a WDS; undefined if it is correct. */
async function rewiring(
  { name, itsName: asked }: RepairInput,
  { controlPlane, deployments }: SpaceEvidence,
  hosting: Kube,
): Promise<Rewiring | undefined> {
  const present = controlPlane.spec?.postCreateHooks ?? [];
  const transport = present.find(({ hookName }) => hookName.endsWith(hookNames.transport));
  // A WDS of an older chart has other hooks.
  if (transport === undefined) return undefined;
  const its = itsOfWds(name, (await listControlPlanes(hosting)) ?? [])?.metadata.name;
  const named = itsNameOf(controlPlane) ?? '';
  const byHooks = await requireHooks(hosting, [hookNames.transport]);
  const isNameable = named === '' || canNameIts(byHooks.get(transport.hookName));
  const isAsAsked = its !== undefined && (asked ?? its) === its;
  if (isAsAsked && isNameable && isWiredFor(named, deployments)) return undefined;
  const choice = await chooseItsForWds(hosting, asked ?? itsNameOf(controlPlane), byHooks);
  return {
    ...choice,
    hooks: present.map((use) => ({
      ...withoutItsName(use),
      ...(use === transport ? { hookName: choice.transportHook } : {}),
    })),
  };
}

/** A hook's own variables override the global ones. */
function withoutItsName(use: HookUse): HookUse {
  if (use.vars?.ITSName === undefined) return use;
  const { ITSName: _, ...vars } = use.vars;
  return { ...use, vars };
}

/**
 * Also deletes the Deployments. isWiredFor reads the last one. KubeFlex created them with create, and its later apply would
 * conflict with its own fields (it does not force; pkg/reconcilers/shared/postcreate_hook.go).
 */
async function rewire(
  hosting: Kube,
  { name, controlPlane }: SpaceEvidence,
  { itsName, correctedHook, hooks }: Rewiring,
  run: Run,
): Promise<void> {
  if (correctedHook !== undefined) await hosting.apply(correctedHook);
  const changed = await hosting.merge<ControlPlane>(resources.controlPlanes, name, {
    spec: { globalVars: { ITSName: itsName }, postCreateHooks: hooks },
  });
  if (!run.dryRun) await untilObserved(hosting, changed, run);
  await forgetHooks(hosting, controlPlane, [hookNames.controller, ...hooks.map(({ hookName }) => hookName)]);
  for (const deployment of [transportDeployment, managerDeployment])
    await deletePresent(hosting, resources.deployments, deployment, namespaceOf(name));
}

/** The timeout for KubeFlex to observe a change. It may not be running. */
const observeMs = 10_000;

/**
 * Waits until KubeFlex has observed the current spec of a control plane. With the previous spec, it would recreate the objects that
 * are deleted next unchanged.
 */
async function untilObserved(hosting: Kube, { metadata }: ControlPlane, run: Run): Promise<void> {
  const { name, generation = 0 } = metadata;
  const soon = { ...run, deadline: new Deadline(Math.min(observeMs, run.deadline.remaining)) };
  await poll(async () => {
    const present = await hosting.get<ControlPlane>(resources.controlPlanes, name);
    return (present?.status?.observedGeneration ?? 0) >= generation || undefined;
  }, soon);
}

function describeRepair(failed: readonly Job[], rewired: Rewiring | undefined): string {
  const jobs = failed.map(({ metadata }) => metadata.name).join(', ');
  return [
    ...(rewired === undefined ? [] : [`ITS set to ${rewired.its}`]),
    ...(jobs === '' ? [] : [`failed Job ${jobs} removed, for KubeFlex to recreate`]),
  ].join(' · ');
}

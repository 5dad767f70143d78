import { StellarError } from '../core/errors.ts';
import { poll } from '../core/poll.ts';
import { type Confirm, readConfirmed } from '../core/read-confirmed.ts';
import type { Run } from '../core/run.ts';
import { isLoss, judge, met, waiting } from '../core/stages.ts';
import { compareVersions } from '../core/text/version.ts';
import { ifSeen, through, tryRead, whyUnseen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import {
  byName,
  isTrue,
  type Job,
  namesOf,
  type Pod,
  resources,
  typeMeta,
} from '../kube/client/objects.ts';
import { isRunning, jobState } from '../kube/pods.ts';
import { listIfDefined, listServed } from '../kube/served.ts';
import { deleteObjects } from '../kube/writes.ts';
import { ocmOfHub } from '../ocm/hub/require-hub.ts';
import {
  apiServerOf,
  clusterInfoJob,
  hookNames,
  managerDeployment,
  namespaceOf,
  type SpaceRole,
  transportDeployment,
} from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane, HookUse, PostCreateHook } from '../ocm/model/kubeflex-objects.ts';
import { originWdsLabel } from '../ocm/model/kubestellar-names.ts';
import { type ManifestWork, objectsIn } from '../ocm/model/manifest-works.ts';
import { isOcmVersion } from '../ocm/model/ocm-names.ts';
import { readHookVersions } from '../ocm/versions/program-versions.ts';
import { noSuchSpace, requireSpace } from '../spaces/get-space.ts';
import type { SpaceTools } from '../spaces/hosting/hosting.ts';
import { withHostingLease } from '../spaces/hosting/hosting-lease.ts';
import { isHookMarked, isLost, readNote } from '../spaces/space/controllers-run.ts';
import { triggerReconcile } from '../spaces/space/follow-space.ts';
import { requireRoom } from '../spaces/space/hosting-fit.ts';
import { chooseItsForWds, type ItsForWds } from '../spaces/space/its-for-wds.ts';
import { canNameIts, isWiredFor } from '../spaces/space/its-name-defect.ts';
import { clusterInfoStageId, hubStageId } from '../spaces/space/its-stages.ts';
import { openSpace, toSeeSpace } from '../spaces/space/space-access.ts';
import {
  describeApart,
  imagesApart,
  inImages,
  type Owner,
  ownDeployments,
  presentRegistry,
  requireImages,
} from '../spaces/space/space-images.ts';
import { forgetHooks } from '../spaces/space/space-manifests.ts';
import { type SpaceReading, SpaceWatcher } from '../spaces/space/space-watcher.ts';
import {
  hooksOf,
  itsNameOf,
  itsOfWds,
  listControlPlanes,
  roleOf,
  type SpaceEvidence,
} from '../spaces/space/spaces.ts';
import { requireHooks } from '../spaces/space-requirements.ts';
import { makeSpace, type SpaceResult, sendsNothing } from '../spaces/space-work.ts';
import { raiseOcm } from '../spaces/upgrade-its.ts';
import { planRestart } from './restart-plan.ts';
import { restartControllers } from './restart-wds.ts';
import { type RollOut, rollOut } from './roll-out.ts';

export interface RepairInput {
  name: string;
  role: SpaceRole;
  /** For a WDS: the ITS to switch to. */
  itsName?: string | undefined;
  /** Asks about what is replaced or left behind. */
  confirm: Confirm<RepairEffects>;
}

/** What a repair replaces or leaves behind. */
export interface RepairEffects {
  /** Objects on WECs that were sent through another ITS, and stay there, in words. */
  remaining: readonly string[];
  /** What takes images from elsewhere than the hooks name, and is restarted with those, in words; undefined for nothing. */
  images: string | undefined;
}

/**
 * Repairs a space: makes KubeFlex recreate failed Jobs, which it never does on its own, and gives a WDS hooks that can name its
 * ITS. Then follows the space and writes its context, as for a new space.
 * @throws StellarError `not-found`, and errors before the first write; afterwards the error is in the result
 */
export async function repairSpace(
  input: RepairInput,
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult> {
  const { name, role, confirm } = input;
  const { hosting } = tools;
  await requireSpace(name, role, hosting);
  const read = () => planRepair(input, tools, run);
  const found = await read();
  if (!found.isBroken) return carryOut(found, tools, run);
  // Everything is read again: another run may have repaired it.
  return withHostingLease(hosting, `${role} repair ${name}`, run, async () => {
    const plan = await readConfirmed({
      read,
      effects: ({ effects: { remaining, images = [] } }) =>
        [...remaining, images].flat().map((object) => ({ object })),
      confirm: ({ effects }, more) => confirm(effects, more),
    });
    return carryOut(plan, tools, run);
  });
}

type Repair = Awaited<ReturnType<typeof planRepair>>;

/** Images that are not those of the registry that the hooks name. */
interface ImageChange {
  registry: string;
  owners: readonly Owner[];
}

/** What a reading of a space leaves to its repair: what has run, or may not start before its Bindings are proven. */
async function imagesToChange(
  { space }: SpaceReading,
  watcher: SpaceWatcher,
  { hosting }: SpaceTools,
): Promise<ImageChange | undefined> {
  const registry = await presentRegistry(hosting);
  if (registry === undefined) return undefined;
  const { running, unstarted } = imagesApart(registry, space);
  const isIdle = unstarted.length === 0 || (await sendsNothing(space, watcher, hosting));
  const isOfHook = ({ metadata }: Pod) =>
    metadata.ownerReferences?.some(({ kind }) => kind === 'Job') === true;
  const hooksRun = space.pods.some((pod) => isOfHook(pod) && isRunning(pod));
  // A Job that loses its API server fails, and has a limited number of tries.
  const owners = [...running, ...(isIdle ? [] : unstarted)].filter(
    ({ resource }) => resource !== resources.statefulSets || !hooksRun,
  );
  if (owners.length === 0) return undefined;
  const images = owners.flatMap(({ object }) => {
    const { containers = [], initContainers = [] } = object.spec?.template?.spec ?? {};
    return [...containers, ...initContainers].flatMap(({ image }) => image ?? []);
  });
  await requireImages(registry, images);
  return { registry, owners };
}

async function planRepair(input: RepairInput, tools: SpaceTools, run: Run) {
  const { name, role } = input;
  const { hosting } = tools;
  const watcher = new SpaceWatcher(tools);
  const reading = await watcher.read(name, role);
  if (reading === undefined) throw noSuchSpace(name, role, hosting, undefined);
  const evidence = reading.space;
  const missing = judge(reading.stages, evidence).flatMap((report) =>
    isLoss(report) ? (jobOfStage[report.id] ?? []) : [],
  );
  const completed =
    role === 'its' ? await hookToComplete(evidence, hosting, reading.kube) : undefined;
  const present = jobsToRerun(evidence, missing).filter(
    ({ metadata }) => metadata.name !== completed?.metadata.name,
  );
  const jobs = [...new Set([...namesOf(present), ...missing])];
  const rewired = role === 'wds' ? await rewiring(input, evidence, hosting) : undefined;
  const isBegun = readNote(evidence.controlPlane) !== undefined;
  const isMissing = isLost(managerDeployment, evidence) || isLost(transportDeployment, evidence);
  const images = await imagesToChange(reading, watcher, tools);
  // The new pod of an API server is there before the old one ends.
  if (images !== undefined) await requireRoom(hosting, evidence.type, run);
  const restarts =
    isBegun ||
    isMissing ||
    (role === 'wds' && images !== undefined) ||
    (rewired !== undefined && hasControllers(evidence));
  const recreates = rewired !== undefined || isMissing;
  const restart = restarts
    ? await planRestart(name, tools, { recreates, its: rewired?.its })
    : undefined;
  const remaining = rewired === undefined ? [] : await leftBehind(name, rewired.its, tools);
  const isRerun = jobs.length > 0 || rewired !== undefined;
  const isBroken =
    isRerun || isBegun || isMissing || completed !== undefined || images !== undefined;
  const written = { present, jobs, completed, rewired, restart, images, isRerun };
  const effects: RepairEffects = {
    remaining,
    images: images && describeApart(images.owners, images.registry),
  };
  return { reading, effects, isBroken, ...written };
}

/** Writes what a plan says, and follows the space. */
function carryOut(plan: Repair, tools: SpaceTools, run: Run): Promise<SpaceResult> {
  const { reading, present, jobs, completed, rewired, restart } = plan;
  const { hosting } = tools;
  const evidence = reading.space;
  const { name, role, type } = evidence;
  const change = async () => {
    if (rewired !== undefined) await rewire(hosting, name, rewired, run);
    if (plan.images !== undefined) await changeImages(plan.images, plan, tools, run);
  };
  return makeSpace(
    {
      name,
      role,
      type,
      exists: true,
      async write() {
        if (restart === undefined) await change();
        else await restartControllers(restart, run, rewired || plan.images ? { change } : {});
        if (plan.isRerun) {
          // The names of all of these Jobs: KubeFlex does not recheck completed hooks.
          await deleteObjects(hosting, resources.jobs, present);
          await forgetHooks(hosting, evidence.controlPlane, jobs);
          await triggerReconcile(hosting, name);
        }
        if (completed !== undefined) await completeHook(hosting, evidence, completed);
        if (plan.isBroken) return describeRepair(plan);
        return undefined;
      },
      // A hook that has run again has brought its own version.
      async complete(its, result) {
        if (role === 'its' && its && (await raiseOcm(name, its, hosting, run)))
          result.changed = true;
      },
    },
    tools,
    run,
  );
}

/** Replaces the pods of a space by pods with the images of a registry: its API server first. The controllers of a WDS are stopped. */
async function changeImages(
  { registry, owners }: ImageChange,
  { reading: { space, kube } }: Repair,
  { hosting }: SpaceTools,
  run: Run,
) {
  const { name, type } = space;
  const change: RollOut['change'] = (present) => inImages(registry, present);
  const what = `images of ${registry}`;
  const server = apiServerOf[type]?.name;
  const inOrder = owners.toSorted(
    (a, b) => Number(b.object.metadata.name === server) - Number(a.object.metadata.name === server),
  );
  const works = async () => {
    const answer = kube && (await tryRead(() => kube.read('/version')));
    const why = answer && whyUnseen(answer);
    return why === undefined ? met : waiting(`its API server does not answer: ${why}`);
  };
  for (const { resource, object } of inOrder) {
    const at = { subject: name, kube: hosting, resource, namespace: namespaceOf(name) };
    const { name: owner } = object.metadata;
    await rollOut({ ...at, name: owner, change, what, ...(owner === server && { works }) }, run);
  }
  if (kube === undefined || space.role !== 'its') return;
  for (const { namespace, name: own } of ownDeployments(type)) {
    const at = { subject: name, kube, resource: resources.deployments, namespace };
    await rollOut({ ...at, name: own, change, what }, run);
  }
}

/** The Jobs that restore what a stage has lost, by the ids of stages. */
const jobOfStage: Readonly<Record<string, string>> = {
  [hubStageId]: hookNames.hubInit,
  [clusterInfoStageId]: clusterInfoJob,
  [hookNames.statusAddon]: hookNames.statusAddon,
};

/** Failed Jobs, and those that restore what is missing. */
function jobsToRerun({ controlPlane, jobs }: SpaceEvidence, missing: readonly string[]): Job[] {
  const jobNames = [...hooksOf(controlPlane), clusterInfoJob];
  const isToRerun = (job: Job) => jobState(job) === 'failed' || missing.includes(job.metadata.name);
  return jobs.filter((job) => jobNames.includes(job.metadata.name) && isToRerun(job));
}

/**
 * The Job of the hook that installs OCM, if it has failed, or is gone before KubeFlex was content, while OCM runs in a newer version: it
 * would install its own over that.
 */
async function hookToComplete(
  evidence: SpaceEvidence,
  hosting: Kube,
  its: Kube | undefined,
): Promise<Job | undefined> {
  const { controlPlane, jobs } = evidence;
  const name = hookNames.hubInit;
  const job = byName(jobs).get(name);
  const isGone =
    job === undefined && isHookMarked(name)(evidence) && !isTrue(controlPlane, 'Ready');
  if (!isGone && (job === undefined || jobState(job) !== 'failed')) return undefined;
  const { ocm } = await readHookVersions(hosting);
  const version = (its && ifSeen(await tryRead(() => ocmOfHub(its)))) ?? '';
  const isNewer =
    ocm !== undefined && isOcmVersion(version) && compareVersions(version, ocm.version) > 0;
  if (!isNewer) return undefined;
  const hook = await hosting.get<PostCreateHook>(resources.postCreateHooks, name);
  const template = hook?.spec?.templates?.find(({ kind }) => kind === 'Job') as Job | undefined;
  return template && { ...template, metadata: { name, namespace: namespaceOf(evidence.name) } };
}

/**
 * Completes the hook without what it does: by a Job of its name whose program prints its usage and succeeds. KubeFlex waits for a Job of
 * that name, and would create its own for a hook that is not marked.
 */
async function completeHook(hosting: Kube, { name, jobs }: SpaceEvidence, { metadata, spec }: Job) {
  const marked = { status: { postCreateHooks: { [metadata.name]: true } } };
  await hosting.merge(resources.controlPlanes, name, marked, { subresource: 'status' });
  const failed = jobs.filter((job) => job.metadata.name === metadata.name);
  await deleteObjects(hosting, resources.jobs, failed);
  const containers = spec?.template?.spec?.containers?.map(({ image, args = [] }) => {
    return { name: metadata.name, image, args: [...args, '--help'] };
  });
  const template = { spec: { containers, restartPolicy: 'Never' } };
  const job = { ...typeMeta(resources.jobs), metadata, spec: { template } };
  await hosting.create(resources.jobs, job, { namespace: metadata.namespace });
  await triggerReconcile(hosting, name);
}

type Rewiring = ItsForWds & { hooks: HookUse[] };

/** Determines how to correct the ITS of a WDS; undefined if it is correct. */
async function rewiring(
  input: RepairInput,
  evidence: SpaceEvidence,
  hosting: Kube,
): Promise<Rewiring | undefined> {
  const { name, itsName: asked } = input;
  const { controlPlane, deployments } = evidence;
  const present = controlPlane.spec?.postCreateHooks ?? [];
  const transport = present.find(({ hookName }) => hookName.endsWith(hookNames.transport));
  // A WDS of an older chart has other hooks.
  if (transport === undefined) return undefined;
  const its = itsOfWds(name, await listControlPlanes(hosting))?.metadata.name;
  const named = itsNameOf(controlPlane) ?? '';
  const byHooks = await requireHooks(hosting, [hookNames.transport]);
  const isNameable = named === '' || canNameIts(byHooks.get(transport.hookName));
  const isAsAsked = its !== undefined && (asked ?? its) === its;
  if (isAsAsked && isNameable && isWiredFor(named, deployments)) return undefined;
  const choice = await chooseItsForWds(hosting, asked ?? itsNameOf(controlPlane), byHooks);
  const hooks = present.map((use) => {
    const kept = withoutItsName(use);
    return use === transport ? { ...kept, hookName: choice.transportHook } : kept;
  });
  return { ...choice, hooks };
}

/** Whether KubeFlex has created a controller of a WDS, or may have. */
const hasControllers = ({ controlPlane: { status }, deployments, forbidden }: SpaceEvidence) =>
  deployments.some(
    ({ metadata: { name } }) => name === managerDeployment || name === transportDeployment,
  ) ||
  status?.postCreateHooks?.[hookNames.controller] === true ||
  forbidden.size > 0;

/** The objects of a WDS on WECs that it has sent through another ITS than this one: nothing updates or removes them. */
async function leftBehind(name: string, its: string, tools: SpaceTools) {
  const all = await listServed<ControlPlane>(tools.hosting, resources.controlPlanes);
  const before = itsOfWds(name, all);
  const itses = before === undefined ? all.filter((each) => roleOf(each) === 'its') : [before];
  const objects = itses.map(async (each) => {
    const { name: other } = each.metadata;
    if (other === its) return [];
    const labelSelector = `${originWdsLabel}=${name}`;
    const works = await through(await openSpace(each, tools), (kube) =>
      listIfDefined<ManifestWork>(kube, resources.manifestWorks, { labelSelector }),
    );
    if (works.state === 'seen')
      return (works.value ?? []).flatMap((work) =>
        objectsIn(work).map(
          (object) => `${object} on ${work.metadata.namespace}, through ${other}`,
        ),
      );
    throw new StellarError(
      'has-dependents',
      `What ${name} has sent through ${other} cannot be read: ${works.why}.`,
      toSeeSpace('its', other, tools.hosting.cluster.context),
    );
  });
  return (await Promise.all(objects)).flat();
}

/** A hook's own variables override the global ones. */
function withoutItsName(use: HookUse): HookUse {
  if (use.vars?.ITSName === undefined) return use;
  const { ITSName: _, ...vars } = use.vars;
  return { ...use, vars };
}

/** Changes what the hooks run with. */
async function rewire(hosting: Kube, name: string, rewired: Rewiring, run: Run) {
  const { itsName, correctedHook, hooks } = rewired;
  if (correctedHook !== undefined) await hosting.apply(correctedHook);
  const spec = { globalVars: { ITSName: itsName }, postCreateHooks: hooks };
  const changed = await hosting.merge<ControlPlane>(resources.controlPlanes, name, { spec });
  if (!run.dryRun) await untilObserved(hosting, changed, run);
}

/** The timeout for KubeFlex to observe a change. It may not be running. */
const observeMs = 10_000;

/**
 * Waits until KubeFlex has observed the current spec of a control plane. With the previous spec, it would recreate the objects that
 * are deleted next unchanged.
 */
async function untilObserved(hosting: Kube, { metadata }: ControlPlane, run: Run) {
  const { name, generation = 0 } = metadata;
  const soon = { ...run, deadline: run.deadline.within(observeMs) };
  await poll(async () => {
    const present = await hosting.get<ControlPlane>(resources.controlPlanes, name);
    return (present?.status?.observedGeneration ?? 0) >= generation || undefined;
  }, soon);
}

function describeRepair({ jobs, rewired, restart, completed, images }: Repair) {
  return [
    ...(completed === undefined
      ? []
      : [`hook ${completed.metadata.name} completed without running it: OCM is newer`]),
    ...(rewired === undefined ? [] : [`ITS set to ${rewired.its}`]),
    ...(images === undefined ? [] : [`images changed to those of ${images.registry}`]),
    ...(jobs.length === 0 ? [] : [`KubeFlex recreates Job ${jobs.join(', ')}`]),
    ...(restart ? ['controllers restarted; workloads kept'] : []),
  ].join(' · ');
}

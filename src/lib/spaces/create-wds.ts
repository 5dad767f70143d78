import { StellarError } from '../core/errors.ts';
import { advice, command, run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { count } from '../core/text/words.ts';
import { through } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { byName, isTrue } from '../kube/client/objects.ts';
import { requirePermissions } from '../kube/permissions.ts';
import { hookNames, managerName } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import { wecsOf } from '../ocm/model/manifest-works.ts';
import { worksSentBy } from './choose/works-of-policy.ts';
import { requireHosting, type SpaceTools } from './hosting/hosting.ts';
import { triggerReconcile } from './space/follow-space.ts';
import { requireRoom } from './space/hosting-fit.ts';
import { chooseItsForWds } from './space/its-for-wds.ts';
import { openSpace } from './space/space-access.ts';
import { requireRegistry } from './space/space-images.ts';
import { missingManagerBinding, type WdsInput, wdsManifest } from './space/space-manifests.ts';
import { apiGroupsOf, itsOfWds, listControlPlanes } from './space/spaces.ts';
import {
  checkSpaceName,
  createPermissions,
  findOrClear,
  requireHooks,
} from './space-requirements.ts';
import { makeSpace, type SpaceResult } from './space-work.ts';

/**
 * Creates a WDS, as KubeStellar's core chart does, and waits until it accepts workloads and binding policies.
 * @throws StellarError before the first write; afterwards the error is in the result
 */
export async function createWds(
  input: WdsInput,
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult> {
  const { name, type } = input;
  const { hosting } = tools;
  checkSpaceName(name);
  checkApiGroups(input.apiGroups);
  await requireHosting(hosting);
  const registry = await requireRegistry(hosting, input.imageRegistry);
  const present = await findOrClear(hosting, name, { role: 'wds', type }, run);
  const { objects, what } =
    present === undefined
      ? await planNewWds(input, registry !== undefined, tools, run)
      : await planPresent(input, present, hosting);

  return makeSpace(
    {
      name,
      role: 'wds',
      type,
      exists: present !== undefined,
      async write() {
        for (const object of objects) await hosting.apply(object);
        if (objects.length === 0) return undefined;
        if (present !== undefined) await triggerReconcile(hosting, name);
        return what;
      },
    },
    tools,
    run,
  );
}

/**
 * Plans the objects that an existing WDS lacks to become ready.
 * @returns the objects to apply, in order, and a description
 * @throws StellarError `name-taken` if it uses another ITS than the requested one
 */
async function planPresent(
  { name, type, itsName, apiGroups }: WdsInput,
  present: ControlPlane,
  hosting: Kube,
) {
  if (itsName !== undefined) await refuseOtherIts(name, itsName, hosting);
  refuseOtherGroups(present, apiGroups);
  const binding = await missingManagerBinding(hosting, type);
  return {
    objects: binding === undefined ? [] : [binding],
    what: `rights given to ${managerName}`,
  };
}

async function refuseOtherIts(name: string, asked: string, hosting: Kube) {
  const its = itsOfWds(name, await listControlPlanes(hosting))?.metadata.name;
  if (its === asked) return;
  throw new StellarError(
    'name-taken',
    `${name} already exists, and its ITS is ${its ?? 'unknown'}, not ${asked}.`,
    nextStep(
      command`stellarctl wds repair ${name} --its ${asked} --hosting-context ${hosting.cluster.context}`,
      'Give it that one',
    ),
  );
}

function refuseOtherGroups(wds: ControlPlane, asked: readonly string[]) {
  if (asked.length === 0) return;
  const present = apiGroupsOf(wds).join(',');
  if (present === asked.join(',')) return;
  const watched = present === '' ? 'all API groups' : present;
  throw new StellarError(
    'name-taken',
    `${wds.metadata.name} already exists, and watches ${watched}, not ${asked.join(',')}.`,
    advice('Choose another name, or delete it first'),
  );
}

/** Plans the objects of a new WDS in the same way, and checks all foreseeable failures. */
async function planNewWds(input: WdsInput, correctsImages: boolean, tools: SpaceTools, run: Run) {
  const { name, type, itsName } = input;
  const { hosting } = tools;
  const hooks = await requireHooks(hosting, [hookNames.controller, hookNames.transport]);
  const choice = await chooseItsForWds(hosting, itsName, hooks, itsName !== undefined);
  const binding = await missingManagerBinding(hosting, type);
  const others = [binding, choice.correctedHook].filter((other) => other !== undefined);
  await requirePermissions(hosting, createPermissions(name, others, correctsImages));
  await requireRoom(hosting, type, run);
  await refuseNamesake(name, choice.its, tools);
  if (choice.correctedHook !== undefined)
    run.progress.note(
      `KubeStellar's hook ${hookNames.transport} cannot be given an ITS; ${name} gets a corrected copy of it, ${choice.transportHook}.`,
    );
  return {
    objects: [...others, wdsManifest(input, choice)],
    what: `control plane created on ${hosting.cluster.context}, its ITS is ${choice.its}`,
  };
}

/**
 * Refuses a name whose works an ITS has already: those of a WDS of another hosting cluster, or of one that is gone. The transport finds
 * works by the name of its WDS, and deletes those that it does not know (kubestellar v0.30.0, generic_transport_controller.go).
 * @throws StellarError `name-taken`; `loss-unknown` if the works cannot be read
 */
async function refuseNamesake(name: string, its: string, tools: SpaceTools) {
  const controlPlane = byName(await listControlPlanes(tools.hosting)).get(its);
  // One that is not ready has sent nothing for anybody.
  if (controlPlane === undefined || !isTrue(controlPlane, 'Ready')) return;
  const works = await through(await openSpace(controlPlane, tools), (kube) =>
    worksSentBy(kube, name, { metadataOnly: true }),
  );
  if (works.state !== 'seen')
    throw new StellarError(
      'loss-unknown',
      `It is unknown whether ${its} has works of another WDS ${name}, which the transport of this one would delete: ${works.why}. Nothing was written.`,
    );
  if (works.value.length === 0) return;
  throw new StellarError(
    'name-taken',
    `${its} has ${count(works.value.length, 'work')} on ${wecsOf(works.value)} that a WDS ${name} has sent, and this hosting cluster has none: the transport of a new one would delete them. Nothing was written.`,
    advice('Choose another name'),
  );
}

/** @throws StellarError `usage` */
function checkApiGroups(groups: readonly string[]) {
  const bad = groups.find((group) => !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(group));
  if (bad !== undefined)
    throw new StellarError('usage', `"${bad}" is not the name of an API group.`);
}

import { command } from '../../engine/command-line.ts';
import { count } from '../../engine/counts.ts';
import { StellarError } from '../../engine/errors.ts';
import { poll } from '../../engine/poll.ts';
import type { Run } from '../../engine/run.ts';
import { unreached } from '../../engine/stages.ts';
import { requireHosting } from '../../hosting/hosting.ts';
import { hidden, ifSeen, through, whyUnseen } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import type { ManifestWork } from '../../workloads/manifest-works.ts';
import { originWdsLabel } from '../../workloads/names.ts';
import { makeOrphans } from '../../workloads/orphan-works.ts';
import { openSpace } from '../access.ts';
import { checkSpaceName } from '../create/find-existing.ts';
import type { ControlPlane } from '../objects.ts';
import type { SpaceResult } from '../space-result.ts';
import { itsOfWds, listControlPlanes, roleOf, typeOf } from '../spaces.ts';
import type { SpaceTools } from '../tools.ts';
import { deleteSpace, refuseOtherRole, type SpaceToDelete } from './delete-space.ts';

/** What a WDS that is to be deleted has sent, and to where. */
export interface WdsToDelete extends SpaceToDelete {
  /** Undefined where the WDS could not be asked. */
  wds: Kube | undefined;
  /** Undefined where its ITS could not be asked, or is not known. */
  its: Kube | undefined;
  /** Why one of them could not be asked. */
  unseen: string | undefined;
  policies: readonly KubeObject[];
  works: readonly ManifestWork[];
  /** Other WDSes with the same API server, the hosting cluster's: its binding policies are theirs as well. */
  shared: readonly string[];
}

/** @throws StellarError `name-taken` where the name is that of something else */
export async function inspectWds(name: string, tools: SpaceTools): Promise<WdsToDelete> {
  checkSpaceName(name);
  const { hosting } = tools;
  await requireHosting(hosting);
  const all = (await listControlPlanes(hosting)) ?? [];
  const controlPlane = all.find(({ metadata }) => metadata.name === name);
  const nothing = {
    name,
    role: 'wds',
    hosting: hosting.cluster.context,
    wds: undefined,
    its: undefined,
    unseen: undefined,
    policies: [],
    works: [],
    shared: [],
  } as const;
  if (controlPlane === undefined) return { ...nothing, controlPlane };
  refuseOtherRole(controlPlane, 'wds', hosting);
  const itsToAsk = itsOfWds(name, all);
  const wds = await openSpace(controlPlane, tools);
  const its = itsToAsk === undefined ? hidden('its ITS is not known') : await openSpace(itsToAsk, tools);
  const policies = await through(wds, (kube) => kube.list<KubeObject>(resources.bindingPolicies));
  const works = await through(its, (kube) => worksOf(kube, name));
  return {
    ...nothing,
    controlPlane,
    wds: policies.state === 'seen' ? ifSeen(wds) : undefined,
    its: works.state === 'seen' ? ifSeen(its) : undefined,
    unseen: whyUnseen(policies) ?? whyUnseen(works),
    policies: ifSeen(policies) ?? [],
    works: ifSeen(works) ?? [],
    shared: typeOf(controlPlane) === 'host' ? otherHosts(name, all) : [],
  };
}

const otherHosts = (name: string, all: readonly ControlPlane[]): string[] =>
  all
    .filter((other) => other.metadata.name !== name && roleOf(other) === 'wds' && typeOf(other) === 'host')
    .map(({ metadata }) => metadata.name);

const worksOf = (its: Kube, wds: string): Promise<ManifestWork[] | undefined> =>
  its.list<ManifestWork>(resources.manifestWorks, { labelSelector: `${originWdsLabel}=${wds}` });

/** What will happen, a line each. */
export function describeWdsDeletion(
  { controlPlane, policies, works, unseen, shared }: WdsToDelete,
  { keepWorkloads }: { keepWorkloads: boolean },
): string[] {
  if (controlPlane === undefined) return [];
  const wecs = [...new Set(works.map(({ metadata }) => metadata.namespace))];
  const fate = keepWorkloads ? 'stay, and nobody looks after them any more' : 'will be removed';
  return [
    ...(unseen === undefined ? [] : [`What it has sent could not be seen: ${unseen}`]),
    ...(policies.length === 0
      ? []
      : [
          `binding policies   ${policies.map(({ metadata }) => metadata.name).join(', ')}${shared.length === 0 ? '' : `: those of ${shared.join(', ')} as well; they stay`}`,
        ]),
    ...(works.length === 0 ? [] : [`${count(works.length, 'work')} on ${wecs.join(', ')}: their workloads ${fate}.`]),
    whatStays(controlPlane, shared),
  ];
}

function whatStays(controlPlane: ControlPlane, shared: readonly string[]): string {
  if (typeOf(controlPlane) !== 'host') return 'Everything in it will be lost.';
  return shared.length > 0
    ? `The hosting cluster stays as it is, for ${shared.join(', ')}.`
    : 'The hosting cluster stays as it is, without binding policies and without KubeStellar looking at it.';
}

/** @throws StellarError `has-dependents` where it cannot be seen what would be left on WECs without an owner */
export function refuseUnseen({ name, hosting, unseen }: WdsToDelete, force: boolean): void {
  if (unseen === undefined || force) return;
  throw new StellarError(
    'has-dependents',
    `What ${name} has sent to WECs cannot be seen, and would be left there without an owner: ${unseen}`,
    { hint: command`If that does not matter: stellarctl wds delete ${name} --force --hosting-context ${hosting}` },
  );
}

/**
 * Deletes a WDS: first its binding policies, so that its controllers remove what they have sent; when that is gone the WDS itself. The
 * other way round workloads would stay on WECs without an owner.
 */
export async function deleteWds(
  wds: WdsToDelete,
  options: { keepWorkloads: boolean; force: boolean },
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult> {
  const { name, controlPlane, policies, works, shared } = wds;
  const started = Date.now();
  if (shared.length > 0) return deleteShared(wds, options, tools, run);
  try {
    await withdraw(wds, options, run);
  } catch (error) {
    if (!(error instanceof StellarError)) throw error;
    run.progress.failed(name, error.message);
    const type = controlPlane === undefined ? '' : typeOf(controlPlane);
    // Which of the first writes has got through is not known.
    const changed = !tools.hosting.dryRun && policies.length + works.length > 0;
    return { name, type, ...unreached, changed, context: null, error: withWayOn(error, wds) };
  }
  return deleteSpace(wds, tools, run, started);
}

/** Its policies are others' too: so its controllers go first, and then what they have sent, which nobody sends again. */
async function deleteShared(
  wds: WdsToDelete,
  { keepWorkloads }: { keepWorkloads: boolean },
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult> {
  const { name, its, works } = wds;
  const result = await deleteSpace(wds, tools, run, Date.now());
  if (result.error !== undefined || its === undefined) return result;
  const left = its.dryRun ? works : ((await worksOf(its, name)) ?? []);
  if (keepWorkloads) await makeOrphans(its, stillPresent(left), run);
  await removeWorks(its, left);
  return result;
}

async function withdraw(
  { name, hosting, wds, its, policies, works }: WdsToDelete,
  { keepWorkloads: keep, force }: { keepWorkloads: boolean; force: boolean },
  run: Run,
): Promise<void> {
  if (keep && its !== undefined) await makeOrphans(its, works, run);
  if (wds !== undefined)
    for (const { metadata } of policies)
      await wds.delete(resources.bindingPolicies, metadata.name, { uid: metadata.uid });
  if (its === undefined || its.dryRun || works.length === 0) return;
  // Nobody is waited for who may be dead: agents that live remove what belongs to the works, later.
  if (force) return removeWorks(its, works);
  let left: readonly ManifestWork[] = works;
  const gone = await poll(async () => {
    left = (await worksOf(its, name)) ?? [];
    if (left.length === 0) return true;
    if (keep) await makeOrphans(its, stillPresent(left), run);
    run.progress.waiting(name, `removing ${count(left.length, 'work')} from ${wecsOf(left)}`);
    return undefined;
  }, run);
  if (gone) return run.progress.reached(name, `binding policies and ${count(works.length, 'work')} removed`);
  throw new StellarError(
    'timeout',
    `The works of ${name} were not removed in time; ${count(left.length, 'work')} left on ${wecsOf(left)}.`,
    {
      details: ['Its binding policies are deleted; the WDS itself is still there.'],
      hint: command`See whether the agents there live: stellarctl wec list --its ${its.cluster.context}    If they do not: stellarctl wds delete ${name} --force --hosting-context ${hosting}`,
    },
  );
}

const stillPresent = (works: readonly ManifestWork[]): ManifestWork[] =>
  works.filter(({ metadata }) => metadata.deletionTimestamp === undefined);

async function removeWorks(its: Kube, works: readonly ManifestWork[]): Promise<void> {
  for (const { metadata } of works)
    await its.delete(resources.manifestWorks, metadata.name, { namespace: metadata.namespace, uid: metadata.uid });
}

const wecsOf = (works: readonly ManifestWork[]): string =>
  [...new Set(works.map(({ metadata }) => metadata.namespace))].join(', ');

function withWayOn(error: StellarError, { name, hosting }: WdsToDelete): StellarError {
  if (error.code !== 'interrupted') return error;
  return new StellarError('interrupted', error.message, {
    details: [`${name} is still there; its binding policies may be deleted already.`],
    hint: command`To go on: stellarctl wds delete ${name} --hosting-context ${hosting}`,
  });
}

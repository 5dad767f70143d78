import { forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { untilMet } from '../core/follow.ts';
import { command, type NextStep, run as nextStep } from '../core/next-step.ts';
import { type Effect, readConfirmed } from '../core/read-confirmed.ts';
import type { Run } from '../core/run.ts';
import { met, unreached, waiting } from '../core/stages.ts';
import { jsonObject } from '../core/text/formats.ts';
import { count } from '../core/text/words.ts';
import type { Forecast } from '../forecast/forecast.ts';
import { lostBy } from '../forecast/losses.ts';
import { noForecast } from '../forecast/read-forecast.ts';
import { readSentForecast } from '../forecast/read-policy-forecast.ts';
import { hidden, ifSeen, through, tryRead, whyUnseen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { foreseen } from '../kube/client/foreseen.ts';
import { byName, isLiving, namesOf, resources } from '../kube/client/objects.ts';
import { listServed } from '../kube/served.ts';
import { deleteObjects } from '../kube/writes.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import {
  type Binding,
  type BindingPolicy,
  originWdsLabel,
} from '../ocm/model/kubestellar-names.ts';
import { type ManifestWork, wecsOf } from '../ocm/model/manifest-works.ts';
import { makeOrphans } from '../ocm/orphan-works.ts';
import { comesFromAny, originOf } from '../ocm/work-origins.ts';
import { deleteBoth, releasePolicy } from '../policies/keep-policy-workloads.ts';
import { sentElsewhere, whyElsewhere, worksSentBy } from '../spaces/choose/works-of-policy.ts';
import {
  type ControlPlaneToDelete,
  type DeletionOptions,
  type DeletionRequest,
  deleteControlPlane,
  lossOf,
  resumable,
  toDelete,
} from '../spaces/delete-control-plane.ts';
import { findSpace } from '../spaces/get-space.ts';
import { deleteGuard, readGuard } from '../spaces/guard.ts';
import type { SpaceTools } from '../spaces/hosting/hosting.ts';
import { openSpace, toSeeSpace } from '../spaces/space/space-access.ts';
import { itsOfWds, sharersOf, typeOf } from '../spaces/space/spaces.ts';
import type { SpaceResult } from '../spaces/space-work.ts';

/** A WDS to delete, with the workloads that it has sent. */
export interface WdsToDelete extends ControlPlaneToDelete {
  role: 'wds';
  /** Undefined if the WDS is unreachable, or what is in it cannot be read. */
  wds: Kube | undefined;
  /** Undefined if its ITS is unreachable or unknown. */
  its: Kube | undefined;
  /** Why one of them is unreachable. */
  unseen: string | undefined;
  policies: readonly BindingPolicy[];
  bindings: readonly Binding[];
  /** Those that come from its Bindings. */
  works: readonly ManifestWork[];
  /** Others that carry its name: those of a WDS of another hosting cluster, or of Bindings that cannot be read. They stay. */
  foreign: readonly ManifestWork[];
  /** Its Bindings, those that an earlier run has deleted included, and its policies. */
  own: readonly BindingId[];
  /** What becomes of what it has sent. */
  effects: Forecast;
  /** Other WDSes on the same API server, that of the hosting cluster: they share its binding policies. */
  shared: readonly string[];
}

/** What a work names of its Binding. */
type BindingId = Pick<Binding, 'metadata'>;

/** On a ControlPlane: the UIDs of the Bindings by name, before their deletion. A rerun finds by them which works are its own. */
const bindingsAnnotation = 'stellarctl.kubestellar.io/bindings-before-deletion';

const notedBindings = ({ metadata }: ControlPlane): BindingId[] =>
  Object.entries(jsonObject(metadata.annotations?.[bindingsAnnotation] ?? '') ?? {}).map(
    ([name, uid]) => ({ metadata: { name, uid: String(uid) } }),
  );

/** What a WDS has and has sent, as far as it can be read. @param isShared whether another WDS is on its API server */
async function readContents(
  wds: ControlPlane,
  itsToAsk: ControlPlane | undefined,
  isShared: boolean,
  tools: SpaceTools,
) {
  const inside = await openSpace(wds, tools);
  const its =
    itsToAsk === undefined ? hidden('its ITS is not known') : await openSpace(itsToAsk, tools);
  const policies = await through(inside, (kube) =>
    listServed<BindingPolicy>(kube, resources.bindingPolicies),
  );
  const bindings = await through(inside, (kube) => listServed<Binding>(kube, resources.bindings));
  const works = await through(its, (kube) => worksSentBy(kube, wds.metadata.name));
  // Bindings of WDSes on one API server do not show which of them has sent them.
  const missing = isShared ? undefined : sentElsewhere(ifSeen(bindings) ?? [], ifSeen(works) ?? []);
  const worksUnseen =
    whyUnseen(works) ?? (missing && whyElsewhere(missing, itsToAsk?.metadata.name ?? 'its ITS'));
  return { inside, its, policies, bindings, works, worksUnseen };
}

/**
 * @throws StellarError `not-found` if the name belongs to something else, `has-dependents` if its workloads cannot be determined
 */
export async function inspectWds(
  name: string,
  { force, keepWorkloads: keep }: DeletionOptions,
  tools: SpaceTools,
): Promise<WdsToDelete> {
  const { controlPlane, all } = await findSpace(name, 'wds', tools.hosting);
  const wds: WdsToDelete = {
    name,
    role: 'wds',
    controlPlane,
    keep,
    wds: undefined,
    its: undefined,
    unseen: undefined,
    policies: [],
    bindings: [],
    works: [],
    foreign: [],
    own: [],
    effects: noForecast,
    shared: [],
  };
  const { object } = controlPlane;
  if (object === undefined) return wds;
  const shared = sharersOf(object, all);
  const { inside, its, policies, bindings, works, worksUnseen } = await readContents(
    object,
    itsOfWds(name, all),
    shared.length > 0,
    tools,
  );
  const unseen = whyUnseen(policies) ?? whyUnseen(bindings) ?? worksUnseen;
  if (keep && worksUnseen !== undefined) {
    throw sentUnknown(
      name,
      'so its workloads cannot be kept',
      worksUnseen,
      toSeeSpace('wds', name, tools.hosting.cluster.context),
    );
  }
  const anyway = nextStep(toDelete(wds, tools.hosting, '--force'), 'If that does not matter');
  if (unseen !== undefined && !force)
    throw sentUnknown(name, 'and would be left there without an owner', unseen, anyway);
  // The name of a work of several objects has no UID.
  const own = [...(ifSeen(bindings) ?? []), ...(ifSeen(policies) ?? []), ...notedBindings(object)];
  const named = ifSeen(works) ?? [];
  const sent = named.filter(comesFromAny(own));
  const names = sent.flatMap((work) => originOf(work)?.binding ?? []);
  const changes = [...new Set(names)].map((each) => ({
    name: each,
    after: null,
    keepsWorkloads: keep,
  }));
  const seen = ifSeen(its);
  return {
    ...wds,
    own,
    effects: seen
      ? await readSentForecast(seen, changes, sent, { sender: name, bindings: own.toReversed() })
      : noForecast,
    foreign: named.filter((work) => !comesFromAny(own)(work)),
    wds:
      policies.state === 'seen' && (!keep || bindings.state === 'seen')
        ? ifSeen(inside)
        : undefined,
    its: works.state === 'seen' ? ifSeen(its) : undefined,
    unseen,
    policies: ifSeen(policies) ?? [],
    bindings: ifSeen(bindings) ?? [],
    works: sent,
    shared,
  };
}

/** Workloads without an owner could remain on WECs, or those that are to be kept be deleted with works that were not seen. */
const sentUnknown = (name: string, effect: string, why: string, next: NextStep) =>
  new StellarError(
    'has-dependents',
    `What ${name} has sent to WECs cannot be read, ${effect}: ${why}`,
    next,
  );

const agreedTo = (wds: WdsToDelete): Effect[] => [
  ...lossOf(wds),
  ...wds.policies.map(({ metadata }) => ({ object: `binding policy ${metadata.name}` })),
  ...lostBy(wds.effects),
];

/**
 * Deletes a WDS. First deletes its binding policies and waits until its controllers have removed its workloads, then deletes the
 * WDS itself. In the opposite order, workloads without an owner would remain on WECs.
 * @throws StellarError before any write: what inspectWds throws, `not-confirmed`; afterwards the error is in the result
 */
export async function deleteWds(
  { name, confirm, ...options }: DeletionRequest<WdsToDelete>,
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult> {
  const wds = await readConfirmed({
    read: () => inspectWds(name, options, tools),
    effects: agreedTo,
    confirm,
  });
  const { controlPlane, shared } = wds;
  const { hosting } = tools;
  const inside = wds.wds;
  if (shared.length > 0 || inside === undefined) return deleteFirst(wds, tools, run);
  const type = controlPlane.object === undefined ? '' : typeOf(controlPlane.object);
  const result: SpaceResult = { name, type, ...unreached, changed: false, context: null };
  const { error, changed } = await forName(result, run, () =>
    removeContents({ ...wds, wds: inside }, options.force, hosting, run),
  );
  if (error === undefined) {
    const deleted = await deleteControlPlane(wds, tools, run);
    return { ...deleted, changed: changed || deleted.changed };
  }
  return {
    ...result,
    error:
      error.code === 'interrupted'
        ? resumable(
            error,
            wds,
            hosting,
            `${name} is still there; its binding policies may be deleted already.`,
          )
        : error,
  };
}

async function noteBindings(
  { controlPlane: { object }, own, works }: WdsToDelete,
  hosting: Kube,
): Promise<void> {
  if (object === undefined || works.length === 0) return;
  const { name, uid } = object.metadata;
  const noted = JSON.stringify(
    // Those of Bindings, which are first, count.
    Object.fromEntries(own.toReversed().map(({ metadata }) => [metadata.name, metadata.uid ?? ''])),
  );
  if (object.metadata.annotations?.[bindingsAnnotation] === noted) return;
  const annotations = { [bindingsAnnotation]: noted };
  await hosting.merge(resources.controlPlanes, name, { metadata: { uid, annotations } });
}

/**
 * If other WDSes share its policies, or they cannot be deleted because they are not visible: its controllers are deleted first, then
 * the works that they sent, which nothing recreates.
 */
async function deleteFirst(wds: WdsToDelete, tools: SpaceTools, run: Run): Promise<SpaceResult> {
  const { its } = wds;
  const result = await deleteControlPlane(wds, tools, run);
  if (result.error !== undefined || its === undefined) return result;
  return forName(result, run, async () => {
    await removeWorks(wds, its, run);
    if (wds.unseen !== undefined && wds.foreign.length > 0) throw worksLeft(wds, its);
  });
}

/** Without its Bindings nothing proves whose works those are that carry its name. */
const worksLeft = ({ name, foreign }: WdsToDelete, its: Kube) =>
  new StellarError(
    'identity-unproven',
    `${name} is deleted, and ${count(foreign.length, 'work')} on ${wecsOf(foreign)} that carry its name stay, with their workloads: its Bindings could not be read, so they may be those of another hosting cluster.`,
    nextStep(
      command`kubectl --context ${its.cluster.context} get manifestworks -A -l ${`${originWdsLabel}=${name}`}`,
      'See them',
    ),
  );

async function removeContents(
  space: WdsToDelete & { wds: Kube },
  force: boolean | undefined,
  hosting: Kube,
  run: Run,
) {
  const {
    name,
    controlPlane: { object: controlPlane },
    its,
    wds,
    works,
    own,
  } = space;
  await noteBindings(space, hosting);
  await removePolicies(space, run);
  // The API server of type host outlives the WDS.
  if (controlPlane !== undefined && typeOf(controlPlane) === 'host') {
    const guard = await tryRead(() => readGuard(wds));
    if (guard.state === 'seen') await deleteGuard(wds, guard.value);
  }
  if (its === undefined || its.dryRun || works.length === 0) return;
  // Do not wait for agents that may be unreachable: running agents remove the workloads of the works later.
  if (force) return removeWorks(space, its, run);
  const check = (remaining: ManifestWork[]) =>
    remaining.length === 0
      ? met
      : waiting(`removing ${count(remaining.length, 'work')} from ${wecsOf(remaining)}`);
  const unmet = (remaining: ManifestWork[]) => notRemoved(space, remaining, its, hosting);
  const read = async () => (await worksSentBy(its, name)).filter(comesFromAny(own));
  await untilMet({ name, check, read, unmet }, run);
  run.progress.reached(name, `binding policies and ${count(works.length, 'work')} removed`);
}

/** An interrupted deletion that keeps workloads leaves Bindings without a policy. */
async function removePolicies(
  { name, policies, bindings, its, keep, wds, effects }: WdsToDelete & { wds: Kube },
  run: Run,
) {
  const kube = foreseen(wds, effects);
  for (const each of new Set(namesOf([...policies, ...bindings]))) {
    const policy = byName(policies).get(each);
    const binding = byName(bindings).get(each);
    if (!keep || its === undefined) await deleteBoth(kube, policy, binding);
    else
      await releasePolicy(
        { name: each, policy, binding, wds: { name, kube }, its: foreseen(its, effects) },
        name,
        run,
      );
  }
}

function notRemoved(
  wds: WdsToDelete,
  remaining: readonly ManifestWork[],
  its: Kube,
  hosting: Kube,
) {
  const left = `${count(remaining.length, 'work')} left on ${wecsOf(remaining)}`;
  const next = [
    nextStep(
      command`stellarctl wec list --its ${its.cluster.context}`,
      'See whether the agents there run',
    ),
    nextStep(toDelete(wds, hosting, '--force'), 'If they do not'),
  ];
  const details = ['Its binding policies are deleted; the WDS itself is still there.'];
  return new StellarError(
    'timeout',
    `The works of ${wds.name} were not removed in time; ${left}.`,
    ...next,
  ).with({ details });
}

/** Also removes the works that the transport has sent since they were read. */
async function removeWorks({ name, works, keep, own, effects }: WdsToDelete, its: Kube, run: Run) {
  const remaining = its.dryRun ? works : (await worksSentBy(its, name)).filter(comesFromAny(own));
  const present = remaining.filter(isLiving);
  const mailboxes = foreseen(its, effects);
  if (keep) await makeOrphans(mailboxes, present, run);
  await deleteObjects(mailboxes, resources.manifestWorks, remaining);
}

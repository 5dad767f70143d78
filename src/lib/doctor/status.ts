import { blockingStage, judge } from '../core/stages.ts';
import { ifSeen, seen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import { partialReader } from '../kube/partial-reader.ts';
import { clusterUid } from '../ocm/cluster-uid.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import { keyOf } from '../ocm/object-ref.ts';
import { type Binding, type BindingPolicy, objectsOf } from '../ocm/policies.ts';
import { type HookVersions, kubeFlexPrograms, products, readHookVersions } from '../ocm/program-versions.ts';
import { runningVersions, versionOfProduct, whyPodsHidden } from '../ocm/running-versions.ts';
import { readGuard } from '../spaces/guard.ts';
import { notHosting } from '../spaces/hosting.ts';
import { hostingStages, readHosting } from '../spaces/hosting-stages.ts';
import { reachSpace } from '../spaces/space-access.ts';
import { wdsVersions } from '../spaces/space-versions.ts';
import { itsOfWds, listControlPlanes, roleOf } from '../spaces/spaces.ts';
import { policyVerdict } from '../workloads/policy-list.ts';
import { leftOut } from '../workloads/policy-problems.ts';
import { chosenContext, type ItsReading, readChosenIts, readItsStatus, withoutContext } from './status-its.ts';
import { describePart, readPart, type SpaceReading, type StatusTools } from './status-parts.ts';
import type { HostingStatus, StatusView, WdsStatus } from './status-view.ts';

/**
 * Reads a whole installation, all parts in parallel. A part that does not answer is reported as such. If the selected cluster is
 * not a hosting cluster, the view has only the ITS that commands use.
 * @throws StellarError `not-a-hosting-cluster` if there is no such ITS either; and errors that keep the hosting cluster from being
 * read
 */
export async function readStatus(tools: StatusTools): Promise<StatusView> {
  const all = await listControlPlanes(tools.hosting);
  if (all === undefined) return itsAlone(tools);
  const hooks = readHookVersions(tools.hosting);
  const parts = await reachAll(all, tools);
  const ofRole = (wanted: SpaceReading['role']) => parts.filter(({ role }) => role === wanted);
  const readItses = Promise.all(ofRole('its').map((part) => readItsStatus(part, tools, hooks)));
  const [hosting, itses, wdses, elsewhere] = await Promise.all([
    readHostingStatus(tools.hosting, hooks),
    readItses,
    Promise.all(ofRole('wds').map((part) => readWdsStatus(part, all, tools, hooks, readItses))),
    readOtherIts(parts, tools),
  ]);
  const itsStatuses = itses.filter((its) => its !== undefined);
  const isOther = elsewhere !== undefined && !(await isAmong(elsewhere, itsStatuses));
  return {
    hosting,
    itses: [...itsStatuses, ...(isOther ? [elsewhere] : [])].map(({ status }) => status),
    wdses: wdses.filter((wds) => wds !== undefined),
  };
}

function reachAll(all: readonly ControlPlane[], tools: StatusTools): Promise<SpaceReading[]> {
  const spaces = all.flatMap((controlPlane) => {
    const role = roleOf(controlPlane);
    return role === undefined ? [] : [{ role, controlPlane }];
  });
  return Promise.all(spaces.map(async (space) => ({ ...space, access: await reachSpace(space.controlPlane, tools) })));
}

/** The chosen ITS, if it is not known to be one of the hosting cluster's. The current context is not a choice. */
async function readOtherIts(parts: readonly SpaceReading[], tools: StatusTools): Promise<ItsReading | undefined> {
  const { chosen } = tools;
  if (chosen === undefined || chosen.source === 'current context') return undefined;
  const itsParts = parts.filter(({ role }) => role === 'its');
  const isContext = tools.kubeconfig.contexts.has(chosen.given);
  if (!isContext && itsParts.some(({ controlPlane }) => controlPlane.metadata.name === chosen.given)) return undefined;
  // A default ITS from an earlier choice may be gone; one that the command names must exist.
  const choosing = () => chosenContext(chosen, tools);
  const context = chosen.source === '--its' ? seen(await choosing()) : await tryRead(choosing);
  if (context.state !== 'seen') return withoutContext(chosen, context);
  const isOwn = itsParts.some(({ access }) => ifSeen(access)?.server === context.value.server);
  return isOwn ? undefined : readChosenIts(context.value, tools);
}

/** One cluster may have several addresses. */
async function isAmong({ kube }: ItsReading, others: readonly ItsReading[]): Promise<boolean> {
  const identities = await Promise.all(
    [kube, ...others.map((other) => other.kube)].map((its) => its && clusterUid(its).catch(() => undefined)),
  );
  const [own, ...rest] = identities;
  return own !== undefined && rest.includes(own);
}

async function itsAlone(tools: StatusTools): Promise<StatusView> {
  const { hosting, hostingSource, chosen } = tools;
  if (chosen === undefined || hostingSource === '--hosting-context') throw notHosting(hosting);
  const context = await chosenContext(chosen, tools);
  const { status, failure } = await readChosenIts(context, tools);
  // Without a choice, commands use a hosting cluster.
  if (failure?.code === 'not-a-hub' && chosen.source === 'current context') throw notHosting(hosting);
  if (failure !== undefined) throw failure;
  return { hosting: null, itses: [status], wdses: [] };
}

/** Reads the hosting cluster itself. Parts that this user may not read are unknown, and not a problem. */
async function readHostingStatus(kube: Kube, hooks: Promise<HookVersions>): Promise<HostingStatus> {
  const reader = partialReader(kube);
  const [seen, { controllerManager }] = await Promise.all([readHosting(reader), hooks]);
  const isSeen = reader.forbidden.size === 0;
  const { verdict } = (isSeen && blockingStage(judge(hostingStages, seen))) || {};
  const versions = runningVersions(kubeFlexPrograms, seen.pods, whyPodsHidden(reader));
  return {
    name: kube.cluster.context,
    server: kube.cluster.server,
    kubeflexVersion: versionOfProduct(products.kubeFlex, versions),
    hooksVersion: controllerManager?.version ?? null,
    versions,
    problem: verdict?.state === 'failed',
    reason: verdict?.why ?? '',
  };
}

interface WdsReading extends Pick<WdsStatus, 'bindingPolicies' | 'objects' | 'failedPolicies' | 'guarded'> {
  policies: readonly BindingPolicy[];
}

const nothingSeen: WdsReading = {
  bindingPolicies: null,
  objects: null,
  failedPolicies: null,
  guarded: null,
  policies: [],
};

async function readWdsStatus(
  part: SpaceReading,
  all: readonly ControlPlane[],
  tools: StatusTools,
  hooks: Promise<HookVersions>,
  itses: Promise<readonly (ItsReading | undefined)[]>,
): Promise<WdsStatus | undefined> {
  const pending = readPart(part.access, tools, readWds);
  const [space, hookVersions] = await Promise.all([describePart(part, pending, tools), hooks]);
  const reading = await pending;
  const its = itsOfWds(part.controlPlane.metadata.name, all)?.metadata.name ?? null;
  if (space === undefined) return undefined;
  const versions = wdsVersions(space.evidence, hookVersions);
  const { policies, ...counts } = ifSeen(reading)?.inside ?? nothingSeen;
  const itsStatus = (await itses).find((each) => each?.status.name === its);
  const wecs = (itsStatus?.status.wecs ?? []).map(
    ({ name, labels }) => [name, { metadata: { name, labels } }] as const,
  );
  const problems = leftOut(policies, { inventory: seen(new Map(wecs)), its: itsStatus?.kube?.cluster.context });
  return { ...space.status, its, versions, ...counts, problems };
}

/** Kinds that are not served yet count as not seen: the stages show why. */
async function readWds(wds: Kube): Promise<WdsReading> {
  const [policies, bindings, guard] = await Promise.all([
    wds.list<BindingPolicy>(resources.bindingPolicies),
    wds.list<Binding>(resources.bindings),
    tryRead(() => readGuard(wds)),
  ]);
  if (policies === undefined || bindings === undefined)
    return { ...nothingSeen, bindingPolicies: policies?.length ?? null };
  const evidence = { now: wds.now(), wds: { name: wds.cluster.context, type: undefined } };
  const failedPolicies = policies.flatMap((policy) => {
    const { name } = policy.metadata;
    const binding = bindings.find(({ metadata }) => metadata.name === name);
    const verdict = policyVerdict({ policyName: name, policy, binding, evidence });
    return verdict.state === 'failed' ? [{ name, why: verdict.why }] : [];
  });
  return {
    bindingPolicies: policies.length,
    objects: countObjects(bindings),
    failedPolicies,
    guarded: ifSeen(guard)?.isOn ?? null,
    policies,
  };
}

/** An object may be selected by several policies. */
export function countObjects(bindings: readonly Binding[]): number {
  return new Set(bindings.flatMap(objectsOf).map(keyOf)).size;
}

import { formatAge } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, partial, run } from '../../core/next-step.ts';
import type { Effect } from '../../core/read-confirmed.ts';
import { count } from '../../core/text/words.ts';
import { type Forecast, forecast } from '../../forecast/forecast.ts';
import { lostBy } from '../../forecast/losses.ts';
import { type SelectionChange, selectionChange } from '../../forecast/wec-change.ts';
import { sentWork } from '../../forecast/world.ts';
import type { Kube } from '../../kube/client/client.ts';
import { unlessStatus } from '../../kube/client/errors.ts';
import { type Pod, resources } from '../../kube/client/objects.ts';
import { isRunning } from '../../kube/pods.ts';
import { listServed, type Proved } from '../../kube/served.ts';
import { proving } from '../../kube/writes.ts';
import { agentLife } from '../../ocm/agent/agent-life.ts';
import { hubOf } from '../../ocm/agent/klusterlet-agent.ts';
import { readWec, type WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import { clusterUid } from '../../ocm/hub/cluster-uid.ts';
import type { Endpoint } from '../../ocm/hub/endpoint.ts';
import type { HubEvidence } from '../../ocm/hub/hub-evidence.ts';
import {
  describePolicy,
  objectsOf,
  type PoliciesOfIts,
  type Policy,
} from '../../ocm/model/kubestellar-names.ts';
import { isGuarded, isOrphan } from '../../ocm/model/manifest-works.ts';
import { agentNamespace, isOurs, selectableLabels } from '../../ocm/model/ocm-names.ts';
import { hubHash } from '../../workloads/delivery/applied-works.ts';
import { proveIdentity, requireProof } from '../registration/identity.ts';
import { savedLabels } from '../registration/saved-labels.ts';
import type { Wec } from '../registration/wec-view.ts';
import { type CleanupRecord, readCleanupRecord } from './clean-up.ts';
import { refuseForeignObjects } from './foreign-objects.ts';
import { type HubState, isGone, mailboxOf, toDeregister, worksRemain } from './leftovers.ts';

export interface DeregisterOptions {
  /** Keep the workloads running. */
  keepWorkloads?: boolean;
  /** Remove the klusterlet from the cluster. */
  cleanup?: boolean;
  /** The user's confirmation in place of the proof that the agent is gone. */
  force?: boolean;
  /** Asked before its workloads are removed, and before it is deleted; throws if it may not be deregistered any more. */
  permit?: (name: string) => Promise<void>;
}

/** The ITS of the WECs, with what was read of it for all of them. */
export interface InspectedIts {
  hub: Kube;
  /** The known addresses of the ITS. */
  endpoints: readonly Endpoint[];
  /** Its binding policies. */
  policies: PoliciesOfIts;
}

/** What was read and proven about one WEC before it is deregistered. */
export type InspectedWec = Awaited<ReturnType<typeof inspectWec>>;

/** What becomes of what the ITS has sent to a WEC. */
function effectsOn(
  { name, works }: HubState,
  agentDead: string | undefined,
  { keepWorkloads = false, force = false, cleanup = false }: DeregisterOptions,
): Forecast {
  const sent = new Map([[name, works.map(sentWork)]]);
  const isLeft = agentDead !== undefined && force && !cleanup;
  const leaving = [{ name, keepsWorkloads: keepWorkloads || isLeft }];
  return forecast({ policies: [], works: sent, foreign: [], unread: [] }, { leaving });
}

/**
 * Reads all evidence, proves that the cluster is the named one, and refuses what cannot be finished, before the first write.
 * @throws StellarError `not-a-hub`, `forbidden`, `registered-elsewhere`, `identity-unproven`, `agent-dead`, `still-selected`
 */
export async function inspectWec(
  { hub, endpoints, policies }: InspectedIts,
  wec: Wec,
  hubState: HubState,
  options: DeregisterOptions,
) {
  const { kube } = wec;
  const { object: managedCluster } = hubState.managedCluster;
  const record = kube && (await provenRecord(hub, kube, hubState, endpoints));
  const pods = kube && (await workAgentPods(kube));
  const agentDead = managedCluster && whyDead({ ...hubState, managedCluster }, pods, hub.now());
  const inspected = {
    ...wec,
    hubState,
    /** The binding policies of its ITS. */
    policies,
    /** The record for the clean-up; undefined if the cluster shows nothing to clean up, or was not given. */
    record,
    /** Why its agent does not work; undefined if there is no evidence for that. */
    agentDead,
    /** What becomes of what the ITS has sent to it. */
    effects: effectsOn(hubState, agentDead, options),
    /** Labels that an earlier run has removed, to restore if the WEC stays. */
    interrupted: savedLabels(managedCluster),
  };
  refuseUnfinishable(hub, inspected, options);
  if (kube !== undefined && options.cleanup)
    await refuseForeignObjects(kube, inspected.record?.hubHash ?? null);
  refuseSelected(hub, inspected, options.keepWorkloads);
  return inspected;
}

/** @throws StellarError unless the cluster is the WEC, or shows nothing to clean up */
async function provenRecord(
  hub: Kube,
  kube: Kube,
  hubState: HubState,
  endpoints: readonly Endpoint[],
): Promise<CleanupRecord | undefined> {
  const { name, managedCluster } = hubState;
  const evidence = await readWec(proving(kube));
  const record = await readCleanupRecord(kube);
  const hubId = (await clusterUid(hub)) ?? hub.cluster.server;
  const isSameRegistration =
    evidence.klusterlet === undefined || record?.hubHash === hubHashOf(evidence);
  if (record?.name === name && record.hub === hubId && isSameRegistration) return record;
  if (isGone(hubState) && hasNoRegistration(evidence)) return undefined;
  const known = { name, endpoints, managedCluster: managedCluster.object };
  const identity = await proveIdentity(hub, kube, evidence, known);
  const give = partial(toDeregister(hub, `${name}=CONTEXT`), `Give the context of ${name}`);
  const local = command`stellarctl deregister --local ${`${name}=${kube.cluster.context}`}`;
  const onOneSide = [
    run(toDeregister(hub, name), 'On the ITS only'),
    run(local, `On the cluster only, if you know that it is ${name}`),
  ];
  requireProof(identity, kube, name, hub, [give], onOneSide);
  return { name, hub: hubId, hubHash: hubHashOf(evidence) };
}

/** What would be lost, under names that stay the same when KubeStellar recreates a work. */
export function agreedTo({ name: wec, hubState, effects }: InspectedWec): Effect[] {
  const {
    addons,
    managedCluster: { object: managedCluster },
  } = hubState;
  return [
    ...lostBy(effects),
    ...addons.map(({ metadata }) => ({ object: `add-on ${metadata.name}`, wec })),
    ...(managedCluster === undefined
      ? []
      : [{ object: 'ManagedCluster', wec, uid: managedCluster.metadata.uid }]),
  ];
}

/** The hash that identifies the AppliedManifestWorks of a registration; null if its agent has no hub. */
export function hubHashOf(evidence: WecEvidence): string | null {
  const known = hubOf(evidence);
  return known === undefined ? null : hubHash(known.spelled);
}

/** Nothing of a registration exists, as after an earlier clean-up. An operator of others stays then. */
export const hasNoRegistration = ({
  klusterlet,
  operator,
  hubSecret,
  bootstrapSecret,
}: Proved<WecEvidence>) =>
  [klusterlet, hubSecret, bootstrapSecret].every((part) => part === undefined) && !isOurs(operator);

/** Refuses what would start and could not be finished. @throws StellarError `agent-dead` */
export function refuseUnfinishable(
  hub: Kube,
  inspected: InspectedWec,
  options: DeregisterOptions,
): void {
  const { name, kube, hubState, agentDead } = inspected;
  const { managedCluster, works, addonWorks } = hubState;
  const all = [...works, ...addonWorks];
  if (managedCluster.object === undefined) {
    if (mailboxOf(hubState) !== undefined && all.some(isGuarded) && !options.force)
      throw worksRemain(hub, hubState);
    return;
  }
  // Works without a finalizer need no agent; what workloads are kept is up to the agent.
  const endangered = options.keepWorkloads ? all : all.filter(isGuarded);
  if (agentDead === undefined || endangered.length === 0) return;
  if (!options.force) {
    throw new StellarError(
      'agent-dead',
      `The agent of ${name} is not running (${agentDead}), so it cannot remove its ${count(endangered.length, 'work')}. Nothing was written.`,
      run(
        toDeregister(hub, kube ? `${name}=${kube.cluster.context}` : name, '--force'),
        'Without the agent',
      ),
      advice('Its workloads then keep running, unless --cleanup removes them'),
    );
  }
  if (options.keepWorkloads && kube === undefined && !works.every(isOrphan)) {
    throw new StellarError(
      'agent-dead',
      `The agent of ${name} is not running (${agentDead}), so its workloads must be removed from their works on the cluster itself.`,
      partial(
        toDeregister(hub, `${name}=CONTEXT`, '--keep-workloads', '--force'),
        'Give its context',
      ),
    );
  }
}

/** What an ITS has of a WEC, and the policies that may select it. */
type WecOfPolicies = Pick<InspectedWec, 'name' | 'hubState' | 'policies'>;

/** The policies that have objects, or may have some, on which the removal of a WEC's labels has this effect. */
function affected(effect: SelectionChange, { name, hubState, policies }: WecOfPolicies): Policy[] {
  const { object: managedCluster } = hubState.managedCluster;
  if (managedCluster === undefined) return [];
  const present = managedCluster.metadata.labels ?? {};
  const removed = selectableLabels(managedCluster);
  const kept = Object.fromEntries(
    Object.entries(present).filter(([key]) => removed[key] === undefined),
  );
  const change = { name, before: { ...savedLabels(managedCluster), ...present }, after: kept };
  return policies.policies.filter(
    (policy) => sendsObjects(policy) && selectionChange(policy, change) === effect,
  );
}

/** A policy whose objects are not known yet may have some. */
const sendsObjects = ({ binding }: Policy) =>
  binding === undefined || objectsOf(binding).length > 0;

/**
 * Whether the labels must be removed before the WEC is deleted. If workloads stay, always: a WDS that cannot be read may be about
 * to send works again, as after an interrupted run, and their deletion would delete the workloads.
 */
export function needsRelease(inspected: WecOfPolicies, keepWorkloads = false): boolean {
  const { hubState } = inspected;
  const isKept =
    keepWorkloads && hubState.managedCluster.object?.metadata.deletionTimestamp === undefined;
  return isKept || hubState.works.length > 0 || affected('released', inspected).length > 0;
}

/**
 * Refuses a WEC that policies would select without its labels too: KubeStellar would recreate its works as long as it is being
 * deleted.
 * @throws StellarError `still-selected`
 */
function refuseSelected(hub: Kube, inspected: WecOfPolicies, keepWorkloads?: boolean) {
  const { name, hubState } = inspected;
  const isReleased = needsRelease(inspected, keepWorkloads);
  if (!isReleased && hubState.managedCluster.object?.metadata.deletionTimestamp) return;
  const started = isReleased ? affected('starting', inspected) : [];
  const [first, ...others] = [...started, ...affected('staying', inspected)];
  if (first === undefined) return;
  const why = started.includes(first)
    ? 'starts to select it when its labels are removed'
    : first.orphaned
      ? 'has lost its BindingPolicy, and its Binding still names it'
      : 'selects it whatever its labels are';
  const message = `${name} cannot be released: binding policy ${describePolicy(first)} ${why}. Nothing was written.`;
  const details = others.map((policy) => `Also: ${describePolicy(policy)}`);
  throw new StellarError(
    'still-selected',
    message,
    run(editCommand(first), 'Change the policy'),
    run(toDeregister(hub, name), 'Then'),
  ).with({ details });
}

function editCommand({ name, wds, context, orphaned }: Policy) {
  const at = context ?? wds;
  return orphaned
    ? command`kubectl --context ${at} delete bindings.control.kubestellar.io ${name}`
    : command`kubectl --context ${at} edit bindingpolicy ${name}`;
}

/** The pods that apply works: the one agent of mode Singleton, and the work agent of mode Default (ocm pkg/operator). */
const workAgentApps = ['klusterlet-agent', 'klusterlet-manifestwork-agent'];

/** The pods of the agent on a WEC. @returns undefined if they may not be read */
export async function workAgentPods(wec: Kube): Promise<Pod[] | undefined> {
  const pods = await unlessStatus(
    listServed<Pod>(wec, resources.pods, { namespace: agentNamespace }),
    403,
  );
  return pods?.filter(({ metadata }) => workAgentApps.includes(metadata.labels?.app ?? ''));
}

/**
 * Why a WEC's agent does not work; undefined if there is no evidence for that. Pods show it at once; the Lease shows it if pods
 * cannot be read, and for an agent that runs and does not reach the ITS.
 * @param now the ITS's clock, milliseconds since the epoch
 */
export function whyDead(
  hub: Pick<HubEvidence, 'managedCluster' | 'lease'>,
  pods: readonly Pod[] | undefined,
  now: number,
): string | undefined {
  const { hasJoined, renewed, renews, silentFor = 0 } = agentLife({ hub, now });
  if (!hasJoined) return 'it has never joined';
  const runs = (pod: Pod) => isRunning(pod) || isStarting(pod, now);
  if (pods !== undefined && !pods.some(runs)) return describePods(pods);
  if (renewed === undefined) return 'it has no lease';
  return renews === 'no' ? `its lease was last renewed ${formatAge(silentFor)} ago` : undefined;
}

/** The first probe of readiness comes some seconds after a start. */
const probeMs = 60_000;

const isStarting = ({ metadata, status }: Pod, now: number) =>
  metadata.deletionTimestamp === undefined &&
  status?.phase === 'Running' &&
  status.containerStatuses?.every(
    ({ state, restartCount }) =>
      !restartCount && now - Date.parse(state?.running?.startedAt ?? '') < probeMs,
  ) === true;
function describePods(pods: readonly Pod[]) {
  const [pod] = pods;
  if (pod === undefined) return 'it has no pod';
  const waiting = pod.status?.containerStatuses?.find(({ state }) => state?.waiting)?.state?.waiting
    ?.reason;
  return `its pod ${pod.metadata.name} is ${waiting ?? (pod.status?.phase === 'Running' ? 'not ready' : pod.status?.phase)}`;
}

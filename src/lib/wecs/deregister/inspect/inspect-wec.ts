import { command } from '../../../engine/command-line.ts';
import { count } from '../../../engine/counts.ts';
import { StellarError } from '../../../engine/errors.ts';
import { inWords, outline, run } from '../../../engine/next-step.ts';
import { clusterUid, recordedUid } from '../../../hub/cluster-uid.ts';
import type { Endpoint } from '../../../hub/endpoint.ts';
import { isOrphan } from '../../../hub/orphan-works.ts';
import type { Kube } from '../../../kube/client/client.ts';
import { type Asked, requirePermissions } from '../../../kube/permissions.ts';
import { isGuarded, objectsIn } from '../../../model/manifest-works.ts';
import type { PoliciesOfIts } from '../../../model/policies.ts';
import { hubHash } from '../../../workloads/applied-works.ts';
import { proveIdentity, requireProof } from '../../identity/identity.ts';
import { hubOf } from '../../klusterlet/agent.ts';
import { isOurs } from '../../klusterlet/operator.ts';
import { cleanupPermissions, deregisterPermissions, identityPermissions } from '../../permissions.ts';
import { readWec, type WecEvidence } from '../../registration/wec-evidence.ts';
import { type CleanupRecord, readCleanupRecord } from '../cleanup/cleanup-record.ts';
import { worksRemain } from '../delete/leftovers.ts';
import { savedLabels } from '../release/labels.ts';
import { refuseForeignObjects } from './foreign-objects.ts';
import { type HubState, isGone, toDeregister } from './hub-state.ts';
import { whyNotRunning, workAgentPods } from './running.ts';
import { refuseSelected } from './selection.ts';

/** A WEC to deregister. */
export interface WecToDeregister {
  name: string;
  /** A client for the cluster itself, if its context is given. */
  kube?: Kube | undefined;
}

export interface DeregisterOptions {
  /** Keep the workloads running. */
  keepWorkloads?: boolean;
  /** Remove the klusterlet from the cluster. */
  cleanup?: boolean;
  /** The user's confirmation in place of the proof that the agent is gone. */
  force?: boolean;
}

/** The ITS of the WECs, with what was read of it for all of them. */
export interface InspectedIts {
  hub: Kube;
  rights: Asked;
  /** The known addresses of the ITS. */
  endpoints: readonly Endpoint[];
  /** Its binding policies. */
  policies: PoliciesOfIts;
}

/** What was read and proven about one WEC before it is deregistered. */
export interface InspectedWec extends WecToDeregister {
  hubState: HubState;
  /** The binding policies of its ITS. */
  policies: PoliciesOfIts;
  /** The record for the clean-up; undefined if the cluster shows nothing to clean up, or was not given. */
  record: CleanupRecord | undefined;
  /** Why its agent does not work; undefined if there is no evidence for that. */
  agentDead: string | undefined;
  /** Labels that an earlier run has removed, to restore if the WEC stays. */
  interrupted: Record<string, string> | undefined;
}

/**
 * Reads all evidence, proves that the cluster is the named one, and refuses what cannot be finished, before the first write.
 * @throws StellarError `not-a-hub`, `forbidden`, `registered-elsewhere`, `identity-unproven`, `agent-dead`, `still-selected`
 */
export async function inspectWec(
  { hub, rights, endpoints, policies }: InspectedIts,
  wec: WecToDeregister,
  hubState: HubState,
  options: DeregisterOptions,
): Promise<InspectedWec> {
  const { name, kube } = wec;
  const inspected: InspectedWec = {
    ...wec,
    hubState,
    policies,
    record: undefined,
    agentDead: undefined,
    interrupted: savedLabels(hubState.managedCluster),
  };
  if (kube !== undefined) {
    const evidence = await readWec(kube);
    const record = await readCleanupRecord(kube);
    const hubId = (await clusterUid(hub)) ?? hub.cluster.server;
    const isSameRegistration = evidence.klusterlet === undefined || record?.hubHash === hubHashOf(evidence);
    const isResumed = record?.name === name && record.hub === hubId && isSameRegistration;
    const known = { name, endpoints, recordedUid: recordedUid(hubState.managedCluster) };
    if (isResumed) inspected.record = record;
    else if (!isGone(hubState) || !hasNoRegistration(evidence)) {
      const identity = await proveIdentity(hub, kube, evidence, known);
      requireProof(
        identity,
        kube,
        name,
        hub,
        [outline(toDeregister(hub, `${name}=CONTEXT`), `Give the context of ${name}`)],
        [
          run(toDeregister(hub, name), 'On the ITS only'),
          run(
            command`stellarctl deregister --local ${`${name}=${kube.cluster.context}`}`,
            `On the cluster only, if you know that it is ${name}`,
          ),
        ],
      );
      inspected.record = { name, hub: hubId, hubHash: hubHashOf(evidence) };
    }
  }
  const pods = kube && (await workAgentPods(kube));
  if (hubState.managedCluster !== undefined) inspected.agentDead = whyNotRunning(hubState, pods, hub.now());
  await Promise.all([
    isGone(hubState) ? undefined : requirePermissions(rights, deregisterPermissions(name)),
    kube && requirePermissions(kube, options.cleanup ? cleanupPermissions() : identityPermissions()),
  ]);
  refuseUnfinishable(hub, inspected, options);
  if (kube !== undefined && options.cleanup) await refuseForeignObjects(kube, inspected.record?.hubHash ?? null);
  refuseSelected(hub, inspected, options.keepWorkloads);
  return inspected;
}

/** What would be lost, under names that stay the same when KubeStellar recreates a work. */
export function lossesOf({ name, hubState }: InspectedWec): string[] {
  const { works, addons, managedCluster } = hubState;
  return [
    ...works.flatMap((work) => objectsIn(work).map((object) => `${object} on ${name}`)),
    ...addons.map(({ metadata }) => `add-on ${metadata.name} of ${name}`),
    ...(managedCluster === undefined ? [] : [`ManagedCluster ${name} (${managedCluster.metadata.uid})`]),
  ];
}

/** The hash that identifies the AppliedManifestWorks of a registration; null if its agent has no hub. */
export function hubHashOf(evidence: WecEvidence): string | null {
  const known = hubOf(evidence);
  return known === undefined ? null : hubHash(known.spelled);
}

/** Nothing of a registration exists, as after an earlier clean-up. An operator of others stays then. */
export const hasNoRegistration = ({ klusterlet, operator, hubSecret, bootstrapSecret }: WecEvidence): boolean =>
  [klusterlet, hubSecret, bootstrapSecret].every((part) => part === undefined) &&
  (operator === undefined || !isOurs(operator));

/** Refuses what would start and could not be finished. @throws StellarError `agent-dead` */
export function refuseUnfinishable(hub: Kube, inspected: InspectedWec, options: DeregisterOptions): void {
  const { name, kube, hubState, agentDead } = inspected;
  const { managedCluster, works, addonWorks, mailbox } = hubState;
  const all = [...works, ...addonWorks];
  if (managedCluster === undefined) {
    if (mailbox !== undefined && all.length > 0 && !options.force) throw worksRemain(hub, hubState);
    return;
  }
  // Works without a finalizer need no agent; what workloads are kept is up to the agent.
  const held = options.keepWorkloads ? all : all.filter(isGuarded);
  if (agentDead === undefined || held.length === 0) return;
  if (!options.force) {
    throw new StellarError(
      'agent-dead',
      `The agent of ${name} is not running (${agentDead}), so it cannot remove its ${count(held.length, 'work')}. Nothing was written.`,
      {
        next: [
          run(toDeregister(hub, kube ? `${name}=${kube.cluster.context}` : name, '--force'), 'Without the agent'),
          inWords('Its workloads then keep running, unless --cleanup removes them'),
        ],
      },
    );
  }
  if (options.keepWorkloads && kube === undefined && !works.every(isOrphan)) {
    throw new StellarError(
      'agent-dead',
      `The agent of ${name} is not running (${agentDead}), so its workloads must be removed from their works on the cluster itself.`,
      { next: [outline(toDeregister(hub, `${name}=CONTEXT`, '--keep-workloads', '--force'), 'Give its context')] },
    );
  }
}

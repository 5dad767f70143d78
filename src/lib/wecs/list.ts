import { type Standing, standingOf } from '../engine/stages.ts';
import type { Kube } from '../kube/client/client.ts';
import { conditionOf, createdAt } from '../kube/objects.ts';
import { isDeregistering } from './deregister/release/labels.ts';
import {
  bootstrapRequests,
  type HubEvidence,
  hasJoined,
  overdueLease,
  readWholeHub,
} from './registration/hub-evidence.ts';
import { type RequestView, requestView } from './registration/request-view.ts';
import { describeRegistration, judgeRegistration } from './registration/stages.ts';

/** One WEC as an ITS shows it. The fields are an interface: docs/output.md. */
export interface WecListItem extends Standing {
  name: string;
  accepted: boolean;
  joined: boolean;
  /** Null if nothing has been reported yet, or the state is unknown. */
  available: boolean | null;
  /** Its stage, in words. */
  state: string;
  /** Whether a user must act. */
  problem: boolean;
  /** What it waits for, or what is wrong; empty if all is well. */
  reason: string;
  /** RFC 3339; of the ManagedCluster, else of the first request. */
  created: string | null;
  kubernetesVersion: string | null;
  /** When the agent last renewed its Lease, RFC 3339; null also if Leases may not be read. */
  leaseRenewed: string | null;
  labels: Record<string, string>;
  /** Registration requests that still exist, oldest first. */
  requests: RequestView[];
}

export interface ListOptions {
  labelSelector?: string | undefined;
  /** Only WECs with a request that waits for a decision. */
  pending: boolean;
}

/**
 * Lists the WECs of an ITS by name: those with a ManagedCluster, and those that have only sent a request.
 * @throws StellarError `not-a-hub`
 */
export async function listWecs(hub: Kube, { labelSelector, pending }: ListOptions): Promise<WecListItem[]> {
  const evidence = await readWholeHub(hub, { labelSelector, withLeases: true });
  const now = hub.now();
  return [...evidence.values()]
    .filter((wec) => !pending || bootstrapRequests(wec).some(({ state }) => state === 'pending'))
    .map((wec) => toItem(wec, now))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function toItem(evidence: HubEvidence, now: number): WecListItem {
  const { name, managedCluster, lease } = evidence;
  const reports = judgeRegistration({ name, hub: evidence, wec: undefined, now });
  const { text, problem, why } = describeRegistration(reports);
  const available = conditionOf(managedCluster, 'ManagedClusterConditionAvailable')?.status;
  const requests = bootstrapRequests(evidence).map(requestView);
  return {
    name,
    accepted: managedCluster?.spec?.hubAcceptsClient === true,
    joined: hasJoined(evidence),
    available: available === 'True' ? true : available === 'False' ? false : null,
    ...standingOf(reports),
    state: text,
    problem,
    reason: why || noticeOf(evidence, now),
    created:
      managedCluster === undefined ? (requests[0]?.created ?? null) : new Date(createdAt(managedCluster)).toISOString(),
    kubernetesVersion: managedCluster?.status?.version?.kubernetes ?? null,
    leaseRenewed: lease?.spec?.renewTime ?? null,
    labels: managedCluster?.metadata.labels ?? {},
    requests,
  };
}

/** The warning for a WEC that is not kept from being available. */
function noticeOf(evidence: HubEvidence, now: number): string {
  const { managedCluster } = evidence;
  if (managedCluster !== undefined && isDeregistering(managedCluster))
    return 'its deregistration is unfinished; its labels are removed';
  return overdueLease(evidence, now) ?? '';
}

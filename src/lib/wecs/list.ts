import { rfc3339 } from '../core/deadline.ts';
import { standingOf } from '../core/stages.ts';
import { by } from '../core/text/words.ts';
import { mayNotRead, partialReader } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { conditionOf, createdAt } from '../kube/client/objects.ts';
import { agentLife, overdueLease } from '../ocm/agent/agent-life.ts';
import {
  bootstrapRequests,
  type HubEvidence,
  hasJoined,
  readWholeHub,
} from '../ocm/hub/hub-evidence.ts';
import { describeRegistration, judgeRegistration } from './registration/registration-stages.ts';
import { isDeregistering } from './registration/saved-labels.ts';
import { requestView } from './registration/wec-view.ts';

/** One WEC as an ITS shows it. The fields are an interface: docs/output.md. */
export type WecListItem = ReturnType<typeof toItem>;

export interface ListOptions {
  labelSelector?: string | undefined;
  /** Only WECs with a request that waits for a decision. */
  pending: boolean;
}

/**
 * Lists the WECs of an ITS by name: those with a ManagedCluster, and those that have only sent a request.
 * @param note is told if requests may not be read; the pending ones cannot be listed without
 * @throws StellarError `not-a-hub`, `forbidden`
 */
export async function listWecs(
  hub: Kube,
  { labelSelector, pending }: ListOptions,
  note?: (text: string) => void,
) {
  const reader = partialReader(hub);
  const requestReader = pending ? hub : reader;
  const evidence = await readWholeHub(hub, { labelSelector, requestReader });
  if (reader.forbidden.size > 0)
    note?.(`Clusters that only ask to join are not visible: ${mayNotRead(reader.forbidden)}.`);
  const now = hub.now();
  return [...evidence.values()]
    .filter((wec) => !pending || bootstrapRequests(wec).some(({ state }) => state === 'pending'))
    .map((wec) => toItem(wec, now, reader.forbidden))
    .sort(by(({ name }) => name));
}

function toItem(evidence: HubEvidence, now: number, forbidden: ReadonlySet<string>) {
  const { name, managedCluster, lease } = evidence;
  const reports = judgeRegistration({ name, hub: evidence, wec: undefined, now }, forbidden);
  const hidden = forbidden.size > 0;
  const accepted = managedCluster?.spec?.hubAcceptsClient === true;
  const { text, problem, why } = describeRegistration(reports);
  const available = conditionOf(managedCluster, 'ManagedClusterConditionAvailable')?.status;
  const requests = bootstrapRequests(evidence).map(requestView);
  return {
    name,
    accepted,
    joined: hasJoined(evidence),
    /** Null if nothing has been reported yet, or the state is unknown. */
    available: available === 'True' ? true : available === 'False' ? false : null,
    ...standingOf(reports),
    /** Its stage, in words. */
    state: hidden && !accepted ? 'not visible' : text,
    /** Whether a user must act. */
    problem,
    /** What it waits for, or what is wrong; empty if all is well. */
    reason: why || noticeOf(evidence, now),
    /** RFC 3339; of the ManagedCluster, else of the first request. */
    created:
      managedCluster === undefined
        ? (requests[0]?.created ?? null)
        : rfc3339(createdAt(managedCluster)),
    kubernetesVersion: managedCluster?.status?.version?.kubernetes ?? null,
    /** When the agent last renewed its Lease, RFC 3339; null also if Leases may not be read. */
    leaseRenewed: lease?.spec?.renewTime ?? null,
    labels: managedCluster?.metadata.labels ?? {},
    /** Registration requests that still exist, oldest first; null if this user may not read them. */
    requests: hidden ? null : requests,
  };
}

/** The warning for a WEC that is not kept from being available. */
function noticeOf(evidence: HubEvidence, now: number) {
  const { managedCluster } = evidence;
  if (managedCluster !== undefined && isDeregistering(managedCluster))
    return 'its deregistration is unfinished; its labels are removed';
  return overdueLease(agentLife({ hub: evidence, now })) ?? '';
}

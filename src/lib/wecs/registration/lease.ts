import { formatAge } from '../../engine/duration.ts';
import { conditionOf, isTrue } from '../../kube/objects.ts';
import { type HubEvidence, hasJoined } from './hub-evidence.ts';

/** How often an agent renews its lease where its ManagedCluster does not say. Seconds (the default of its definition). */
export const leasePeriodSeconds = 60;

/**
 * What is to be said of an agent that still counts as available although its lease is overdue: it renews every period × (1…1.25),
 * and the ITS calls it unavailable only after five (ocm pkg/registration/spoke/lease, hub/lease). Two of them without a renewal
 * mean that at least one failed.
 * @returns undefined where nothing is overdue, or the WEC does not count as available
 */
export function overdueLease(evidence: HubEvidence, now: number): string | undefined {
  const { managedCluster } = evidence;
  if (!hasJoined(evidence) || !isTrue(managedCluster, 'ManagedClusterConditionAvailable')) return undefined;
  const age = leaseAgeOf(evidence, now);
  return age !== undefined && missedRenewals(evidence, now)
    ? `lease not renewed for ${formatAge(age)} (due every ${formatAge(periodOf(evidence))})`
    : undefined;
}

/** How long ago an agent has renewed its lease, in milliseconds; undefined where there is none. */
export function leaseAgeOf({ lease }: HubEvidence, now: number): number | undefined {
  const age = now - Date.parse(lease?.spec?.renewTime ?? '');
  return Number.isNaN(age) ? undefined : age;
}

const periodOf = ({ managedCluster }: HubEvidence): number =>
  (managedCluster?.spec?.leaseDurationSeconds ?? leasePeriodSeconds) * 1000;

/** Whether the hub has missed the agent, which has not renewed its lease since. */
export function isMissed({ managedCluster, lease }: HubEvidence): boolean {
  const { status, lastTransitionTime = '' } = conditionOf(managedCluster, 'ManagedClusterConditionAvailable') ?? {};
  return status === 'Unknown' && Date.parse(lease?.spec?.renewTime ?? '') <= Date.parse(lastTransitionTime);
}

/** Whether at least one renewal has failed. */
export const missedRenewals = (evidence: HubEvidence, now: number): boolean =>
  (leaseAgeOf(evidence, now) ?? 0) > 2 * periodOf(evidence);

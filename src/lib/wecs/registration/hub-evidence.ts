import { formatAge } from '../../engine/duration.ts';
import type { Reader } from '../../kube/client/client.ts';
import { conditionOf, isTrue, type Lease } from '../../kube/objects.ts';
import { lenient } from '../../kube/permissive-reader.ts';
import { resources } from '../../kube/resources.ts';
import { notAHub } from '../hub/require-hub.ts';
import { clusterNameLabel, leaseName, registrationRequestSelector } from '../names.ts';
import type { CertificateSigningRequest, ManagedCluster } from '../objects.ts';
import type { RegistrationRequest } from './requests.ts';

/** What an ITS shows of one WEC at one moment. */
export interface HubEvidence {
  name: string;
  managedCluster: ManagedCluster | undefined;
  /** Registration requests that carry the WEC's name, oldest first; without those of add-ons. */
  requests: RegistrationRequest[];
  /** The agent's sign of life; undefined where there is none or it was not asked for. */
  lease: Lease | undefined;
}

/** Reads what an ITS shows of some WECs: of many of them by few requests where the client shares its reads. */
export async function readHub(kube: Reader, names: readonly string[]): Promise<Map<string, HubEvidence>> {
  return new Map(await Promise.all(names.map(async (name) => [name, await readOne(kube, name)] as const)));
}

/** Reads what an ITS shows of one WEC; of one that it does not know everything is empty. */
export async function readOne(kube: Reader, name: string): Promise<HubEvidence> {
  const [managedCluster, csrs] = await Promise.all([
    kube.get<ManagedCluster>(resources.managedClusters, name),
    listRequests(kube, `${registrationRequestSelector},${clusterNameLabel}=${name}`),
  ]);
  // The lease tells something only once the hub has made it, and matters only when the cluster calls itself available.
  const lease =
    conditionOf(managedCluster, 'ManagedClusterConditionAvailable') === undefined
      ? undefined
      : await lenient(kube).get<Lease>(resources.leases, leaseName, { namespace: name });
  return { name, managedCluster, requests: csrs.sort(byAge), lease };
}

/**
 * Reads what an ITS shows of every WEC, those included that have only a request yet. @param options.withLeases one more list, as far as this user may read it
 * @throws StellarError `not-a-hub`
 */
export async function readWholeHub(
  kube: Reader,
  options: { withLeases?: boolean; labelSelector?: string | undefined } = {},
): Promise<Map<string, HubEvidence>> {
  const { withLeases = false, labelSelector } = options;
  const [clusters, requests, leases] = await Promise.all([
    kube.list<ManagedCluster>(resources.managedClusters, { labelSelector }),
    listRequests(kube, registrationRequestSelector),
    withLeases ? lenient(kube).list<Lease>(resources.leases, { labelSelector: clusterNameLabel }) : [],
  ]);
  if (clusters === undefined) throw notAHub(kube);
  const evidence = new Map<string, HubEvidence>();
  for (const managedCluster of clusters) {
    const { name } = managedCluster.metadata;
    evidence.set(name, { ...emptyEvidence(name), managedCluster });
  }
  for (const request of requests.sort(byAge)) {
    // An empty label names no WEC.
    if (request.cluster === '') continue;
    // With a label selector only ManagedClusters are asked for: a request has no labels of a WEC.
    if (labelSelector !== undefined && !evidence.has(request.cluster)) continue;
    const entry = evidence.get(request.cluster) ?? emptyEvidence(request.cluster);
    entry.requests.push(request);
    evidence.set(request.cluster, entry);
  }
  for (const lease of leases ?? []) {
    const entry = lease.metadata.name === leaseName ? evidence.get(lease.metadata.namespace ?? '') : undefined;
    if (entry !== undefined) entry.lease = lease;
  }
  return evidence;
}

async function listRequests(kube: Reader, labelSelector: string): Promise<RegistrationRequest[]> {
  const csrs = await kube.list<CertificateSigningRequest>(resources.certificateSigningRequests, { labelSelector });
  if (csrs === undefined || csrs.length === 0) return [];
  // Reading PKCS#10 takes a library of its own, which a list of joined WECs does without.
  const { judgeRequest } = await import('./requests.ts');
  return csrs.map(judgeRequest);
}

export function emptyEvidence(name: string): HubEvidence {
  return { name, managedCluster: undefined, requests: [], lease: undefined };
}

export function hasJoined({ managedCluster }: HubEvidence): boolean {
  return isTrue(managedCluster, 'ManagedClusterJoined');
}

/** Requests by which an agent introduces itself: neither renewals nor, by the list's selector, those of add-ons. */
export function bootstrapRequests({ requests }: HubEvidence): RegistrationRequest[] {
  return requests.filter(({ renewal }) => !renewal);
}

const byAge = (a: RegistrationRequest, b: RegistrationRequest): number =>
  a.created - b.created || a.name.localeCompare(b.name);

/** The reason by which stellarctl denied requests that it had superseded, before it deleted them. */
const supersededReason = 'StellarctlSuperseded';

/** Denied by stellarctl itself, because the agent had started anew: no person has decided about it. */
export const isSuperseded = ({ csr }: Pick<RegistrationRequest, 'csr'>): boolean =>
  csr.status?.conditions?.some(({ type, reason }) => type === 'Denied' && reason === supersededReason) ?? false;

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

import { partialReader } from '../../kube/access.ts';
import { type Reader, readsOneByOne } from '../../kube/client/client.ts';
import { unlessStatus } from '../../kube/client/errors.ts';
import { missing, shownList } from '../../kube/client/missing.ts';
import {
  type CertificateSigningRequest,
  isTrue,
  type Lease,
  resources,
} from '../../kube/client/objects.ts';
import {
  clusterNameLabel,
  foreignAgent,
  leaseName,
  registrationRequestSelector,
} from '../model/ocm-names.ts';
import type { ManagedCluster } from '../model/ocm-objects.ts';
import type { RegistrationRequest } from './registration-requests.ts';
import { notAHub } from './require-hub.ts';

/** What an ITS shows of one WEC at one moment. */
export interface HubEvidence {
  name: string;
  managedCluster: ManagedCluster | undefined;
  /** Registration requests that carry the WEC's name, oldest first, without those of add-ons. */
  requests: RegistrationRequest[];
  /** The agent's Lease; undefined if there is none or it may not be read. */
  lease: Lease | undefined;
}

/** Reads what an ITS shows of several WECs: of many with one list of each kind, unless this user may only read single objects. */
export async function readHub(
  kube: Reader,
  names: readonly string[],
): Promise<Map<string, HubEvidence>> {
  const all =
    names.length > readsOneByOne ? await unlessStatus(readWholeHub(kube), 403) : undefined;
  if (all !== undefined)
    return new Map(names.map((name) => [name, all.get(name) ?? emptyEvidence(name)]));
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readOne(kube, name)] as const)),
  );
}

/** Reads what an ITS shows of one WEC; for an unknown WEC everything is empty. */
export async function readOne(kube: Reader, name: string): Promise<HubEvidence> {
  const [managedCluster, csrs, lease] = await Promise.all([
    kube.get<ManagedCluster>(resources.managedClusters, name),
    listRequests(kube, `${registrationRequestSelector},${clusterNameLabel}=${name}`),
    partialReader(kube).get<Lease>(resources.leases, leaseName, { namespace: name }),
  ]);
  return { name, managedCluster, requests: csrs.sort(byAge), lease };
}

/**
 * Reads what an ITS shows of every WEC, including those that have only a request.
 * @param options.requestReader reads the requests
 * @throws StellarError `not-a-hub`
 */
export async function readWholeHub(
  kube: Reader,
  options: { labelSelector?: string | undefined; requestReader?: Reader } = {},
): Promise<Map<string, HubEvidence>> {
  const { labelSelector, requestReader = kube } = options;
  const [clusters, requests, leases] = await Promise.all([
    kube.list<ManagedCluster>(resources.managedClusters, { labelSelector }),
    listRequests(requestReader, registrationRequestSelector),
    partialReader(kube).list<Lease>(resources.leases, { labelSelector: clusterNameLabel }),
  ]);
  if (clusters === missing) throw notAHub(kube);
  const evidence = new Map<string, HubEvidence>();
  for (const managedCluster of clusters) {
    const { name } = managedCluster.metadata;
    evidence.set(name, { ...emptyEvidence(name), managedCluster });
  }
  for (const request of requests.sort(byAge)) {
    // An empty label names no WEC.
    if (request.cluster === '') continue;
    // A label selector selects ManagedClusters only: a request has no labels of a WEC.
    if (labelSelector !== undefined && !evidence.has(request.cluster)) continue;
    const entry = evidence.get(request.cluster) ?? emptyEvidence(request.cluster);
    entry.requests.push(request);
    evidence.set(request.cluster, entry);
  }
  for (const lease of shownList(leases)) {
    const entry =
      lease.metadata.name === leaseName ? evidence.get(lease.metadata.namespace ?? '') : undefined;
    if (entry !== undefined) entry.lease = lease;
  }
  return evidence;
}

async function listRequests(kube: Reader, labelSelector: string): Promise<RegistrationRequest[]> {
  const csrs = shownList(
    await kube.list<CertificateSigningRequest>(resources.certificateSigningRequests, {
      labelSelector,
    }),
  );
  if (csrs.length === 0) return [];
  // Reading PKCS#10 takes an extra library; a list of joined WECs does not load it.
  const { judgeRequest } = await import('./registration-requests.ts');
  // The agent of another WEC asks for itself, whatever the label says: doctor has a check of that.
  return csrs
    .filter(
      ({ metadata, spec }) =>
        foreignAgent(spec.username, metadata.labels?.[clusterNameLabel]) === undefined,
    )
    .map(judgeRequest);
}

/** The evidence of a name that the hub does not know. */
export function emptyEvidence(name: string): HubEvidence {
  return { name, managedCluster: undefined, requests: [], lease: undefined };
}

/**
 * Whether an agent has joined under this name, once: nothing takes the condition back (ocm
 * pkg/registration/spoke/managedcluster/joining_reconcile.go).
 */
export function hasJoined({ managedCluster }: Pick<HubEvidence, 'managedCluster'>): boolean {
  return isTrue(managedCluster, 'ManagedClusterJoined');
}

export const isAvailable = ({ managedCluster }: Pick<HubEvidence, 'managedCluster'>) =>
  isTrue(managedCluster, 'ManagedClusterConditionAvailable');

/** Requests by which an agent registers: no renewals and, through the list's selector, none of add-ons. */
export function bootstrapRequests({ requests }: HubEvidence): RegistrationRequest[] {
  return requests.filter(({ renewal }) => !renewal);
}

export const isOpen = ({ state }: RegistrationRequest) => state !== 'denied' && state !== 'failed';

const byAge = (a: RegistrationRequest, b: RegistrationRequest) =>
  a.created - b.created || (a.name < b.name ? -1 : 1);

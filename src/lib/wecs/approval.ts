import type { Kube } from '../kube/client/client.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import type { CertificateSigningRequest } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import type { RegistrationRequest } from '../ocm/registration-requests.ts';

/**
 * Approves a judged request. It sends back the whole object that was judged: its resourceVersion guards against changes in between
 * (409).
 */
export async function approveRequest(kube: Kube, { csr }: RegistrationRequest): Promise<void> {
  await decideRequest(kube, csr, 'Approved', 'StellarctlApprove', 'Approved by stellarctl accept.');
}

/** Denies a request for good: its agent sends another one only after this one is deleted. */
export async function denyRequest(kube: Kube, { csr }: RegistrationRequest): Promise<void> {
  await decideRequest(kube, csr, 'Denied', 'StellarctlDeny', 'Denied by stellarctl accept --deny.');
}

/**
 * Deletes requests whose agent has restarted: the agent has lost their keys, and pending requests would look like a second agent.
 * Denying them would silence the agent for good (seen with OCM 1.3.1): it sends a new request only when its request is gone.
 * Requests that a user has decided on stay as they are.
 * @returns those that this user may not delete
 */
export async function retireRequests(
  kube: Kube,
  requests: readonly RegistrationRequest[],
): Promise<RegistrationRequest[]> {
  const left: RegistrationRequest[] = [];
  for (const request of requests.filter(({ state }) => state !== 'denied')) {
    const { name, uid } = request.csr.metadata;
    const deleting = kube.delete(resources.certificateSigningRequests, name, { uid });
    if ((await unlessStatus(deleting, 403)) === undefined) left.push(request);
  }
  return left;
}

async function decideRequest(
  kube: Kube,
  csr: CertificateSigningRequest,
  type: 'Approved' | 'Denied',
  reason: string,
  message: string,
): Promise<void> {
  const condition = {
    type,
    status: 'True',
    reason,
    message,
    lastUpdateTime: new Date(kube.now()).toISOString(),
  } as const;
  const { apiVersion, kind } = resources.certificateSigningRequests;
  const conditions = [...(csr.status?.conditions ?? []), condition];
  await kube.replace(
    resources.certificateSigningRequests,
    { ...csr, apiVersion, kind, status: { ...csr.status, conditions } },
    'approval',
  );
}

/**
 * Accepts a WEC's agent: the hub creates its mailbox and its roles. The hub's webhook checks the right to `managedclusters/accept`.
 */
export async function acceptCluster(kube: Kube, name: string): Promise<void> {
  await kube.merge(resources.managedClusters, name, { spec: { hubAcceptsClient: true } });
}

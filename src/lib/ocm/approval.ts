import type { Kube } from '../kube/client.ts';
import { ApiError } from '../kube/errors.ts';
import { resources } from '../kube/resources.ts';
import type { CertificateSigningRequest } from './objects.ts';
import type { RegistrationRequest } from './requests.ts';

/**
 * Approves a request that has been judged. The object that was judged is sent back whole, so that its resourceVersion guards
 * against changes in between (409).
 */
export async function approveRequest(kube: Kube, { csr }: RegistrationRequest): Promise<void> {
  await decideRequest(kube, csr, 'Approved', 'StellarctlApprove', 'Approved by stellarctl accept.');
}

/** Refuses a request for good: its agent sends another one only when this one has been deleted. */
export async function denyRequest(kube: Kube, { csr }: RegistrationRequest): Promise<void> {
  await decideRequest(kube, csr, 'Denied', 'StellarctlDeny', 'Denied by stellarctl accept --deny.');
}

/**
 * Closes requests whose agent has started anew: it has lost their keys, and left open they would look like a second agent. Left
 * alone where this user may not, or where somebody has decided in between.
 */
export async function retireRequests(kube: Kube, requests: readonly RegistrationRequest[]): Promise<void> {
  for (const { csr } of requests.filter(({ state }) => state === 'pending')) {
    await decideRequest(
      kube,
      csr,
      'Denied',
      'StellarctlSuperseded',
      'Its agent has started anew and asks again.',
    ).catch((error: unknown) => {
      if (!(error instanceof ApiError) || ![403, 404, 409].includes(error.status)) throw error;
    });
  }
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

/** Lets a WEC's agent in: the hub makes its mailbox and its roles. The hub's webhook checks the right to `managedclusters/accept`. */
export async function acceptCluster(kube: Kube, name: string): Promise<void> {
  await kube.merge(resources.managedClusters, name, { spec: { hubAcceptsClient: true } });
}

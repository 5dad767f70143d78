import {
  type CertificateSigningRequest,
  createRegistrationRequest,
  type ManagedCluster,
  type Plane,
  type RegistrationRequest,
  resources,
  until,
} from '../../../testbed/index.ts';
import { statusOf } from './registration.ts';

/** The first act of an agent: it announces its cluster. */
export async function announce(
  hub: Plane,
  name: string,
  labels: Record<string, string> = {},
): Promise<void> {
  await hub.admin.create<ManagedCluster>(resources.managedClusters, {
    metadata: { name, labels },
    spec: { hubAcceptsClient: false },
  });
}

/** An agent that requests registration: its ManagedCluster and its request, valid by default. */
export async function ask(
  hub: Plane,
  name: string,
  wrong: Partial<RegistrationRequest> = {},
): Promise<string> {
  await announce(hub, name);
  return askAgain(hub, name, wrong);
}

/** Another request for an announced cluster. @returns its name */
export async function askAgain(
  hub: Plane,
  name: string,
  wrong: Partial<RegistrationRequest> = {},
): Promise<string> {
  const { metadata } = await createRegistrationRequest(hub, {
    cluster: name,
    agent: `agent-of-${name}`,
    ...wrong,
  });
  return metadata.name;
}

/** Continues as an agent that gets its certificate: joined, and available. */
export async function joinOnceAccepted(hub: Plane, name: string): Promise<void> {
  await until(async () => {
    const cluster = await hub.admin.get<ManagedCluster>(resources.managedClusters, name);
    return statusOf(cluster, 'HubAcceptedManagedCluster') === 'True';
  }, `acceptance of ${name}`);
  await until(async () => {
    const { metadata, status } = await hub.admin.get<ManagedCluster>(
      resources.managedClusters,
      name,
    );
    const lastTransitionTime = new Date().toISOString();
    const reported = ['ManagedClusterJoined', 'ManagedClusterConditionAvailable'].map(
      (type) => ({ type, status: 'True', reason: type, message: '', lastTransitionTime }) as const,
    );
    const conditions = [...(status?.conditions ?? []), ...reported];
    const { resourceVersion } = metadata;
    const body = {
      metadata: { resourceVersion },
      status: { conditions, version: { kubernetes: 'v1.36.3' } },
    };
    const options = { subresource: 'status' };
    // The hub writes to it as well.
    return hub.admin.patch(resources.managedClusters, name, body, options).catch(() => undefined);
  }, `a report of ${name}`);
}

/** A long-registered cluster: it is available, and its request has been garbage-collected. */
export async function registered(hub: Plane, name: string): Promise<void> {
  await announce(hub, name);
  await hub.admin.patch(resources.managedClusters, name, { spec: { hubAcceptsClient: true } });
  await joinOnceAccepted(hub, name);
}

/** Whether a request is `pending`, or the decision about it. */
export async function stateOf(
  hub: Plane,
  request: string,
): Promise<'pending' | 'Approved' | 'Denied' | 'Failed'> {
  const { status } = await hub.admin.get<CertificateSigningRequest>(
    resources.certificateSigningRequests,
    request,
  );
  return (
    (status?.conditions?.[0]?.type as 'Approved' | 'Denied' | 'Failed' | undefined) ?? 'pending'
  );
}

export async function isAccepted(hub: Plane, name: string): Promise<boolean> {
  const { spec } = await hub.admin.get<ManagedCluster>(resources.managedClusters, name);
  return spec.hubAcceptsClient === true;
}

/** Deletes all requests, so the next test finds none pending. */
export async function forgetRequests(hub: Plane): Promise<void> {
  const { items } = await hub.admin.list(resources.certificateSigningRequests);
  await Promise.all(
    items.map(({ metadata }) =>
      hub.admin.delete(resources.certificateSigningRequests, metadata.name),
    ),
  );
}

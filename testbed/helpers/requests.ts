import { Api } from '../kube/api.ts';
import { apply } from '../kube/apply.ts';
import type { CertificateSigningRequest, ManagedCluster } from '../kube/objects.ts';
import { certificateSigningRequests, managedClusters } from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { agentRequest, newRequest, requestObject } from '../ocm/certificate-request.ts';
import { agentUser, clusterGroup, managedClustersGroup, operatorNamespace } from '../ocm/names.ts';
import { bindingObject, roleObject, rule } from '../ocm/rbac.ts';
import type { Plane } from '../plane/plane.ts';

/** A requester, impersonated for the request. */
export interface Requester {
  user: string;
  groups: string[];
}

/** Agents as they bootstrap, with a token of the hub's service account for that. */
export const bootstrapRequester: Requester = {
  user: `system:serviceaccount:${operatorNamespace}:agent-registration-bootstrap`,
  groups: [
    'system:serviceaccounts',
    `system:serviceaccounts:${operatorNamespace}`,
    'system:authenticated',
  ],
};

function groupsOf(cluster: string): string[] {
  return [clusterGroup(cluster), managedClustersGroup];
}

export interface RegistrationRequest {
  cluster: string;
  agent: string;
  as?: Requester;
  /** What differs from a valid request. */
  commonName?: string;
  organizations?: string[];
  usages?: string[];
  signerName?: string;
  /** Added to the label with the cluster's name; `undefined` removes a label. */
  labels?: Record<string, string | undefined>;
}

/** Creates a request as an agent would, with a real key, valid except for the given changes. */
export async function createRegistrationRequest(
  hub: Plane,
  wanted: RegistrationRequest,
): Promise<CertificateSigningRequest> {
  const { cluster, agent, as = bootstrapRequester } = wanted;
  const { commonName = agentUser(cluster, agent), organizations = groupsOf(cluster) } = wanted;
  const { requestPem } = await newRequest(commonName, organizations);
  await letRequest(hub, as.user);
  const { metadata, spec } = requestObject(cluster, requestPem);
  const labels = Object.entries({ ...metadata.labels, ...wanted.labels }).filter(
    ([, value]) => value !== undefined,
  );
  const { usages = spec.usages, signerName = spec.signerName } = wanted;
  const api = new Api({ ...hub.admin.connection, impersonate: as });
  try {
    return await api.create<CertificateSigningRequest>(certificateSigningRequests, {
      metadata: { ...metadata, labels: Object.fromEntries(labels) as Record<string, string> },
      spec: { ...spec, usages, signerName },
    });
  } finally {
    api.close();
  }
}

/** A test of an invalid requester does not depend on the permission to create requests. */
async function letRequest({ admin }: Plane, user: string): Promise<void> {
  const role = 'bed:requesters';
  await apply(
    admin,
    roleObject(role, [rule('certificates.k8s.io', 'certificatesigningrequests', 'create')]),
  );
  await apply(
    admin,
    bindingObject(`${role}:${user}`, { name: role }, [{ kind: 'User', name: user }]),
  );
  const resourceAttributes = {
    group: 'certificates.k8s.io',
    resource: 'certificatesigningrequests',
    verb: 'create',
  };
  await until(async () => {
    const review = { spec: { user, resourceAttributes } };
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    return (await admin.send<{ status: { allowed: boolean } }>('POST', path, review)).status
      .allowed;
  }, `the right of ${user} to request certificates`);
}

const parallel = 16;

/** Clusters that wait to be accepted, each with its pending request: `<prefix>1` to `<prefix><count>`. They have no agents. */
export async function createPendingClusters(
  hub: Plane,
  count: number,
  prefix = 'pending-',
): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
  const bootstrapping = new Api({ ...hub.admin.connection, impersonate: bootstrapRequester });
  const waiting = names.values();
  const createSome = async () => {
    for (const cluster of waiting) {
      await bootstrapping.create<ManagedCluster>(managedClusters, {
        metadata: { name: cluster },
        spec: { hubAcceptsClient: false },
      });
      const { request } = await agentRequest({ cluster, agent: `agent-${cluster}` });
      await bootstrapping.create<CertificateSigningRequest>(certificateSigningRequests, request);
    }
  };
  await Promise.all(Array.from({ length: parallel }, createSome));
  bootstrapping.close();
  return names;
}

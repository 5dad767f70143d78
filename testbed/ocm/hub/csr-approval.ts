import 'reflect-metadata';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import { now } from '../../kube/conditions.ts';
import type { CertificateSigningRequest } from '../../kube/objects.ts';
import { certificateSigningRequests } from '../../kube/resources.ts';
import { addonNameLabel, clientSigner, clusterGroup, clusterNameLabel, managedClustersGroup } from '../names.ts';
import { isAllowedTo } from './access-review.ts';
import type { HubCache } from './hub-cache.ts';

/** Approves renewals, and first requests of trusted users (ocm pkg/registration/register/csr/approve_reconciler.go). */
export function runCsrApproval(cache: HubCache, { autoApprovedUsers }: { autoApprovedUsers: string[] }): void {
  const queue = cache.queue('csr approval', async (name) => {
    const request = cache.requests.informer.items.get(name);
    if (!request || !isOpenClusterRequest(request)) return;
    const { username = '' } = request.spec;
    const isTrusted =
      autoApprovedUsers.includes(username) || (username === commonNameOf(request) && (await mayRenew(cache, request)));
    if (isTrusted) await approve(cache, request);
  });
  cache.requests.onChange(({ metadata }) => queue.add(metadata.name));
}

function isOpenClusterRequest({ metadata, spec, status }: CertificateSigningRequest): boolean {
  const cluster = metadata.labels?.[clusterNameLabel] ?? '';
  if (metadata.labels?.[addonNameLabel] !== undefined || spec.signerName !== clientSigner) return false;
  if (status?.conditions?.some(({ type }) => ['Approved', 'Denied', 'Failed'].includes(type))) return false;
  const { commonName, organizations } = subjectOf(spec.request);
  const groups = organizations.filter((organization) => organization !== managedClustersGroup);
  const prefix = `${clusterGroup(cluster)}:`;
  const agent = commonName.startsWith(prefix) ? commonName.slice(prefix.length) : '';
  return groups.length === 1 && groups[0] === clusterGroup(cluster) && agent !== '' && !agent.includes(':');
}

function commonNameOf({ spec }: CertificateSigningRequest): string {
  return subjectOf(spec.request).commonName;
}

function subjectOf(request: string): { commonName: string; organizations: string[] } {
  const { subjectName } = new Pkcs10CertificateRequest(Buffer.from(request, 'base64').toString());
  return { commonName: subjectName.getField('CN')[0] ?? '', organizations: subjectName.getField('O') };
}

function mayRenew({ api }: HubCache, { spec }: CertificateSigningRequest): Promise<boolean> {
  const renew = { resource: 'managedclusters', subresource: 'clientcertificates', verb: 'renew' };
  return isAllowedTo(api, spec, { group: 'register.open-cluster-management.io', ...renew });
}

async function approve({ api }: HubCache, request: CertificateSigningRequest): Promise<void> {
  const approved = {
    type: 'Approved',
    status: 'True' as const,
    reason: 'AutoApprovedByHubCSRApprovingController',
    message: 'Auto approving Managed cluster agent certificate after SubjectAccessReview.',
    lastUpdateTime: now(),
  };
  const conditions = [...(request.status?.conditions ?? []), approved];
  await api.update(certificateSigningRequests, { ...request, status: { ...request.status, conditions } }, 'approval');
}

import type { Api } from '../kube/api.ts';
import { now } from '../kube/conditions.ts';
import { Informer } from '../kube/informer.ts';
import type { AnyObject, CertificateSigningRequest } from '../kube/objects.ts';
import {
  certificateSigningRequests,
  managedClusterAddOns,
  roleBindings,
  roles,
} from '../kube/resources.ts';
import { addonNameLabel, clientSigner, clusterGroup, clusterNameLabel } from '../ocm/names.ts';
import { bindingObject, roleObject, rule } from '../ocm/rbac.ts';
import { addonName as addon } from './status-addon-chart.ts';

/** Replaces the random name that the add-on's manager gives all agents when it starts. */
const agent = 'agent';

/** The permissions of the add-on's agents in their mailbox (ocm-status-addon pkg/rbac). */
const rules = [
  rule('control.kubestellar.io', 'workstatuses', 'get, list, watch, create, delete, update, patch'),
  rule('control.kubestellar.io', 'workstatuses/status', 'patch, update'),
  rule('addon.open-cluster-management.io', 'managedclusteraddons', 'get, list, watch'),
  rule('work.open-cluster-management.io', 'manifestworks', 'get, list, watch'),
];

/** The user of an add-on's agent, and its groups, the narrowest first (addon-framework pkg/agent). */
function subjectOf(cluster: string): { user: string; groups: [string, ...string[]] } {
  const group = `system:open-cluster-management:cluster:${cluster}:addon:${addon}`;
  const groups: [string, ...string[]] = [
    group,
    `system:open-cluster-management:addon:${addon}`,
    'system:authenticated',
  ];
  return { user: `${group}:agent:${agent}`, groups };
}

/** Grants the add-on's agent on a cluster its permissions, and records on the add-on which certificate it needs. */
export async function offerRegistration(
  hub: Api,
  cluster: string,
  status: { registrations?: unknown } = {},
) {
  if (status.registrations) return;
  const subject = subjectOf(cluster);
  const name = `open-cluster-management:${addon}:agent`;
  const place = { namespace: cluster };
  const group = { kind: 'Group' as const, name: subject.groups[0] };
  await hub.ensure<AnyObject>(roles, roleObject(name, rules, place));
  await hub.ensure<AnyObject>(
    roleBindings,
    bindingObject(name, { kind: 'Role', name }, [group], place),
  );
  const registrations = [{ signerName: clientSigner, subject }];
  await hub.patch(
    managedClusterAddOns,
    `${cluster}/${addon}`,
    { status: { registrations } },
    { subresource: 'status' },
  );
}

/** Approves requests of registered clusters' agents for the add-on, until the signal. */
export function approveAddonRequests(hub: Api, signal: AbortSignal): void {
  const approve = async (request: CertificateSigningRequest, change: string) => {
    const { metadata, spec, status = {} } = request;
    const cluster = metadata.labels?.[clusterNameLabel] ?? '';
    const isDecided = (status.conditions ?? []).length > 0;
    if (
      change === 'deleted' ||
      isDecided ||
      !spec.username?.startsWith(`${clusterGroup(cluster)}:`)
    )
      return;
    const approved = {
      type: 'Approved',
      status: 'True' as const,
      reason: 'AutoApprovedByHubCSRApprovingController',
      message: 'Auto approving addon agent certificate.',
      lastUpdateTime: now(),
    };
    const body = { ...request, status: { ...status, conditions: [approved] } };
    await hub.update(certificateSigningRequests, body, 'approval');
  };
  const onChange = (request: CertificateSigningRequest, change: string) => {
    // If a request was changed or deleted meanwhile, another event follows, or nothing is left to do.
    approve(request, change).catch(() => {});
  };
  const labelSelector = `${addonNameLabel}=${addon}`;
  const options = { labelSelector, onChange };
  new Informer<CertificateSigningRequest>(hub, certificateSigningRequests, options, signal);
}

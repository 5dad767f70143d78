import type { Api } from '../../kube/api.ts';
import { selfSubjectAccessReviews } from '../../kube/resources.ts';
import { clusterLease } from '../names.ts';

/** An action that a user may or may not be allowed to do. */
export interface Access {
  namespace?: string;
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
  name?: string;
}

const certificates = 'certificates.k8s.io';
const clusters = 'cluster.open-cluster-management.io';
const works = 'work.open-cluster-management.io';

function each(verbs: string[], access: Omit<Access, 'verb'>): Access[] {
  return verbs.map((verb) => ({ verb, ...access }));
}

/** GetBootstrapSSARs (ocm pkg/operator/helpers); managedclustersets/join is not among them. */
export const bootstrapAccess: Access[] = [
  ...each(['create', 'get'], { group: clusters, resource: 'managedclusters' }),
  ...each(['create', 'get', 'list', 'watch'], { group: certificates, resource: 'certificatesigningrequests' }),
];

/** GetHubConfigSSARs (ocm pkg/operator/helpers). */
export function hubAccess(name: string): Access[] {
  const cluster = { group: clusters, resource: 'managedclusters', name };
  const work = { group: works, resource: 'manifestworks', namespace: name };
  const renewal = { group: 'register.open-cluster-management.io', resource: 'managedclusters' };
  const lease = { group: 'coordination.k8s.io', resource: 'leases', name: clusterLease, namespace: name };
  return [
    ...each(['get', 'list', 'watch'], { group: certificates, resource: 'certificatesigningrequests' }),
    ...each(['get', 'list', 'update', 'watch'], cluster),
    ...each(['patch', 'update'], { ...cluster, subresource: 'status' }),
    ...each(['renew'], { ...renewal, subresource: 'clientcertificates' }),
    ...each(['get', 'update'], lease),
    ...each(['create', 'patch', 'update'], { group: '', resource: 'events', namespace: name }),
    ...each(['create', 'patch', 'update'], { group: 'events.k8s.io', resource: 'events', namespace: name }),
    ...each(['get', 'list', 'watch', 'update'], work),
    ...each(['patch', 'update'], { ...work, subresource: 'status' }),
  ];
}

export async function isAllowed(api: Api, resourceAttributes: Access): Promise<boolean> {
  const path = `/apis/${selfSubjectAccessReviews.apiVersion}/${selfSubjectAccessReviews.plural}`;
  const { status } = await api.send<{ status: { allowed: boolean } }>('POST', path, { spec: { resourceAttributes } });
  return status.allowed;
}

/** Go's output of the review for an access. */
export function goReview(access: Access): string {
  const meta = 'ObjectMeta:{      0 0001-01-01 00:00:00 +0000 UTC <nil> <nil> map[] map[] [] [] []}';
  const spec = `SelfSubjectAccessReviewSpec{ResourceAttributes:${goAttributes(access)},NonResourceAttributes:nil,}`;
  const status = 'SubjectAccessReviewStatus{Allowed:false,Reason:,EvaluationError:,Denied:false,}';
  return `&SelfSubjectAccessReview{${meta},Spec:${spec},Status:${status},}`;
}

/** Go's output of an access. */
export function goAttributes({ namespace = '', verb, group, resource, subresource = '', name = '' }: Access): string {
  return (
    `&ResourceAttributes{Namespace:${namespace},Verb:${verb},Group:${group},Version:,Resource:${resource},` +
    `Subresource:${subresource},Name:${name},FieldSelector:nil,LabelSelector:nil,}`
  );
}

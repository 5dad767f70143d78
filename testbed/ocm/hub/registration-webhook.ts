import type { Api } from '../../kube/api.ts';
import { now } from '../../kube/conditions.ts';
import type { ManagedCluster, Namespace } from '../../kube/objects.ts';
import { namespaces } from '../../kube/resources.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { clusterSetLabel } from '../names.ts';
import { isAllowedTo } from './access-review.ts';
import { type AdmissionRequest, allowed, badRequest, forbidden, serveAdmission, type Verdict } from './admission.ts';

/** Stands in for `registration webhook-server` (ocm pkg/registration/webhook). */
export async function registrationWebhook(context: PodContext): Promise<void> {
  await serveAdmission(context, async (path, request) => {
    if (path.startsWith('/mutate-')) return mutate(request);
    return path.endsWith('-managedcluster') ? validate(context.api, request) : allowed;
  });
}

/** Adds clusters to the default set, and records the time of added taints. */
function mutate({ operation, object, oldObject }: AdmissionRequest): Verdict {
  const patch: object[] = [];
  const { labels } = object.metadata;
  const label = `/metadata/labels/${clusterSetLabel.replace('/', '~1')}`;
  if (!labels) patch.push({ op: 'add', path: '/metadata/labels', value: { [clusterSetLabel]: 'default' } });
  else if (!labels[clusterSetLabel]) patch.push({ op: 'add', path: label, value: 'default' });
  for (const [index, { key, effect, timeAdded }] of (object.spec.taints ?? []).entries()) {
    const before = oldObject?.spec.taints?.find((taint) => taint.key === key && taint.effect === effect)?.timeAdded;
    if (operation === 'UPDATE' && timeAdded && timeAdded !== before) {
      return badRequest(`It is not allowed to set TimeAdded of Taint ${quote(key)}.`);
    }
    if (!timeAdded) patch.push({ op: 'add', path: `/spec/taints/${index}/timeAdded`, value: before ?? now() });
  }
  return { allowed: true, patch };
}

async function validate(api: Api, request: AdmissionRequest): Promise<Verdict> {
  return (
    checkForm(request.object) ?? (await checkAcceptance(api, request)) ?? (await checkSet(api, request)) ?? allowed
  );
}

/** As in the source of the real one, a wrong name passes if there are no client configs. */
function checkForm({ metadata, spec }: ManagedCluster): Verdict | undefined {
  const configs = spec.managedClusterClientConfigs ?? [];
  const insecure = configs.find(({ url }) => !url.startsWith('https://'));
  if (insecure) return badRequest(`url ${quote(insecure.url)} is invalid in client configs`);
  const isNamespaceName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(metadata.name);
  if (configs.length === 0 || isNamespaceName) return undefined;
  return badRequest(`metadata.name format is not correct: ${metadata.name}`);
}

/** Accepting needs a separate permission; denying does not. */
async function checkAcceptance(
  api: Api,
  { object, oldObject, userInfo }: AdmissionRequest,
): Promise<Verdict | undefined> {
  if (!object.spec.hubAcceptsClient || oldObject?.spec.hubAcceptsClient) return undefined;
  const { name } = object.metadata;
  const refuse = (why: string) =>
    forbidden(`managedclusters.register.open-cluster-management.io "accept" is forbidden: ${why}`);
  const namespace = await api.find<Namespace>(namespaces, name);
  if (namespace?.status?.phase === 'Terminating') return refuse(`cluster namespace ${quote(name)} is terminating`);
  const accept = { resource: 'managedclusters', subresource: 'accept', verb: 'update', name };
  const mayAccept = await isAllowedTo(api, userInfo, { group: 'register.open-cluster-management.io', ...accept });
  return mayAccept ? undefined : refuse(`user ${quote(userInfo.username)} cannot update the HubAcceptsClient field`);
}

/** Moving from one set to another needs a permission for both. */
async function checkSet(api: Api, { object, oldObject, userInfo }: AdmissionRequest): Promise<Verdict | undefined> {
  const [before, after] = [oldObject?.metadata.labels?.[clusterSetLabel], object.metadata.labels?.[clusterSetLabel]];
  if (before === after) return undefined;
  for (const name of [before, after]) {
    if (!name) continue;
    const join = { resource: 'managedclustersets', subresource: 'join', verb: 'create', name };
    if (await isAllowedTo(api, userInfo, { group: 'cluster.open-cluster-management.io', ...join })) continue;
    const what = `cannot add/remove a ManagedCluster to/from ManagedClusterSet ${quote(name)}`;
    return forbidden(`user ${quote(userInfo.username)} ${what}`);
  }
  return undefined;
}

function quote(text: string | undefined): string {
  return JSON.stringify(text ?? '');
}

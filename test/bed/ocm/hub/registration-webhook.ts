import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Api } from '../../kube/api.ts';
import { now } from '../../kube/conditions.ts';
import type { ManagedCluster, Namespace } from '../../kube/objects.ts';
import { namespaces, subjectAccessReviews } from '../../kube/resources.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { clusterSetLabel } from '../names.ts';

interface AdmissionRequest {
  uid: string;
  operation: 'CREATE' | 'UPDATE';
  name: string;
  userInfo: { username: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
  object: ManagedCluster;
  oldObject: ManagedCluster | null;
}

interface Verdict {
  allowed: boolean;
  status?: { code: number; reason: string; message: string };
  patch?: object[];
}

/** Stands in for `registration webhook-server` (facts 3.2). */
export async function registrationWebhook(context: PodContext): Promise<void> {
  await serveAdmission(context, async (path, request) => {
    if (path.startsWith('/mutate-')) return mutate(request);
    return path.endsWith('-managedcluster') ? validate(context.api, request) : { allowed: true };
  });
}

/** Answers admission reviews with the serving certificate that is mounted, until the pod stops. */
export async function serveAdmission(
  { readFile, serve, setReady, signal, log }: PodContext,
  decide: (path: string, request: AdmissionRequest) => Promise<Verdict>,
): Promise<void> {
  const cert = readFile('/serving-certs/tls.crt');
  const key = readFile('/serving-certs/tls.key');
  if (!cert || !key) throw new Error('open /serving-certs/tls.crt: no such file or directory');
  serve(9443, { cert, key }, (request, response) => {
    answer(request, response, decide).catch((error: Error) => {
      log(error.stack ?? error.message);
      response.writeHead(500).end();
    });
  });
  setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  decide: (path: string, request: AdmissionRequest) => Promise<Verdict>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const review = JSON.parse(Buffer.concat(chunks).toString()) as { request: AdmissionRequest };
  const path = new URL(incoming.url ?? '/', 'https://webhook').pathname;
  const { allowed, status, patch } = await decide(path, review.request);
  const encoded = patch?.length
    ? { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
    : {};
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: review.request.uid, allowed, ...(status && { status }), ...encoded },
    }),
  );
}

async function mutate({ operation, object, oldObject }: AdmissionRequest): Promise<Verdict> {
  const patch: object[] = [];
  const { labels } = object.metadata;
  if (!labels) patch.push({ op: 'add', path: '/metadata/labels', value: { [clusterSetLabel]: 'default' } });
  else if (!labels[clusterSetLabel]) {
    patch.push({ op: 'add', path: `/metadata/labels/${clusterSetLabel.replace('/', '~1')}`, value: 'default' });
  }
  for (const [index, taint] of (object.spec.taints ?? []).entries()) {
    const before = oldObject?.spec.taints?.find(({ key, effect }) => key === taint.key && effect === taint.effect);
    if (operation === 'UPDATE' && taint.timeAdded && taint.timeAdded !== before?.timeAdded) {
      return refuse(400, 'BadRequest', `It is not allowed to set TimeAdded of Taint ${JSON.stringify(taint.key)}.`);
    }
    if (!taint.timeAdded)
      patch.push({ op: 'add', path: `/spec/taints/${index}/timeAdded`, value: before?.timeAdded ?? now() });
  }
  return { allowed: true, patch };
}

async function validate(api: Api, request: AdmissionRequest): Promise<Verdict> {
  const { object, oldObject } = request;
  for (const { url } of object.spec.managedClusterClientConfigs ?? []) {
    if (!url.startsWith('https://'))
      return refuse(400, 'BadRequest', `url ${JSON.stringify(url)} is invalid in client configs`);
  }
  const name = object.metadata.name;
  // As coded in the real one, a wrong name passes where there are no client configs.
  if (object.spec.managedClusterClientConfigs?.length && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
    return refuse(400, 'BadRequest', `metadata.name format is not correct: ${name}`);
  }
  if (object.spec.hubAcceptsClient && !oldObject?.spec.hubAcceptsClient) {
    const refusal = await refuseAcceptance(api, request, name);
    if (refusal) return refusal;
  }
  const [before, after] = [oldObject?.metadata.labels?.[clusterSetLabel], object.metadata.labels?.[clusterSetLabel]];
  for (const set of before === after ? [] : [before, after]) {
    if (!set) continue;
    const mayJoin = await isAllowed(
      api,
      request,
      'cluster.open-cluster-management.io',
      'managedclustersets',
      'join',
      'create',
      set,
    );
    if (!mayJoin) {
      const { username } = request.userInfo;
      return refuse(
        403,
        'Forbidden',
        `user ${JSON.stringify(username)} cannot add/remove a ManagedCluster to/from ManagedClusterSet ${JSON.stringify(set)}`,
      );
    }
  }
  return { allowed: true };
}

async function refuseAcceptance(api: Api, request: AdmissionRequest, name: string): Promise<Verdict | undefined> {
  const namespace = await api.find<Namespace>(namespaces, name);
  const forbidden = (why: string) =>
    refuse(403, 'Forbidden', `managedclusters.register.open-cluster-management.io "accept" is forbidden: ${why}`);
  if (namespace?.status?.phase === 'Terminating')
    return forbidden(`cluster namespace ${JSON.stringify(name)} is terminating`);
  const mayAccept = await isAllowed(
    api,
    request,
    'register.open-cluster-management.io',
    'managedclusters',
    'accept',
    'update',
    name,
  );
  if (mayAccept) return undefined;
  return forbidden(`user ${JSON.stringify(request.userInfo.username)} cannot update the HubAcceptsClient field`);
}

async function isAllowed(
  api: Api,
  { userInfo }: AdmissionRequest,
  group: string,
  resource: string,
  subresource: string,
  verb: string,
  name: string,
): Promise<boolean> {
  const { username: user, groups, uid, extra } = userInfo;
  const resourceAttributes = { group, resource, subresource, verb, name };
  const path = `/apis/${subjectAccessReviews.apiVersion}/${subjectAccessReviews.plural}`;
  const review = await api.send<{ status: { allowed: boolean } }>('POST', path, {
    spec: { user, groups, uid, extra, resourceAttributes },
  });
  return review.status.allowed;
}

function refuse(code: number, reason: string, message: string): Verdict {
  return { allowed: false, status: { code, reason, message } };
}

import { randomUUID } from 'node:crypto';
import type { ListOptions } from '../kube/api.ts';
import type { DiscoveredResource } from '../kube/discovery.ts';
import { ApiError } from '../kube/errors.ts';
import type { AnyObject, KubeObject } from '../kube/objects.ts';
import { selfSubjectAccessReviews } from '../kube/resources.ts';
import { type Selects, type StubObjects, unserved } from './objects.ts';

/** Answers GET /version. */
export const version = { gitVersion: 'v1.36.3', platform: 'stub' };

const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

export interface StubRequest {
  method: string;
  /** Path and query. */
  url: string;
  contentType?: string | undefined;
  accept?: string | undefined;
  body?: unknown;
}

/** What a path addresses. */
interface Place {
  kind: DiscoveredResource;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

/** Answers a request about the objects of a cluster, with all rights. @throws ApiError */
export function answer(objects: StubObjects, request: StubRequest): unknown {
  const { pathname, searchParams } = new URL(request.url, 'https://stub');
  if (['/livez', '/readyz', '/healthz'].includes(pathname)) return 'ok';
  if (pathname === '/version') return version;
  const isAggregated = request.accept?.includes('APIGroupDiscoveryList');
  if (isAggregated && ['/api', '/apis'].includes(pathname))
    return aggregated(objects, pathname === '/api');
  if (pathname === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (pathname === '/apis') return groupsOf(objects);
  const [root = '', ...rest] = pathname.split('/').slice(1).map(decodeURIComponent);
  const apiVersion = root === 'api' ? rest.shift() : [rest.shift(), rest.shift()].join('/');
  if (apiVersion === undefined || !['api', 'apis'].includes(root)) throw unserved();
  const review = request.method === 'POST' ? reviewed(rest, request.body) : undefined;
  if (review) return review;
  if (rest.length === 0) return resourcesOf(objects, apiVersion);
  const place = placeOf(objects, apiVersion, rest);
  return place.name === undefined
    ? ofCollection(objects, place, request, searchParams)
    : ofObject(objects, place, place.name, request);
}

function placeOf(objects: StubObjects, apiVersion: string, parts: string[]): Place {
  const [first, second, third] = parts;
  const isNamespaced =
    first === 'namespaces' && third !== undefined && !['status', 'finalize'].includes(third);
  const [plural = '', name, subresource] = isNamespaced ? parts.slice(2) : parts;
  return {
    kind: objects.kindOf({ apiVersion, plural }),
    namespace: isNamespaced ? second : undefined,
    name,
    subresource,
  };
}

function ofCollection(
  objects: StubObjects,
  { kind, namespace }: Place,
  request: StubRequest,
  query: URLSearchParams,
) {
  if (request.method === 'POST') {
    const { metadata, ...rest } = request.body as AnyObject;
    return objects.create(kind, {
      ...rest,
      metadata: { ...metadata, ...(namespace && { namespace }) },
    });
  }
  if (request.method !== 'GET') throw notAllowed();
  const options = {
    ...(namespace && { namespace }),
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
  };
  const metadata = { resourceVersion: objects.version };
  const items = objects.list(kind, selectorOf(options));
  return { apiVersion: kind.apiVersion, kind: `${kind.kind}List`, metadata, items };
}

function ofObject(
  objects: StubObjects,
  place: Place,
  name: string,
  { method, body, contentType, url }: StubRequest,
) {
  const { kind, namespace, subresource } = place;
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  if (subresource === 'token') return { status: { token: 'stub', expirationTimestamp: null } };
  if (subresource !== undefined && subresource !== 'status') throw unserved();
  const change = (next: KubeObject) =>
    objects.update(kind, merged(objects.get(kind, key), next, subresource));
  switch (method) {
    case 'GET':
      return objects.get(kind, key);
    case 'DELETE':
      return objects.delete(kind, key, (body ?? {}) as object);
    case 'PUT':
      return change(body as KubeObject);
    case 'PATCH': {
      const isApply = contentType === 'application/apply-patch+yaml';
      if (!isApply && contentType !== 'application/merge-patch+json')
        throw new ApiError(
          415,
          'UnsupportedMediaType',
          `the stub does not patch by ${contentType} at ${url}`,
        );
      const present = objects.find(kind, key);
      if (present) return change(patched(present, body) as KubeObject);
      if (!isApply) return objects.get(kind, key);
      const { metadata, ...rest } = body as AnyObject;
      return objects.create(kind, {
        ...rest,
        metadata: { ...metadata, ...(namespace && { namespace }) },
      });
    }
    default:
      throw notAllowed();
  }
}

/** A request to the status subresource writes only the status; all other requests ignore the status. */
function merged(present: AnyObject, next: KubeObject, subresource: string | undefined): AnyObject {
  const { status, ...rest } = next as AnyObject;
  if (subresource === undefined)
    return { ...rest, ...('status' in present && { status: present.status }) };
  const { uid, resourceVersion } = next.metadata;
  const metadata = {
    ...present.metadata,
    ...(uid && { uid }),
    ...(resourceVersion && { resourceVersion }),
  };
  return { ...present, metadata, ...(status !== undefined && { status }) };
}

/** JSON merge patch (RFC 7386). Also used for server-side apply, without managed fields. */
function patched(present: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const fields = new Map(Object.entries(isRecord(present) ? present : {}));
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) fields.delete(field);
    else fields.set(field, patched(fields.get(field), value));
  }
  return Object.fromEntries(fields);
}

/** The selectors in use here: the labels `a=b`, `a in (b,c)`, `a`, `!a`, and the field `metadata.name`. */
export function selectorOf({
  namespace,
  labelSelector = '',
  fieldSelector = '',
}: ListOptions): Selects {
  const labels = labelSelector.split(/,(?![^(]*\))/).filter(Boolean);
  const [, name] = /^metadata\.name=(.+)$/.exec(fieldSelector) ?? [];
  if (fieldSelector && name === undefined)
    throw new ApiError(400, 'BadRequest', `unknown field selector ${fieldSelector}`);
  return ({ metadata }) =>
    (namespace === undefined || metadata.namespace === namespace) &&
    (name === undefined || metadata.name === name) &&
    labels.every((part) => fulfils(metadata.labels ?? {}, part));
}

function fulfils(labels: Record<string, string>, part: string): boolean {
  const [, key = '', values = ''] = /^(\S+) in \((.*)\)$/.exec(part) ?? [];
  if (key) return values.split(',').includes(labels[key] ?? '');
  const [label = '', value] = part.split(/==?/);
  if (value !== undefined) return labels[label] === value;
  return label.startsWith('!') ? labels[label.slice(1)] === undefined : labels[label] !== undefined;
}

function reviewed([plural]: string[], body: unknown): object | undefined {
  if (plural === selfSubjectAccessReviews.plural)
    return { ...(body as object), status: { allowed: true } };
  if (plural !== 'selfsubjectreviews') return undefined;
  return {
    ...(body as object),
    status: { userInfo: { username: 'stub-admin', uid: randomUUID(), groups: ['system:masters'] } },
  };
}

function groupsOf({ kinds }: StubObjects): object {
  const versions = [...new Set(kinds.map(({ apiVersion }) => apiVersion))].filter((each) =>
    each.includes('/'),
  );
  const groups = versions.map((groupVersion) => {
    const preferredVersion = { groupVersion, version: groupVersion.split('/')[1] };
    return { name: groupVersion.split('/')[0], versions: [preferredVersion], preferredVersion };
  });
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

/** apidiscovery.k8s.io/v2: all kinds of the core API, or of the others. */
function aggregated({ kinds }: StubObjects, ofCore: boolean): object {
  const versions = Map.groupBy(
    kinds.filter(({ apiVersion }) => ofCore !== apiVersion.includes('/')),
    ({ apiVersion }) => apiVersion,
  );
  const items = [...versions].map(([apiVersion, own]) => {
    const [name, version] = ofCore ? ['', apiVersion] : apiVersion.split('/');
    const resources = own.map(({ plural, kind, namespaced }) => ({
      ...{
        resource: plural,
        responseKind: { kind },
        scope: namespaced ? 'Namespaced' : 'Cluster',
        verbs,
      },
    }));
    return { metadata: { name }, versions: [{ version, freshness: 'Current', resources }] };
  });
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items };
}

function resourcesOf({ kinds }: StubObjects, groupVersion: string): object {
  const own = kinds.filter(({ apiVersion }) => apiVersion === groupVersion);
  if (own.length === 0) throw unserved();
  const resources = own.map(({ plural, kind, namespaced }) => ({
    name: plural,
    kind,
    namespaced,
    verbs,
  }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

const notAllowed = () =>
  new ApiError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
  );

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The body of an error response of an API server. */
export function statusOf({ status: code, reason, message }: ApiError): unknown {
  if (reason === '') return message;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code,
    reason,
    message,
  };
}

import { X509Certificate } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { ClientRequest } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { Readable } from 'node:stream';
import {
  groupOf,
  type KubeObject,
  type Resource,
  resources,
} from '../../../src/lib/kube/client/objects.ts';
import { identity } from './fake-server.ts';

/** An object of a cluster. */
export interface Held {
  cluster: string;
  resource: Resource;
  object: KubeObject & Record<string, unknown>;
}

/** A request about an object or, without a name, a list. */
export interface Asked extends Pick<Held, 'cluster' | 'resource'> {
  method: string;
  namespace: string | undefined;
  name: string | undefined;
  query: Record<string, string>;
}

export interface Answer {
  status?: number;
  body?: object | string;
}

/** Answers in place of a cluster; undefined leaves a request to it. */
export type Fault = (asked: Asked, healthy: () => Answer) => Answer | undefined;

/** A kind of workloads. */
export const widgets: Resource = {
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
};
/** A server has one kind of ConfigMaps. */
const known = [
  ...Object.values(resources).filter((each) => each !== resources.propertyConfigMaps),
  widgets,
];

/** Kinds that every API server has, and does not cease to serve. */
export const isBuiltIn = ({ apiVersion }: Resource) =>
  /^$|^apps$|^batch$|^(rbac\.authorization|apiextensions|certificates|coordination)\.k8s\.io$/.test(
    groupOf(apiVersion),
  );
const groupResource = ({ apiVersion, plural }: Resource) =>
  [plural, groupOf(apiVersion)].filter(Boolean).join('.');

/** `CLUSTER PLURAL.GROUP`. */
export const kindOf = ({ cluster, resource }: Pick<Held, 'cluster' | 'resource'>) =>
  `${cluster} ${groupResource(resource)}`;

/** `CLUSTER PLURAL.GROUP [NAMESPACE/]NAME`. */
const idOf = (held: Held) => {
  const { namespace, name } = held.object.metadata;
  return `${kindOf(held)} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
};

export const failing = (code: number): Answer => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message: `status ${code}` },
});

/**
 * API servers of several clusters in memory, in place of node:https, because thousands of connections take minutes. They serve the
 * built-in kinds of `resources`, and those of their CustomResourceDefinitions.
 */
export class FakeClusters {
  held = new Map<string, Held>();
  fault: Fault | undefined;
  heard: (asked: Asked) => void = () => {};
  /** Whether a cluster has issued an agent's certificate. */
  hasIssued: (cluster: string, commonName: string) => boolean = () => false;
  /** What controllers do once an object is deleted or changed. */
  react: (event: 'deleted' | 'changed', held: Held, orphan: boolean) => void = () => {};

  constructor() {
    https.request = ((url: URL, { method = 'GET', agent }: RequestOptions) => {
      const end = (text = '{}') =>
        setImmediate(() => {
          const { status = 200, body = {} } = this.#answer(
            method,
            url,
            JSON.parse(text),
            agent as https.Agent,
          );
          sent.emit('socket', { bytesRead: 0 });
          const answer = Readable.from([
            Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
          ]);
          sent.emit('response', Object.assign(answer, { statusCode: status, headers: {} }));
        });
      const sent = Object.assign(new EventEmitter(), { end, path: url.pathname, destroy() {} });
      return sent as unknown as ClientRequest;
    }) as typeof https.request;
  }

  /** A kubeconfig whose contexts are these, each of one cluster. */
  kubeconfig(
    contexts: Record<string, string>,
    more: (context: string) => object = () => ({}),
  ): string {
    const authority = {
      'certificate-authority-data': Buffer.from(identity.cert).toString('base64'),
    };
    const all = Object.entries(contexts);
    const cluster = (of: string) => ({ server: `https://127.0.0.1:6443/${of}`, ...authority });
    return JSON.stringify({
      clusters: all.map(([name, of]) => ({ name, cluster: cluster(of) })),
      users: all.map(([name]) => ({ name, user: { token: 'admin' } })),
      contexts: all.map(([name]) => ({
        name,
        context: { cluster: name, user: name, ...more(name) },
      })),
    });
  }

  put(cluster: string, resource: Resource, object: object): void {
    const { apiVersion, kind } = resource;
    const given = (object as KubeObject).metadata;
    const metadata = {
      uid: `${cluster} ${kind} ${given.name}`,
      resourceVersion: '1',
      generation: 1,
      ...given,
    };
    const held: Held = { cluster, resource, object: { ...object, apiVersion, kind, metadata } };
    this.held.set(idOf(held), held);
  }

  in(cluster: string, resource?: Resource): Held[] {
    const isIn = (held: Held) =>
      held.cluster === cluster && (resource === undefined || held.resource === resource);
    return [...this.held.values()].filter(isIn);
  }

  /** Deletes an object, or marks it as being deleted while it has finalizers. */
  remove(held: Held, orphan = false): void {
    const { metadata } = held.object;
    const isBlocked = (metadata.finalizers ?? []).length > 0;
    if (isBlocked) metadata.deletionTimestamp ??= new Date().toISOString();
    else if (!this.held.delete(idOf(held))) return;
    this.react(isBlocked ? 'changed' : 'deleted', held, orphan);
  }

  #serves(cluster: string, kind: Resource): boolean {
    const { customResourceDefinitions: definitions } = resources;
    return (
      isBuiltIn(kind) ||
      this.held.has(`${kindOf({ cluster, resource: definitions })} ${groupResource(kind)}`)
    );
  }

  #answer(method: string, url: URL, body: object, agent: https.Agent): Answer {
    const [, cluster = '', rest = ''] = /^\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [];
    if (/^\/apis?$/.test(rest))
      return { body: { items: this.#discovery(cluster, rest === '/api') } };
    if (rest.endsWith('accessreviews')) return { body: { ...body, status: { allowed: true } } };
    if (rest.endsWith('/selfsubjectreviews')) {
      const { cert } = agent.options;
      const username = cert && /^CN=(.*)$/m.exec(new X509Certificate(String(cert)).subject)?.[1];
      if (username && !this.hasIssued(cluster, username)) return failing(401);
      return { body: { status: { userInfo: { username } } } };
    }
    const [, apiVersion, namespace, plural, name] =
      /^\/apis?\/((?:[^/]+\/)?v[^/]+)(?:\/namespaces\/([^/]+)(?=\/))?(?:\/([^/]+))?(?:\/([^/]+))?/.exec(
        decodeURIComponent(rest),
      ) ?? [];
    const served = known.filter(
      (each) => each.apiVersion === apiVersion && this.#serves(cluster, each),
    );
    const resource = served.find((each) => each.plural === plural);
    if (plural === undefined && served.length > 0)
      return { body: { resources: served.map((each) => ({ name: each.plural })) } };
    if (resource === undefined) return failing(404);
    const asked = {
      method,
      cluster,
      resource,
      namespace,
      name,
      query: Object.fromEntries(url.searchParams),
    };
    this.heard(asked);
    const healthy = () => this.#healthy(asked, body);
    return this.fault?.(asked, healthy) ?? healthy();
  }

  #healthy({ method, cluster, resource, namespace, name, query }: Asked, body: object): Answer {
    const found = this.in(cluster, resource).filter(
      ({ object: { metadata } }) =>
        (namespace === undefined || metadata.namespace === namespace) &&
        (name === undefined || metadata.name === name) &&
        selects(query.labelSelector, metadata.labels),
    );
    if (method === 'POST') {
      this.put(cluster, resource, body);
      return {
        status: 201,
        body:
          this.held.get(idOf({ cluster, resource, object: body as Held['object'] }))?.object ?? {},
      };
    }
    if (name === undefined) return { body: { items: found.map(({ object }) => object) } };
    const [held] = found;
    if (held === undefined) return failing(404);
    if (method === 'GET') return { body: held.object };
    const {
      metadata: guards,
      preconditions = guards,
      propagationPolicy,
    } = body as Record<string, never>;
    for (const guard of ['uid', 'resourceVersion'] as const)
      if (![undefined, held.object.metadata[guard]].includes(preconditions?.[guard]))
        return failing(409);
    if (method === 'DELETE') this.remove(held, propagationPolicy === 'Orphan');
    else this.#patch(held, body);
    return { body: held.object };
  }

  #patch(held: Held, patch: object): void {
    const object = merged(held.object, patch) as Held['object'];
    const { generation = 1, resourceVersion, deletionTimestamp, finalizers } = object.metadata;
    Object.assign(object.metadata, {
      generation: generation + 1,
      resourceVersion: `${Number(resourceVersion) + 1}`,
    });
    held.object = object;
    if (deletionTimestamp === undefined) this.react('changed', held, false);
    else if (!finalizers?.length) this.remove(held);
  }

  /** Kinds without objects are left out, unless they are defined by the cluster: each would cost a request. */
  #discovery(cluster: string, isCore: boolean): object[] {
    const isUsed = (kind: Resource) =>
      this.#serves(cluster, kind) && (!isBuiltIn(kind) || this.in(cluster, kind)[0]);
    const own = known.filter(
      (kind) => (groupOf(kind.apiVersion) === '') === isCore && isUsed(kind),
    );
    const verbs = ['get', 'list', 'watch', 'delete'];
    return own.map(({ apiVersion, plural, kind, namespaced }) => {
      const scope = namespaced ? 'Namespaced' : 'Cluster';
      const served = [{ resource: plural, responseKind: { kind }, scope, verbs }];
      return {
        metadata: { name: groupOf(apiVersion) },
        versions: [{ version: apiVersion.split('/').at(-1), resources: served }],
      };
    });
  }
}

/** Selects like a server, by `a`, `!a` and `a=b`. */
function selects(selector = '', labels: Record<string, string> = {}) {
  const terms = selector.split(/,(?![^(]*\))/).filter(Boolean);
  return terms.every((term) => {
    const [, key = term, many] = /^(\S+) in \((.*)\)$/.exec(term) ?? [];
    if (many !== undefined) return many.split(',').includes(labels[key] ?? '');
    const [name = '', value = labels[name]] = term.split('=');
    return name.startsWith('!')
      ? !(name.slice(1) in labels)
      : name in labels && labels[name] === value;
  });
}

/** RFC 7386. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const all: Record<string, unknown> = { ...(target as object) };
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete all[key];
    else all[key] = merged(all[key], value);
  return all;
}

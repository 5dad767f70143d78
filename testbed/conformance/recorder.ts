import { keyOf } from '../kube/api.ts';
import { Informer } from '../kube/informer.ts';
import type { CertificateSigningRequest, Condition, Klusterlet, KubeObject, ManagedCluster } from '../kube/objects.ts';
import {
  certificateSigningRequests,
  klusterlets,
  managedClusters,
  namespaces,
  type Resource,
  secrets,
} from '../kube/resources.ts';
import { agentNamespace, clusterNameLabel } from '../ocm/names.ts';
import type { Plane } from '../plane/plane.ts';

/** The observations of one registration: every different state of each object, in order. */
export interface Observed {
  klusterlet: Record<string, Condition[]>;
  managedCluster: (string[] | undefined)[];
  request: string[];
  secrets: string[][];
  hasMailbox: boolean;
}

/** Watches a registration on both planes, to miss no state, however short. */
export class Recorder {
  readonly observed: Observed = {
    klusterlet: {},
    managedCluster: [undefined],
    request: [],
    secrets: [],
    hasMailbox: false,
  };
  readonly #stopping = new AbortController();

  constructor(hub: Plane, wec: Plane, cluster: string) {
    const { observed } = this;
    this.#watch<Klusterlet>(wec, klusterlets, {}, ([klusterlet]) => {
      for (const condition of klusterlet?.status?.conditions ?? []) {
        observed.klusterlet[condition.type] ??= [];
        add(observed.klusterlet[condition.type] ?? [], condition, ({ status, reason, message }) => ({
          status,
          reason,
          message,
        }));
      }
    });
    const named = { fieldSelector: `metadata.name=${cluster}` };
    this.#watch<ManagedCluster>(hub, managedClusters, named, ([found]) => {
      const conditions = found?.status?.conditions ?? [];
      add(observed.managedCluster, found && conditions.map(({ reason }) => reason));
    });
    const labelled = { labelSelector: `${clusterNameLabel}=${cluster}` };
    this.#watch<CertificateSigningRequest>(hub, certificateSigningRequests, labelled, ([request]) => {
      if (!request) return;
      const types = request.status?.conditions?.map(({ type }) => type).join() ?? '';
      add(observed.request, types + (request.status?.certificate ? ' issued' : ''));
    });
    this.#watch<KubeObject>(wec, secrets, { namespace: agentNamespace }, (found) => {
      if (found.length > 0) add(observed.secrets, found.map(({ metadata }) => metadata.name).sort());
    });
    this.#watch<KubeObject>(hub, namespaces, named, ([found]) => {
      observed.hasMailbox = found !== undefined;
    });
  }

  stop(): void {
    this.#stopping.abort();
  }

  #watch<T extends KubeObject>(
    { admin }: Plane,
    resource: Resource,
    options: object,
    onState: (objects: T[]) => void,
  ): void {
    const present = new Map<string, T>();
    const onChange = (object: T, change: string) => {
      if (change === 'deleted') present.delete(keyOf(object));
      else present.set(keyOf(object), object);
      onState([...present.values()]);
    };
    // The kind may not be served yet.
    new Informer<T>(admin, resource, { ...options, onChange, pauses: { first: 20, last: 20 } }, this.#stopping.signal);
  }
}

/** Adds a state if it differs from the last one. */
function add<T>(states: T[], state: T, what: (state: T) => unknown = (same) => same): void {
  const last = states.length > 0 ? JSON.stringify(what(states.at(-1) as T)) : '';
  if (states.length === 0 || last !== JSON.stringify(what(state))) states.push(state);
}

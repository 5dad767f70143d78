import type { Api } from '../kube/api.ts';
import { keyOf } from '../kube/api.ts';
import { ApiError, ConnectionError } from '../kube/errors.ts';
import type { ConfigMap, KubeObject, OwnerReference } from '../kube/objects.ts';
import { configMaps, controlPlanes, type Resource, resourceOf } from '../kube/resources.ts';
import { setCondition } from './conditions.ts';
import { configName, namespaceOf, systemNamespace } from './names.ts';
import type { ControlPlane } from './objects.ts';

/** The contents of `kubeflex-system/kubeflex-config`. */
export interface KubeFlexConfig {
  domain: string;
  externalPort: number;
  hostContainer: string;
}

/** A control plane while it is reconciled, with its objects on the hosting cluster. */
export class Reconciled {
  readonly api: Api;
  #controlPlane: ControlPlane;

  constructor(api: Api, controlPlane: ControlPlane) {
    this.api = api;
    this.#controlPlane = controlPlane;
  }

  get controlPlane(): ControlPlane {
    return this.#controlPlane;
  }

  get name(): string {
    return this.#controlPlane.metadata.name;
  }

  get namespace(): string {
    return namespaceOf(this.name);
  }

  /** Writes metadata; other prepared changes of the status remain unwritten. */
  async updateMetadata(metadata: Partial<ControlPlane['metadata']>): Promise<void> {
    const { status } = this.#controlPlane;
    const wanted = { ...this.#controlPlane, metadata: { ...this.#controlPlane.metadata, ...metadata } };
    const written = await this.api.update<ControlPlane>(controlPlanes, wanted);
    this.#controlPlane = { ...written, ...(status && { status }) };
  }

  prepareStatus(change: Partial<NonNullable<ControlPlane['status']>>): void {
    const { status = { conditions: [], observedGeneration: 0 } } = this.#controlPlane;
    this.#controlPlane = { ...this.#controlPlane, status: { ...status, ...change } };
  }

  prepareCondition(said: Parameters<typeof setCondition>[1]): void {
    this.prepareStatus(setCondition(this.#controlPlane, said) ?? {});
  }

  async writeStatus(): Promise<void> {
    this.#controlPlane = await this.api.update<ControlPlane>(controlPlanes, this.#controlPlane, 'status');
  }

  async refresh(): Promise<void> {
    this.#controlPlane = await this.api.get<ControlPlane>(controlPlanes, this.name);
  }

  /** Creates an object that is deleted with the control plane, if none of its name exists. */
  async ensure<T extends KubeObject>(wanted: T): Promise<'created' | 'present'> {
    const resource = resourceOf(wanted);
    if (await this.api.find(resource, keyOf(wanted))) return 'present';
    await this.api.create<T>(resource, this.own(wanted));
    return 'created';
  }

  /** The object with the control plane as its controller. */
  own<T extends KubeObject>(object: T): T {
    return { ...object, metadata: { ...object.metadata, ownerReferences: [ownerReference(this.#controlPlane)] } };
  }

  /** Like Api.get, but an absence is reported in the words of controller-runtime's cached client. */
  async get<T extends KubeObject>(resource: Resource, key: string): Promise<T> {
    const found = await this.api.find<T>(resource, key);
    if (!found) throw notFound(resource, key.split('/').at(-1) ?? '');
    return found;
  }

  async config(): Promise<KubeFlexConfig> {
    const { data = {} } = await this.get<ConfigMap>(configMaps, `${systemNamespace}/${configName}`);
    const { domain = '', externalPort = '', hostContainer = '' } = data;
    if (!/^\d+$/.test(externalPort)) throw new Error(`strconv.Atoi: parsing "${externalPort}": invalid syntax`);
    return { domain, externalPort: Number(externalPort), hostContainer };
  }
}

export function ownerReference({ metadata: { name, uid = '' } }: ControlPlane): OwnerReference {
  const { apiVersion, kind } = controlPlanes;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

export function notFound({ apiVersion, kind }: Resource, name: string): ApiError {
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
  return new ApiError(404, 'NotFound', `${kind}${group} "${name}" not found`);
}

/** Errors that KubeFlex treats as transient: it does not report them. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ApiError) return error.status === 429 || error.status >= 500;
  return error instanceof ConnectionError && error.message.includes('connection refused');
}

import type { Kube } from './client.ts';
import {
  type KubeObject,
  type PathOptions,
  type PlainResource,
  type Resource,
  resources,
} from './objects.ts';

declare const made: unique symbol;

/** What a write does to the objects on WECs: forecast/forecast.ts makes it. */
export interface Foreseen {
  readonly [made]: true;
}

/** A client that also writes kinds by whose writes WECs may lose workloads. */
export interface ForeseenKube extends Omit<Kube, 'create' | 'merge' | 'delete'> {
  readonly [made]: true;
  create<T>(resource: Resource, body: object, options?: PathOptions): Promise<T>;
  merge<T extends KubeObject>(
    resource: Resource,
    name: string,
    patch: object,
    options?: PathOptions,
  ): Promise<T>;
  delete(resource: Resource, object: KubeObject, options?: { orphan?: boolean }): Promise<boolean>;
}

/**
 * The same client, for what has been foreseen.
 * @param _by what the user has seen and confirmed, of the same objects
 */
export const foreseen = (kube: Kube, _by: Foreseen): ForeseenKube => writer(kube);

const writer = (kube: Kube) => kube as unknown as ForeseenKube;

/**
 * Sets an annotation of a ManagedCluster on which nothing on WECs depends, so that no forecast is needed: policies select by labels only, and a
 * key with a slash is no property, which is a Go identifier. With a resourceVersion it fails with 409 if the object has changed.
 */
export const annotateCluster = (
  kube: Kube,
  {
    name,
    uid,
    resourceVersion,
  }: { name: string; uid?: string | undefined; resourceVersion?: string | undefined },
  key: `${string}/${string}`,
  value: string,
): Promise<KubeObject> =>
  writer(kube).merge(resources.managedClusters, name, {
    metadata: { uid, resourceVersion, annotations: { [key]: value } },
  });

/** A client that may write a kind. */
export type WriterOf<Kind extends Resource> = [Kind] extends [PlainResource] ? Kube : ForeseenKube;

/** For functions that write any kind: whoever calls them has shown that the client may. */
export const anyWriter = <Kind extends Resource>(kube: WriterOf<Kind>): ForeseenKube =>
  kube as ForeseenKube;

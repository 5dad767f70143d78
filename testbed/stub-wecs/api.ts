import { Api, type ListOptions, type WatchEvent } from '../kube/api.ts';
import { ConnectionError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Resource } from '../kube/resources.ts';
import type { StubObjects } from './objects.ts';
import { answer, selectorOf } from './requests.ts';

/** An in-process client of a stub for the programs in its pods: requests use no network. */
export class StubApi extends Api {
  readonly #objects: StubObjects;
  readonly #closed = new AbortController();

  constructor(objects: StubObjects) {
    super({ server: 'https://kubernetes.default.svc' });
    this.#objects = objects;
  }

  override async send<T>(
    method: string,
    url: string,
    body?: unknown,
    contentType?: string,
  ): Promise<T> {
    if (this.#closed.signal.aborted) throw new ConnectionError('the client is closed');
    return structuredClone(answer(this.#objects, { method, url, body, contentType })) as T;
  }

  override async *watch<T extends KubeObject>(
    resource: Resource,
    options: ListOptions & { resourceVersion: string },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const until = AbortSignal.any([signal, this.#closed.signal]);
    const kind = this.#objects.kindOf(resource);
    yield* this.#objects.watch(
      kind,
      options.resourceVersion,
      selectorOf(options),
      until,
    ) as AsyncGenerator<WatchEvent<T>>;
  }

  override close(): void {
    this.#closed.abort();
    super.close();
  }
}

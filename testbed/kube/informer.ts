import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, keyOf, type ListOptions } from './api.ts';
import { ApiError } from './errors.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';

/** The pause between attempts, in milliseconds: short, because a stopped API server returns within seconds. */
const pause = 500;

export interface InformerOptions<T> extends ListOptions {
  /** Called for every object that appeared, changed or was deleted. */
  onChange?: (object: T, change: 'added' | 'changed' | 'deleted') => void;
  onError?: (error: Error) => void;
}

/** A list of objects kept current by a watch, through restarts of the API server and errors, until the signal. */
export class Informer<T extends KubeObject> {
  readonly items = new Map<string, T>();
  /** Resolves after the first list. */
  readonly synced: Promise<void>;
  readonly #api: Api;
  readonly #resource: Resource;
  readonly #options: InformerOptions<T>;
  readonly #signal: AbortSignal;
  #markSynced: () => void = () => {};

  constructor(api: Api, resource: Resource, options: InformerOptions<T>, signal: AbortSignal) {
    this.#api = api;
    this.#resource = resource;
    this.#options = options;
    this.#signal = signal;
    this.synced = new Promise((resolve) => {
      this.#markSynced = resolve;
    });
    void this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await this.#listAndWatch();
      } catch (error) {
        if (this.#signal.aborted) return;
        this.#options.onError?.(error as Error);
        await sleep(pause, undefined, { signal: this.#signal }).catch(() => {});
      }
    }
  }

  async #listAndWatch(): Promise<void> {
    const { items, metadata } = await this.#api.list<T>(this.#resource, this.#options);
    if (this.#signal.aborted) return;
    const listed = new Set(items.map(keyOf));
    for (const [key, gone] of this.items) if (!listed.has(key)) this.#remove(key, gone);
    for (const object of items) this.#put(object);
    this.#markSynced();
    let { resourceVersion } = metadata;
    while (!this.#signal.aborted) {
      for await (const { type, object } of this.#api.watch<T>(
        this.#resource,
        { ...this.#options, resourceVersion },
        this.#signal,
      )) {
        if (type === 'ERROR') return await this.#afterWatchError(object);
        resourceVersion = object.metadata.resourceVersion ?? resourceVersion;
        if (type === 'DELETED') this.#remove(keyOf(object), object);
        else if (type !== 'BOOKMARK') this.#put(object);
      }
    }
  }

  /** A watch that is too old ends with 410: list again at once. Anything else is a failure. */
  async #afterWatchError(status: unknown): Promise<void> {
    const {
      code = 0,
      reason = '',
      message = '',
    } = status as { code?: number; reason?: string; message?: string };
    if (code !== 410) throw new ApiError(code, reason, message);
  }

  #put(object: T): void {
    const key = keyOf(object);
    const before = this.items.get(key);
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.items.set(key, object);
    this.#options.onChange?.(object, before ? 'changed' : 'added');
  }

  #remove(key: string, object: T): void {
    this.items.delete(key);
    this.#options.onChange?.(object, 'deleted');
  }
}

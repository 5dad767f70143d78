import { Deadline } from '../../../src/lib/core/deadline.ts';
import type { Run } from '../../../src/lib/core/run.ts';
import { connect, type Kube } from '../../../src/lib/kube/client/client.ts';
import type { KubeObject, Lease } from '../../../src/lib/kube/client/objects.ts';
import { recordingProgress } from './builders.ts';
import { FakeServer, type ReceivedRequest } from './fake-server.ts';

export const leasePath = '/apis/coordination.k8s.io/v1/namespaces/default/leases/stellarctl';

/** A hosting cluster as an API server: it keeps the objects that are written to it, and allows everything. */
export class LeaseCluster {
  readonly objects = new Map<string, KubeObject>();
  readonly writes: string[] = [];
  /** How much later its clock is, in milliseconds. */
  aheadMs = 0;
  /** Called before a write is answered. */
  beforeWrite = (_: string): void => undefined;
  readonly #server: FakeServer;
  #uids = 0;

  private constructor(start: (cluster: LeaseCluster) => FakeServer) {
    this.#server = start(this);
  }

  static async start(): Promise<LeaseCluster> {
    let cluster: LeaseCluster | undefined;
    const server = await FakeServer.start((request) => ({
      ...cluster?.answer(request),
      headers: { date: new Date(Date.now() + (cluster?.aheadMs ?? 0)).toUTCString() },
    }));
    cluster = new LeaseCluster(() => server);
    return cluster;
  }

  get lease(): Lease | undefined {
    return this.objects.get(leasePath);
  }

  /** Puts an object there, with a new UID. */
  put<T extends KubeObject>(path: string, object: T): T {
    this.#uids += 1;
    const stored = { ...object, metadata: { uid: `uid-${this.#uids}`, ...object.metadata } };
    this.objects.set(path, stored);
    return stored;
  }

  answer({ method, path, body }: ReceivedRequest): { status?: number; body: object } {
    if (path.endsWith('/selfsubjectaccessreviews')) return { body: { status: { allowed: true } } };
    const present = this.objects.get(path);
    if (method !== 'GET') {
      this.writes.push(`${method} ${path.split('/').at(-1)}`);
      this.beforeWrite(method);
    }
    const object = (body ?? {}) as KubeObject & { preconditions?: { uid?: string } };
    if (method === 'POST') {
      const own = `${path}/${object.metadata.name}`;
      return this.objects.has(own)
        ? { status: 409, body: {} }
        : { status: 201, body: this.put(own, object) };
    }
    if (present === undefined) return { status: 404, body: {} };
    const uid = object.preconditions?.uid ?? object.metadata?.uid ?? present.metadata.uid;
    if (method !== 'GET' && uid !== present.metadata.uid) return { status: 409, body: {} };
    if (method === 'DELETE') this.objects.delete(path);
    if (method !== 'PATCH') return { body: present };
    const annotations = { ...present.metadata.annotations, ...object.metadata.annotations };
    const patched = { ...present, metadata: { ...present.metadata, annotations } };
    this.objects.set(path, patched);
    return { body: patched };
  }

  context() {
    return this.#server.context();
  }

  /** A client and the limits of one run. */
  run(timeoutMs = 10_000): {
    kube: Kube;
    run: Run & { progress: ReturnType<typeof recordingProgress> };
    stop: () => void;
  } {
    const interrupt = new AbortController();
    const run = {
      progress: recordingProgress(),
      deadline: new Deadline(timeoutMs),
      signal: interrupt.signal,
    };
    return { kube: connect(this.context(), run), run, stop: () => interrupt.abort() };
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

import { join } from 'node:path';
import type { Api } from '../kube/api.ts';
import type { Namespace, Pod } from '../kube/objects.ts';
import { namespaces } from '../kube/resources.ts';
import { Plane, type PlaneInfo } from '../plane/plane.ts';

export interface NestedPlaneOptions {
  /** Its name in the bed, unique within its hosting plane. */
  name: string;
  /** The port of the pod on which it serves. */
  port: number;
  /** Further names that its certificate is valid for. */
  hosts?: string[];
}

/** Where the pod runs that has a nested plane: the name of its plane, the client and the name of its node. */
interface HostingNode {
  plane: string;
  kubelet: Api;
  nodeName: string;
}

/** Runs the pods of a nested plane, until the signal. */
type RunPods = (plane: PlaneInfo, signal: AbortSignal) => void;

interface Entry {
  plane: Plane;
  /** The pod that runs it: of a Deployment that is rolled out, the new one. */
  user?: AbortSignal;
  namespaceUid: string | undefined;
}

/**
 * Control planes that run in pods, as processes of the pod runner. A plane that restarts in a pod of the same namespace
 * keeps its data; a plane in a recreated namespace starts empty.
 */
export class NestedPlanes {
  readonly #dir: string;
  readonly #binary: string;
  readonly #runPods: RunPods;
  readonly #networkOf: (id: string) => string;
  readonly #entries = new Map<string, Entry>();
  /** By plane: the latest start or stop. Starts and stops of one plane never overlap. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #count = 0;

  constructor(dir: string, binary: string, runPods: RunPods, networkOf: (id: string) => string) {
    this.#dir = dir;
    this.#binary = binary;
    this.#runPods = runPods;
    this.#networkOf = networkOf;
  }

  /** Runs a plane until the signal. Returns it with the port of this machine on which it serves. */
  async start(
    node: HostingNode,
    pod: Pod,
    options: NestedPlaneOptions,
    signal: AbortSignal,
  ): Promise<{ plane: Plane; port: number }> {
    const id = `${node.plane}/${options.name}`;
    const { metadata } = await node.kubelet.get<Namespace>(
      namespaces,
      pod.metadata.namespace ?? '',
    );
    const plane = await this.#inTurn(id, async () => {
      const started = await this.#startOne(id, node, options, metadata.uid);
      const entry = this.#entries.get(id);
      if (entry) entry.user = signal;
      return started;
    });
    const stop = () =>
      this.#inTurn(id, async () => {
        if (this.#entries.get(id)?.user === signal) await plane.stop();
      });
    signal.addEventListener('abort', () => void stop());
    const { info } = plane;
    if (signal.aborted) await stop();
    else this.#runPods({ ...info, name: id, nodeName: node.nodeName }, signal);
    return { plane, port: info.port };
  }

  /** Ends all planes with the bed. */
  async release(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ plane }) => plane.release()));
  }

  async #startOne(
    id: string,
    node: HostingNode,
    { name, hosts }: NestedPlaneOptions,
    namespaceUid: string | undefined,
  ): Promise<Plane> {
    const present = this.#entries.get(id);
    if (present && present.namespaceUid === namespaceUid) return startAgain(present.plane);
    await present?.plane.destroy();
    this.#count += 1;
    // Short: the path of a Unix socket has at most 107 characters.
    const dir = join(this.#dir, 'nested', `${node.plane}.${name}.${this.#count}`);
    const plane = await Plane.create(name, dir, this.#binary, {
      ...(hosts && { hosts }),
      network: this.#networkOf(id),
    });
    this.#entries.set(id, { plane, namespaceUid });
    return plane;
  }

  #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(work);
    this.#turns.set(
      id,
      turn.catch(() => {}),
    );
    return turn;
  }
}

async function startAgain(plane: Plane): Promise<Plane> {
  try {
    await plane.stop();
    await plane.start();
    return plane;
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

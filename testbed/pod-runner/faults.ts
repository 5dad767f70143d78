import { EventEmitter, once } from 'node:events';
import type { PodFault } from '../faults/fault.ts';
import { keyOf } from '../kube/api.ts';
import type { Pod } from '../kube/objects.ts';

/** The active faults, and their effect on a pod. */
export class Faults {
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #all: PodFault[] = [];

  set(all: PodFault[]): void {
    this.#all = all;
    this.#changes.emit('change');
  }

  /** Resolves at the next change, or when the signal says so. */
  async change(signal: AbortSignal): Promise<void> {
    await once(this.#changes, 'change', { signal }).catch(() => {});
  }

  isUnpullable(image: string): boolean {
    return this.#all.some((fault) => fault.kind === 'unpullable' && image.includes(fault.image));
  }

  /** The last output of a failing image's program. */
  lastWordsOf(image: string): string[] | undefined {
    for (const fault of this.#all) if (fault.kind === 'failing' && image.includes(fault.image)) return fault.log;
    return undefined;
  }

  isSilent(image: string): boolean {
    return this.#all.some((fault) => fault.kind === 'silent' && image.includes(fault.image));
  }

  /** What keeps the pods of a plane from a host, if anything does. */
  networkFaultOf(from: string, host: string): 'unresolvable' | 'refused' | 'swallowed' | undefined {
    for (const fault of this.#all)
      if ('host' in fault && fault.host === host && (fault.from ?? from) === from) return fault.kind;
    return undefined;
  }

  /** Whether a pod must leave its node, whose disk is full. */
  isEvicted(plane: string, pod: Pod): boolean {
    return this.#of(plane, pod).some(({ kind }) => kind === 'evicted');
  }

  /** Why a new pod finds no node, in the scheduler's words; undefined where it does. */
  unschedulable(plane: string, pod: Pod): string | undefined {
    const kinds = this.#of(plane, pod).map(({ kind }) => kind);
    if (kinds.includes('evicted'))
      return '0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
    if (kinds.includes('unschedulable'))
      return '0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';
    return undefined;
  }

  /** Whether the node of a plane is short of disk. */
  hasDiskPressure(plane: string): boolean {
    return this.#all.some((fault) => fault.kind === 'evicted' && fault.plane === plane);
  }

  /** What the faults make of a pod of one plane, as of now. */
  stateOf(plane: string, pod: Pod): 'crashing' | 'dead' | 'well' {
    const own = this.#of(plane, pod);
    if (own.some(({ kind }) => kind === 'dead')) return 'dead';
    return own.some(({ kind }) => kind === 'crashing') ? 'crashing' : 'well';
  }

  /** By how many milliseconds a pod's clock is wrong. */
  clockErrorOf(plane: string, pod: Pod): number {
    const own = this.#of(plane, pod).map((fault) => (fault.kind === 'clock-off' ? fault.seconds * 1000 : 0));
    return own.reduce((sum, error) => sum + error, 0);
  }

  #of(plane: string, pod: Pod): PodFault[] {
    return this.#all.filter((fault) => 'pod' in fault && fault.plane === plane && keyOf(pod).startsWith(fault.pod));
  }
}

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

  /** Resolves at the next change or the signal. */
  async change(signal: AbortSignal): Promise<void> {
    await once(this.#changes, 'change', { signal }).catch(() => {});
  }

  /** @param reference of an image, or of a chart without `oci://` */
  isUnpullable(reference: string): boolean {
    return this.#all.some(
      (fault) =>
        (fault.kind === 'unpullable' && reference.includes(fault.image)) ||
        (fault.kind === 'air-gap' && !reference.startsWith(`${fault.registry}/`)),
    );
  }

  /** What the program of a failing image prints before it exits. */
  lastWordsOf(image: string): string[] | undefined {
    for (const fault of this.#all)
      if (fault.kind === 'failing' && image.includes(fault.image)) return fault.log;
    return undefined;
  }

  isSilent(image: string): boolean {
    return this.#all.some((fault) => fault.kind === 'silent' && image.includes(fault.image));
  }

  /** The fault between the pods of a plane and a host, if any. */
  networkFaultOf(from: string, host: string): 'unresolvable' | 'refused' | 'swallowed' | undefined {
    for (const fault of this.#all)
      if ('host' in fault && fault.host === host && (fault.from ?? from) === from)
        return fault.kind;
    return undefined;
  }

  /** The scheduler's message for a new pod that fits on no node; undefined if it fits. */
  unschedulable(plane: string, pod: Pod): string | undefined {
    if (!this.#of(plane, pod).some(({ kind }) => kind === 'unschedulable')) return undefined;
    return '0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';
  }

  /** The current effect of the faults on a pod of one plane. */
  stateOf(plane: string, pod: Pod): 'crashing' | 'dead' | 'well' {
    const own = this.#of(plane, pod);
    if (own.some(({ kind }) => kind === 'dead')) return 'dead';
    return own.some(({ kind }) => kind === 'crashing') ? 'crashing' : 'well';
  }

  /** How many milliseconds a pod's clock is ahead; negative if it is behind. */
  clockErrorOf(plane: string, pod: Pod): number {
    const own = this.#of(plane, pod).map((fault) =>
      fault.kind === 'clock-off' ? fault.seconds * 1000 : 0,
    );
    return own.reduce((sum, error) => sum + error, 0);
  }

  #of(plane: string, pod: Pod): PodFault[] {
    return this.#all.filter(
      (fault) => 'pod' in fault && fault.plane === plane && keyOf(pod).startsWith(fault.pod),
    );
  }
}

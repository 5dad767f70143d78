import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { PodFault } from '../faults/fault.ts';
import type { PlaneInfo } from '../plane/plane.ts';
import { withoutProxies } from '../plane/processes.ts';
import type { Done, Message } from './protocol.ts';

type Told = Message extends infer M ? (M extends Message ? Omit<M, 'number'> : never) : never;

/** The owner's side of a pod runner, the process that acts as the kubelet of all planes of a bed. */
export class PodRunner {
  readonly #process: ChildProcess;
  #count = 0;

  /** @param programs the folder of its programs */
  constructor(dir: string, programs: string) {
    const log = openSync(join(dir, 'pod-runner.log'), 'a');
    this.#process = fork(join(import.meta.dirname, '..', 'kubelet', 'main.ts'), [dir, programs], {
      env: withoutProxies(process.env),
      execArgv: [],
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
  }

  addPlanes(planes: PlaneInfo[]): Promise<void> {
    return this.#tell({ type: 'add-planes', planes });
  }

  removePlane(name: string): Promise<void> {
    return this.#tell({ type: 'remove-plane', name });
  }

  /** Replaces all active faults. */
  setFaults(faults: PodFault[]): Promise<void> {
    return this.#tell({ type: 'set-faults', faults });
  }

  async #tell(what: Told): Promise<void> {
    this.#count += 1;
    const number = this.#count;
    this.#process.send({ number, ...what } satisfies Message);
    for await (const [answer] of on(this.#process, 'message'))
      if ((answer as Done).number === number) return;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
  }
}

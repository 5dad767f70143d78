import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { PodFault } from '../faults/fault.ts';
import { withoutProxies } from '../plane/child.ts';
import type { PlaneInfo } from '../plane/plane.ts';
import type { AddPlanes, FaultsSet, SetFaults } from './protocol.ts';

/** The owner's end of a pod runner: the process that plays the kubelet of all planes of a bed. */
export class PodRunner {
  readonly #process: ChildProcess;
  #faultsSet = 0;

  constructor(dir: string) {
    const log = openSync(join(dir, 'pod-runner.log'), 'a');
    this.#process = fork(join(import.meta.dirname, 'main.ts'), [dir], {
      env: withoutProxies(process.env),
      execArgv: [],
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  addPlanes(planes: PlaneInfo[]): void {
    this.#process.send({ type: 'add-planes', planes } satisfies AddPlanes);
  }

  /** Lets these faults be in force, and no others. */
  async setFaults(faults: PodFault[]): Promise<void> {
    this.#faultsSet += 1;
    const number = this.#faultsSet;
    this.#process.send({ type: 'set-faults', number, faults } satisfies SetFaults);
    for await (const [answer] of on(this.#process, 'message')) if ((answer as FaultsSet).number === number) return;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
  }
}

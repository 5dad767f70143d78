import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { withoutProxies } from '../plane/child.ts';
import type { PlaneInfo } from '../plane/plane.ts';
import type { AddPlanes } from './protocol.ts';

/** The owner's end of a pod runner: the process that plays the kubelet of all planes of a bed. */
export class PodRunner {
  readonly #process: ChildProcess;

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

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
  }
}

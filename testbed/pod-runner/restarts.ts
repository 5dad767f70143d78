import type { Pod } from '../kube/objects.ts';

/** The first restart is immediate, then 10 s doubling to 5 min, reset after 10 min of running. */
const limits = { first: 10_000, last: 300_000, forgottenAfter: 600_000 };

/** The kubelet's back-off for the restarts of one container. */
export class BackOff {
  #next = 0;

  /** How long to wait before the next restart. All times are in milliseconds. @param ran how long the container has run */
  pauseAfter(ran: number): number {
    const pause = ran > limits.forgottenAfter ? 0 : this.#next;
    this.#next = Math.min(Math.max(pause * 2, limits.first), limits.last);
    return pause;
  }
}

/** Whether a container with this exit code does not restart. An init container restarts only after a failure. */
export function isFinal(
  { restartPolicy }: Pod['spec'],
  isInit: boolean,
  exitCode: number,
): boolean {
  if (restartPolicy === 'Never') return true;
  return exitCode === 0 && (isInit || restartPolicy === 'OnFailure');
}

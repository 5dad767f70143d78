/** Sends a signal to a process, or with a negative id to a group, as kill(2) does; 0 only looks. Throws where there is none. */
export type SendSignal = (pid: number, signal: NodeJS.Signals | 0) => void;

/** A program that was started at the head of a group of its own. */
export interface GroupLeader {
  /** Undefined where it could not be started. */
  readonly pid?: number | undefined;
  /** Our ends of its streams. */
  readonly stdio: readonly ({ destroy(): unknown } | null | undefined)[];
}

/** Groups at work, with what ends each: they are out of reach of a terminal's Ctrl-C, and of the death of this process. */
const atWork = new Map<number, () => void>();

/**
 * Ends a program, with everything that it has started, when `stop` fires: a wrapper that dies by itself would leave the program that it
 * wraps at work, and with it our streams open. After `farewellMs` the group is killed, and whoever has left it is not waited for.
 * @returns what is to be called once the program has ended
 */
export function endGroupOn(
  stop: AbortSignal,
  { pid, stdio }: GroupLeader,
  { sendSignal, farewellMs }: { sendSignal: SendSignal; farewellMs: number },
): () => void {
  if (pid === undefined) return () => undefined;
  const end = (signal: NodeJS.Signals) => {
    try {
      sendSignal(-pid, signal);
    } catch {
      // Nobody is left in it.
    }
  };
  let farewell: NodeJS.Timeout | undefined;
  const ask = () => {
    end('SIGTERM');
    farewell = setTimeout(() => {
      end('SIGKILL');
      for (const stream of stdio) stream?.destroy();
    }, farewellMs);
  };
  if (stop.aborted) ask();
  else stop.addEventListener('abort', ask, { once: true });
  if (atWork.size === 0) process.once('exit', endAll);
  atWork.set(pid, () => end('SIGTERM'));
  return () => {
    stop.removeEventListener('abort', ask);
    clearTimeout(farewell);
    atWork.delete(pid);
    if (atWork.size === 0) process.off('exit', endAll);
  };
}

function endAll(): void {
  for (const end of atWork.values()) end();
}

/** Whether there is a process of this id, whosever it is. */
export function isAlive(pid: number, sendSignal: SendSignal): boolean {
  try {
    sendSignal(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

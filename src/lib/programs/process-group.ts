import { readdirSync, readFileSync } from 'node:fs';

/** Sends a signal to a process, or with a negative id to a group, as kill(2) does; 0 only looks. Throws where there is none. */
export type SendSignal = (pid: number, signal: NodeJS.Signals | 0) => void;

/** A program that was started. */
export interface Started {
  /** Undefined where it could not be started. */
  readonly pid?: number | undefined;
  /** Our ends of its streams. */
  readonly stdio: readonly ({ destroy(): unknown } | null | undefined)[];
}

/** Groups at work, with what ends each: they are out of reach of a terminal's Ctrl-C, and of the death of this process. */
const atWork = new Map<number, () => void>();

/**
 * Ends a program, with everything that it has started, when `stop` fires: a wrapper that dies by itself would leave the program that it
 * wraps at work, and with it our streams open. After `farewellMs` they are killed, and whoever has left its group is not waited for.
 * @param isGroup whether it was started at the head of a group of its own, and not in ours
 * @returns what is to be called once the program has ended
 */
export function endGroupOn(
  stop: AbortSignal,
  { pid, stdio }: Started,
  { sendSignal, farewellMs, isGroup }: { sendSignal: SendSignal; farewellMs: number; isGroup: boolean },
): () => void {
  if (pid === undefined) return () => undefined;
  const end = (signal: NodeJS.Signals) => {
    for (const each of isGroup ? [-pid] : [pid, ...startedBy(pid)])
      try {
        sendSignal(each, signal);
      } catch {
        // It has ended.
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

/** What a process has started, with what that has started: as far as the system tells, which is Linux. */
function startedBy(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const children = threads.flatMap(
      (id) => readFileSync(`/proc/${pid}/task/${id}/children`, 'utf8').match(/\d+/g) ?? [],
    );
    return children.map(Number).flatMap((child) => [child, ...startedBy(child)]);
  } catch {
    return [];
  }
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

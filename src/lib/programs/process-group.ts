import { readdirSync, readFileSync } from 'node:fs';

/**
 * Sends a signal to a process, or to a process group if the id is negative, as kill(2) does; 0 only checks. Throws if not found.
 */
export type SendSignal = (pid: number, signal: NodeJS.Signals | 0) => void;

/** A started program. */
export interface Started {
  /** Undefined if the start failed. */
  readonly pid?: number | undefined;
  /** Our ends of its streams. */
  readonly stdio: readonly ({ destroy(): unknown } | null | undefined)[];
}

/**
 * Running process groups, with the function that ends each. Neither a terminal's Ctrl-C nor the death of this process reaches them.
 */
const atWork = new Map<number, () => void>();

/**
 * Ends a program and all its child processes when `stop` fires. If only a wrapper ended, the wrapped program would keep running and
 * keep our streams open. After `terminationGraceMs` the processes are killed. Processes that have left the group are not waited for.
 * @param isGroup whether the program leads its own process group
 * @returns a function to call once the program has ended
 */
export function endGroupOn(
  stop: AbortSignal,
  { pid, stdio }: Started,
  { sendSignal, terminationGraceMs, isGroup }: { sendSignal: SendSignal; terminationGraceMs: number; isGroup: boolean },
): () => void {
  if (pid === undefined) return () => undefined;
  const end = (signal: NodeJS.Signals) => {
    for (const each of isGroup ? [-pid] : [pid, ...startedBy(pid)])
      try {
        sendSignal(each, signal);
      } catch {
        // The process has already ended.
      }
  };
  let farewell: NodeJS.Timeout | undefined;
  const ask = () => {
    end('SIGTERM');
    farewell = setTimeout(() => {
      end('SIGKILL');
      for (const stream of stdio) stream?.destroy();
    }, terminationGraceMs);
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

/** The descendants of a process; empty on systems other than Linux. */
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

/** Whether a process with this id exists, whoever owns it. */
export function isAlive(pid: number, sendSignal: SendSignal): boolean {
  try {
    sendSignal(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

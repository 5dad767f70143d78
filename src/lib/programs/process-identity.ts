import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

const read = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined);

/**
 * A process in words that mean it alone: `process 4711 started 8812345 on MACHINE BOOT`, since its id may be of another process later.
 * The start is in clock ticks since the boot (proc_pid_stat(5), field 22), and undefined of a process that has ended, also if its
 * parent has not noticed it. Only `process 4711` where nothing more can be known: on systems other than Linux, and where a user sees
 * no processes of others (a /proc that is mounted with hidepid).
 */
export async function describeProcess(pid: number): Promise<string> {
  const boot = (await read('/proc/1/stat')) && (await read('/proc/sys/kernel/random/boot_id'));
  if (boot === undefined) return `process ${pid}`;
  // Containers may have the host name of their machine.
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  const machine = `${hostname()}-${namespace.replace(/\D/g, '')}`.replace(/[^A-Za-z0-9]/g, '-');
  // The name, in parentheses, may contain anything.
  const [state, ...fields] = ((await read(`/proc/${pid}/stat`)) ?? '').replace(/^.*\) /s, '').split(' ');
  return `process ${pid} started ${state === 'Z' ? undefined : fields[18]} on ${machine} ${boot.trim()}`;
}

/** Whether the process in these words at the end of a text has certainly ended: it ran here, and there is none or a later one. */
export async function hasEnded(text: string): Promise<boolean> {
  const [words, pid, place] = /process (\d+) started \S+ on (.+)$/.exec(text) ?? [];
  const present = await describeProcess(Number(pid));
  return place !== undefined && present.endsWith(` on ${place}`) && present !== words;
}

/** The user and the machine of this process: `alice@laptop`. */
export const userAtHost = (): string => `${process.env.USER ?? process.getuid?.() ?? 'somebody'}@${hostname()}`;

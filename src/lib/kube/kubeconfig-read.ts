import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfInterrupted } from '../deadline.ts';
import { StellarError } from '../errors.ts';
import { isBeingWritten, type Waiting } from './kubeconfig-lock.ts';

/** A file that was changed within this time may be half written. */
const freshMs = 1000;
/** How long it is given to become whole. */
const writingMs = 500;
const pauseMs = 25;
/** What Node's timers can count. */
const mostMs = 2 ** 31 - 1;

/**
 * Reads a file that other programs change in place, as kubectl does a kubeconfig: while it seems to be half written it is read again, for
 * half a second. Also reads pipes, as a shell makes of `<(…)`: until the deadline, and never longer than somebody waits for it.
 *
 * @param understand makes something of the text; what it throws counts where the file is left alone, or never was whole
 * @returns undefined for a file that is not there
 * @throws StellarError `timeout` for a pipe that nobody writes to, `interrupted`; Node's errors; what `understand` throws
 */
export async function readWhole<T extends object>(
  file: string,
  waiting: Waiting,
  understand: (text: string) => T,
): Promise<T | undefined> {
  const end = Date.now() + writingMs;
  let likely: T | undefined;
  for (;;) {
    throwIfInterrupted(waiting.signal);
    const look = lookAt(file);
    if (look === undefined) return undefined;
    if ('pipe' in look) return understand(await readPipe(file, look.pipe, waiting));
    const { content, isChanging, isFresh } = look;
    const isLastLook = Date.now() >= end || !(isChanging || isFresh);
    try {
      const understood = understand(content);
      // kubectl empties the file first.
      if (content.trim() !== '') likely = understood;
      if (isLastLook || (!isChanging && likely === understood)) return likely ?? understood;
    } catch (error) {
      if (isLastLook && likely === undefined) throw error;
      if (isLastLook) return likely;
    }
    await sleep(pauseMs);
  }
}

interface Look {
  content: string;
  /** Somebody has its lock, or it has changed while it was read. */
  isChanging: boolean;
  /** It was changed a moment ago. */
  isFresh: boolean;
}

/** Never waits: neither to open a pipe, nor for somebody to type. @returns an open pipe, which is the caller's to close */
function lookAt(file: string): Look | { pipe: number } | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const before = fstatSync(descriptor);
    if (before.isFIFO()) {
      const pipe = descriptor;
      descriptor = undefined;
      return { pipe };
    }
    if (before.isDirectory()) throw new Error('it is a folder');
    if (before.isCharacterDevice() && !isNull(before)) throw new Error('it is neither a file nor a pipe');
    const content = readFileSync(descriptor, 'utf8');
    if (!before.isFile()) return { content, isChanging: false, isFresh: false };
    const after = statSync(file, { throwIfNoEntry: false });
    return {
      content,
      isChanging: isBeingWritten(file, freshMs) || after === undefined || identity(after) !== identity(before),
      isFresh: Math.abs(Date.now() - before.mtimeMs) < freshMs,
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const identity = ({ dev, ino, size, mtimeMs }: Stats): string => `${dev} ${ino} ${size} ${mtimeMs}`;

/** Whether it is what people give who want no kubeconfig. */
const isNull = ({ rdev }: Stats): boolean => rdev === statSync('/dev/null', { throwIfNoEntry: false })?.rdev;

/** As a socket, which can be given up; a file that is read keeps the process until somebody writes. */
async function readPipe(file: string, pipe: number, { deadline, signal }: Waiting): Promise<string> {
  // A timeout of 0 looks once, and once is as long as one request may take.
  const limit = AbortSignal.timeout(Math.min(deadline.remaining || deadline.requestTimeout(), mostMs));
  const socket = new Socket({ fd: pipe, readable: true, writable: false, signal: AbortSignal.any([signal, limit]) });
  try {
    return await text(socket);
  } catch (error) {
    throwIfInterrupted(signal);
    if (!limit.aborted) throw error;
    throw new StellarError(
      'timeout',
      `${file} could not be read in time: it is a pipe, and nobody has written a whole kubeconfig to it.`,
      { hint: 'Give a file: --kubeconfig FILE' },
    );
  } finally {
    socket.destroy();
  }
}

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { monotonic, throwIfInterrupted, type Waiting } from './deadline.ts';
import { StellarError } from './errors.ts';
import { advice } from './next-step.ts';
import { isSecretFlag, redactText } from './text/redact.ts';
import { compareVersions, findVersion } from './text/version.ts';

/** A program on the user's machine that some commands of stellarctl run. */
export interface Program {
  name: string;
  /** The oldest supported version. */
  minimum: string;
  /** Where to download it. */
  get: string;
  /** The arguments that print its version. */
  versionArguments: readonly string[];
}

/** A program found on PATH. */
export interface FoundProgram extends Program {
  path: string;
  /** Without a leading `v`. */
  version: string;
}

type NamedProgram = Pick<FoundProgram, 'name' | 'path'>;

/** The environment and limits for running programs. */
export interface ProgramRun extends Waiting {
  /** The environment of the programs, whose PATH is searched for them. */
  env: NodeJS.ProcessEnv;
  /** Sends a signal to a process, or to a process group if the id is negative, as kill(2) does. Throws if not found. */
  sendSignal: (pid: number, signal: NodeJS.Signals) => void;
  /** The grace period after SIGTERM, in milliseconds. */
  terminationGraceMs?: number;
  /** Receives the command line, exit code and duration of every run. */
  trace?: ((line: string) => void) | undefined;
}

export interface Invocation {
  /** Never secrets: every user of the machine can read the arguments of programs. */
  args: readonly string[];
  /** Its stdin. */
  input?: string;
  /** Whether it may prompt the user: it reads from our terminal, and gets the terminal's signals in our process group. */
  isOnTerminal?: boolean;
  /** Receives its stderr as it is written. */
  onStderr?: (text: string) => void;
  /** Its timeout, in milliseconds, if shorter than the remaining time of the command. */
  limitMs?: number;
  /** Ends it early, in addition to the command's own signal. */
  stop?: AbortSignal;
}

export interface ProgramOutput {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a program that was found. Tests substitute their own. */
export type RunProgram = (program: NamedProgram, invocation: Invocation) => Promise<ProgramOutput>;

/** The timeout of a program that only reads. */
const shortLimitMs = 60_000;
const defaultTerminationGraceMs = 15_000;
/** How much later than a program on the same terminal this process may receive Ctrl-C. */
const ctrlCMs = 100;

/** Finds a program on PATH, without running it: its version is empty. @returns undefined if not found */
export async function locateProgram(
  program: Program,
  { env }: ProgramRun,
): Promise<FoundProgram | undefined> {
  // CommonJS: a bundled dynamic import does not see its named exports.
  const { default: which } = await import('which');
  const file = await which(program.name, { path: env.PATH ?? '', nothrow: true });
  return file === null ? undefined : { ...program, path: path.resolve(file), version: '' };
}

/** Finds a program on PATH. @returns undefined if not found; its version is empty if it prints none */
export async function findProgram(
  program: Program,
  run: ProgramRun,
): Promise<FoundProgram | undefined> {
  const found = await locateProgram(program, run);
  if (found === undefined) return undefined;
  const { exitCode, stdout } = await runProgram(run)(found, {
    args: program.versionArguments,
    limitMs: shortLimitMs,
  });
  return { ...found, version: exitCode === 0 ? (findVersion(stdout) ?? '') : '' };
}

/**
 * Finds a program that a command requires.
 * @param neededFor completes "helm is needed to …"
 * @throws StellarError `program-missing`, `program-too-old`
 */
export async function requireProgram(
  program: Program,
  neededFor: string,
  run: ProgramRun,
): Promise<FoundProgram> {
  const { name, minimum, get } = program;
  const found = await findProgram(program, run);
  if (found === undefined)
    throw new StellarError(
      'program-missing',
      `${name} is needed to ${neededFor}, and is not on PATH.`,
      advice(`Install it (${minimum} or newer): ${get}`),
    );
  if (isNewEnough(found)) return found;
  const what = found.version === '' ? 'does not report its version' : `is ${found.version}`;
  throw new StellarError(
    'program-too-old',
    `${found.path} ${what}; ${name} ${minimum} or newer is needed to ${neededFor}.`,
    advice(`Install a newer one: ${get}`),
  );
}

export function isNewEnough({ version, minimum }: FoundProgram): boolean {
  return version !== '' && compareVersions(version, minimum) >= 0;
}

/**
 * Runs programs, never through a shell. On Ctrl-C and at the deadline, it sends SIGTERM to the programs and their child processes,
 * and waits for them. Any exit code is a result.
 * @throws StellarError `interrupted`, `timeout`, and `program-failed` for a program that cannot be started or dies of a signal
 */
export function runProgram(run: ProgramRun): RunProgram {
  const { env, deadline, signal, trace } = run;
  return async (program, invocation) => {
    const {
      args,
      input = '',
      isOnTerminal = false,
      onStderr,
      limitMs = Number.MAX_SAFE_INTEGER,
      stop,
    } = invocation;
    throwIfInterrupted(signal);
    const { execa } = await import('execa');
    // A command that reads once has no deadline that would end a program. Timers cannot exceed 2 ** 31 ms.
    const mostMs = Math.min(limitMs, deadline.passed ? shortLimitMs : 2 ** 31 - 1);
    const late = AbortSignal.timeout(deadline.requestTimeout(mostMs));
    const started = monotonic();
    const stdin = isOnTerminal ? { stdin: 'inherit' as const } : { input };
    // Detached programs lead their own process group.
    const detached = !isOnTerminal;
    const running = execa(program.path, args, {
      env,
      extendEnv: false,
      ...stdin,
      reject: false,
      detached,
    });
    const decoder = new TextDecoder();
    running.stderr?.on('data', (chunk: Buffer) =>
      onStderr?.(decoder.decode(chunk, { stream: true })),
    );
    const given = AbortSignal.any([signal, late, ...(stop === undefined ? [] : [stop])]);
    const release = endOn(given, running, detached, run);
    const ended = await running.finally(release);
    // Ctrl-C on the terminal goes to both, and the end of the program can be seen first.
    if (isOnTerminal && ended.exitCode !== 0)
      await sleep(ctrlCMs, undefined, { signal }).catch(() => undefined);
    trace?.(
      `${[program.name, ...argumentsWithoutSecrets(args)].join(' ')} ${ended.exitCode ?? ended.signal} ${monotonic() - started}ms`,
    );
    throwIfInterrupted(signal);
    const { exitCode, stdout, stderr } = ended;
    const output = { exitCode: exitCode ?? 1, stdout, stderr };
    if (stop?.aborted || (!late.aborted && exitCode !== undefined)) return output;
    throw cutShort(program, invocation, ended, late.aborted);
  };
}

/** The error of a program that did not end by itself. */
function cutShort(
  program: NamedProgram,
  { args }: Invocation,
  { stderr, signal, cause }: { stderr: string; signal?: string; cause?: unknown },
  isLate: boolean,
) {
  const details = lastLines(stderr);
  if (isLate)
    return new StellarError(
      'timeout',
      `${describeCommand(program, args)} timed out.`,
      advice('Allow more time: --timeout'),
    ).with({ details });
  const why = signal ? `was killed by ${signal}` : 'cannot be started';
  return new StellarError('program-failed', `${program.path} ${why}.`).with({ details, cause });
}

interface Started {
  pid?: number;
  /** Our ends of its streams. */
  stdio: readonly ({ destroy(): unknown } | null | undefined)[];
}

/**
 * Ends a program and all its child processes when `stop` fires. If only a wrapper ended, the wrapped program would keep running and
 * keep our streams open. After the grace period the processes are killed. Processes that have left the group are not waited for.
 * @param isGroup whether the program leads its own process group
 * @returns a function to call once the program has ended
 */
function endOn(
  stop: AbortSignal,
  { pid = Number.NaN, stdio }: Started,
  isGroup: boolean,
  { sendSignal, terminationGraceMs = defaultTerminationGraceMs }: ProgramRun,
): () => void {
  const end = (signal: NodeJS.Signals) => {
    try {
      sendSignal(isGroup ? -pid : pid, signal);
    } catch {
      // The process has already ended, or was not started.
    }
  };
  let killing: NodeJS.Timeout | undefined;
  const ask = () => {
    end('SIGTERM');
    killing = setTimeout(() => {
      end('SIGKILL');
      for (const stream of stdio) stream?.destroy();
    }, terminationGraceMs);
  };
  if (stop.aborted) ask();
  else stop.addEventListener('abort', ask, { once: true });
  return () => {
    stop.removeEventListener('abort', ask);
    clearTimeout(killing);
  };
}

/** The error of a failed program: its command, its exit code or signal, and the end of its output, with credentials redacted. */
export function programFailed(
  program: NamedProgram,
  args: readonly string[],
  { exitCode, stderr }: ProgramOutput,
): StellarError {
  const words = lastLines(stderr);
  const last = words.at(-1)?.replace(/^Error: /, '');
  const why = `failed (exit code ${exitCode})${last === undefined ? '.' : `: ${last}`}`;
  return new StellarError('program-failed', `${describeCommand(program, args)} ${why}`).with({
    details: words.slice(0, -1),
  });
}

/** Reads what a program printed. @throws StellarError `program-failed` if it is not JSON */
export function readJson<T>(program: string, printed: string): T {
  try {
    return JSON.parse(printed) as T;
  } catch (cause) {
    throw new StellarError(
      'program-failed',
      `${program} did not print the JSON that was requested.`,
    ).with({ cause });
  }
}

/** The program and its subcommand: `helm upgrade`, `kind create cluster`. */
function describeCommand({ name }: NamedProgram, args: readonly string[]) {
  const firstNonWord = args.findIndex((argument) => !/^[a-z]+$/.test(argument));
  const words = firstNonWord === -1 ? args : args.slice(0, firstNonWord);
  return [name, ...words.slice(0, 2)].join(' ');
}

const wordsKept = 8;

function lastLines(stderr: string) {
  const lines = redactText(stripVTControlCharacters(stderr)).split(/[\r\n]+/);
  return lines
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-wordsKept);
}

/** The arguments of a program for display, without what may be a secret: whatever is assigned, and values of options named like one. */
export const argumentsWithoutSecrets = (args: readonly string[]) =>
  args.map((argument, index) => {
    if (isSecretFlag.test(args[index - 1] ?? '')) return hiddenText;
    const [name = '', ...value] = argument.split('=');
    return value.length === 0 ? redactText(name) : `${redactText(name)}=${hiddenText}`;
  });

const hiddenText = '(hidden)';

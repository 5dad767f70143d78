import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type Deadline, throwIfInterrupted } from '../engine/deadline.ts';
import { StellarError } from '../engine/errors.ts';
import { inWords } from '../engine/next-step.ts';
import { redactText } from '../engine/redact.ts';
import { endGroupOn, type SendSignal } from './process-group.ts';
import { compareVersions, findVersion } from './version.ts';

/** A program of the user's machine that stellarctl runs for some of its commands. */
export interface Program {
  name: string;
  /** The oldest version that will do. */
  minimum: string;
  /** Where to get it. */
  get: string;
  /** What makes it print its version. */
  versionArguments: readonly string[];
}

/** A program that is there. */
export interface FoundProgram extends Program {
  path: string;
  /** Without a leading `v`. */
  version: string;
}

type NamedProgram = Pick<FoundProgram, 'name' | 'path'>;

/** What running programs takes. */
export interface ProgramRun {
  /** The environment that they get, and whose PATH they are looked up on. */
  env: NodeJS.ProcessEnv;
  deadline: Deadline;
  signal: AbortSignal;
  /** Reaches the programs' processes: the library itself ends none. */
  sendSignal: SendSignal;
  /** How long a program that was asked to end (SIGTERM) is given to leave things in order, in milliseconds. */
  farewellMs?: number;
  /** Told about every run: the command line, exit code and time. */
  trace?: ((line: string) => void) | undefined;
}

export interface Invocation {
  /** Never anything secret: everybody on the machine can read the arguments of programs. */
  args: readonly string[];
  /** What it reads on stdin. */
  input?: string;
  /** It may ask a person: it reads from our terminal, and gets the terminal's signals, in our process group. */
  isOnTerminal?: boolean;
  /** Gets what it writes to stderr, as it comes. */
  hear?: (text: string) => void;
  /** How long it may take, in milliseconds, where that is less than what is left of the command's time. */
  limitMs?: number;
  /** Ends it early, beside the command's own signal. */
  stop?: AbortSignal;
}

export interface ProgramOutput {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a program that was found. Tests hand in their own. */
export type RunProgram = (program: NamedProgram, invocation: Invocation) => Promise<ProgramOutput>;

/** How long a program that only looks something up may take. */
const quickMs = 60_000;
const defaultFarewellMs = 15_000;

/** Looks for a program on PATH. @returns undefined where there is none; its version is empty where it does not tell one */
export async function findProgram(program: Program, run: ProgramRun): Promise<FoundProgram | undefined> {
  const place = await lookUp(program.name, run.env.PATH ?? '');
  if (place === undefined) return undefined;
  const found = { ...program, path: place, version: '' };
  const { exitCode, stdout } = await runProgram(run)(found, { args: program.versionArguments, limitMs: quickMs });
  return { ...found, version: exitCode === 0 ? (findVersion(stdout) ?? '') : '' };
}

/**
 * Finds a program that a command cannot do without.
 * @param neededFor completes "helm is needed to …"
 * @throws StellarError `program-missing`, `program-too-old`
 */
export async function requireProgram(program: Program, neededFor: string, run: ProgramRun): Promise<FoundProgram> {
  const { name, minimum, get } = program;
  const found = await findProgram(program, run);
  if (found === undefined) {
    throw new StellarError('program-missing', `${name} is needed to ${neededFor}, and is not on PATH.`, {
      next: [inWords(`Install it (${minimum} or newer): ${get}`)],
    });
  }
  if (!isNewEnough(found)) {
    const what = found.version === '' ? 'does not report its version' : `is ${found.version}`;
    throw new StellarError(
      'program-too-old',
      `${found.path} ${what}; ${name} ${minimum} or newer is needed to ${neededFor}.`,
      { next: [inWords(`Install a newer one: ${get}`)] },
    );
  }
  return found;
}

export function isNewEnough({ version, minimum }: FoundProgram): boolean {
  return version !== '' && compareVersions(version, minimum) >= 0;
}

/**
 * Runs programs, never through a shell. On Ctrl-C and at the deadline they and what they have started are asked to end (SIGTERM),
 * and waited for.
 * Whatever exit code they end with is a result.
 * @throws StellarError `interrupted`, `timeout`, and `program-failed` for one that cannot be started or dies of a signal
 */
export function runProgram(run: ProgramRun): RunProgram {
  const { env, deadline, signal, sendSignal, farewellMs = defaultFarewellMs, trace } = run;
  return async (program, invocation) => {
    const { args, input = '', isOnTerminal = false, hear, limitMs = Number.MAX_SAFE_INTEGER, stop } = invocation;
    throwIfInterrupted(signal);
    const { execa } = await import('execa');
    // A command that looks once has no deadline that would end a program. Timers cannot be longer than 2 ** 31 ms.
    const mostMs = Math.min(limitMs, deadline.passed ? quickMs : 2 ** 31 - 1);
    const late = AbortSignal.timeout(deadline.requestTimeout(mostMs));
    const started = Date.now();
    const stdin = isOnTerminal ? { stdin: 'inherit' as const } : { input };
    // Detached: at the head of a process group of its own.
    const detached = !isOnTerminal;
    const running = execa(program.path, args, { env, extendEnv: false, ...stdin, reject: false, detached });
    const decoder = new TextDecoder();
    running.stderr?.on('data', (chunk: Buffer) => hear?.(decoder.decode(chunk, { stream: true })));
    const given = AbortSignal.any([signal, late, ...(stop === undefined ? [] : [stop])]);
    const release = endGroupOn(given, running, { sendSignal, farewellMs, isGroup: detached });
    const ended = await running.finally(release);
    trace?.(
      `${[program.name, ...argumentsWithoutSecrets(args)].join(' ')} ${ended.exitCode ?? ended.signal} ${Date.now() - started}ms`,
    );
    throwIfInterrupted(signal);
    const output = { exitCode: ended.exitCode ?? 1, stdout: ended.stdout, stderr: ended.stderr };
    if (stop?.aborted) return output;
    if (late.aborted)
      throw new StellarError('timeout', `${commandOf(program, args)} timed out.`, {
        details: lastLines(ended.stderr),
        next: [inWords('Allow more time: --timeout')],
      });
    if (ended.exitCode === undefined)
      throw new StellarError(
        'program-failed',
        `${program.path} ${ended.signal ? `was killed by ${ended.signal}` : 'cannot be started'}.`,
        {
          details: lastLines(ended.stderr),
          cause: ended.cause,
        },
      );
    return output;
  };
}

/** The error of a program that has failed: which, how, and its last words, without what looks like credentials. */
export function programFailed(
  program: NamedProgram,
  args: readonly string[],
  { exitCode, stderr }: ProgramOutput,
): StellarError {
  const words = lastLines(stderr);
  const last = words.at(-1)?.replace(/^Error: /, '');
  return new StellarError(
    'program-failed',
    `${commandOf(program, args)} failed (exit code ${exitCode})${last === undefined ? '.' : `: ${last}`}`,
    { details: words.slice(0, -1) },
  );
}

/** The program and its sub-command: `helm upgrade`, `kind create cluster`. */
function commandOf({ name }: NamedProgram, args: readonly string[]): string {
  const notWord = args.findIndex((argument) => !/^[a-z]+$/.test(argument));
  const words = notWord === -1 ? args : args.slice(0, notWord);
  return [name, ...words.slice(0, 2)].join(' ');
}

const wordsKept = 8;

function lastLines(stderr: string): string[] {
  const lines = redactText(stripVTControlCharacters(stderr)).split(/[\r\n]+/);
  return lines
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-wordsKept);
}

async function lookUp(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(path.delimiter).filter(Boolean)) {
    const place = path.resolve(folder, name);
    const isProgram = await access(place, constants.X_OK).then(
      async () => (await stat(place)).isFile(),
      () => false,
    );
    if (isProgram) return place;
  }
  return undefined;
}

const secretWord = '(?:pass(?:word|wd|phrase)|username|token|secret|credential|api-?key|private-?key)';
const secretOption = new RegExp(`^-[^=]*${secretWord}[^=]*$`, 'i');
/** As in `--password=X`, `PASSWORD=X` and `--from-literal=password=X`. */
const secretAssignment = new RegExp(`^(.*?${secretWord}[^=]*=).`, 'is');
/** Helm's options for values of a chart, which are passwords as well as anything else. */
const setOption = /^--set(?:-[a-z]+)?$/;
const setAssignment = /^(--set(?:-[a-z]+)?=[^=]*=)/;

/** The arguments of a program as they may be shown: what may be secret is named, and its value is not. */
export function argumentsWithoutSecrets(args: readonly string[]): string[] {
  return args.map((argument, index) => {
    const option = args[index - 1] ?? '';
    if (secretOption.test(option)) return hidden;
    const name = setOption.test(option)
      ? /^[^=]*=/.exec(argument)?.[0]
      : (setAssignment.exec(argument) ?? secretAssignment.exec(argument))?.[1];
    return name === undefined ? redactText(argument) : `${redactText(name)}${hidden}`;
  });
}

const hidden = '(hidden)';

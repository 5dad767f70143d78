import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server process of a plane. */
export interface ServerProcess {
  /** The name of its program. */
  readonly name: string;
  readonly pid: number | undefined;
  readonly hasEnded: boolean;
  /** Its last output, for an error. */
  lastWords(): Promise<string>;
  /** Freezes the process, or continues it. */
  freeze(isFrozen: boolean): void;
  /** Kills it, and waits for its end. */
  stop(): Promise<void>;
}

/** The log file of a program in the folder where it runs. */
const logOf = (program: string, dir: string) => join(dir, `${program}.log`);

/** A server process that ends when this process does: it watches its standard input, whose other end is held here. */
export class Child implements ServerProcess {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #logFile: string;
  #failure: Error | undefined;

  constructor(
    binary: string,
    program: string,
    flags: Record<string, string | number>,
    dir: string,
    variables: Record<string, string> = {},
  ) {
    this.name = program;
    this.#logFile = logOf(program, dir);
    const args = [program, ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
    const log = openSync(this.#logFile, 'a');
    // Memory is available, processor time is scarce: Go collects garbage a quarter as often, and no threads look for work, which
    // costs a tenth.
    const env = { ...withoutProxies(process.env), GOGC: '400', GOMAXPROCS: '1', ...variables };
    this.#process = spawn(binary, args, { cwd: dir, env, stdio: ['pipe', log, log] });
    closeSync(log);
    this.#process.stdin?.on('error', () => {});
    this.#process.on('error', (error) => {
      this.#failure = error;
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get hasEnded(): boolean {
    return (
      this.#failure !== undefined ||
      this.#process.exitCode !== null ||
      this.#process.signalCode !== null
    );
  }

  lastWords(): Promise<string> {
    return lastWords(this.name, this.#logFile, this.#failure);
  }

  freeze(isFrozen: boolean): void {
    this.#process.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT');
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}

/** A server process of the pool, which started it. */
export class BorrowedProcess implements ServerProcess {
  readonly name: string;
  readonly pid: number;
  readonly #dir: string;

  constructor(name: string, pid: number, dir: string) {
    this.name = name;
    this.pid = pid;
    this.#dir = dir;
  }

  get hasEnded(): boolean {
    return !isAlive(this.pid);
  }

  lastWords(): Promise<string> {
    return lastWords(this.name, logOf(this.name, this.#dir));
  }

  freeze(isFrozen: boolean): void {
    process.kill(this.pid, isFrozen ? 'SIGSTOP' : 'SIGCONT');
  }

  async stop(): Promise<void> {
    if (!this.hasEnded) process.kill(this.pid, 'SIGKILL');
    while (!this.hasEnded) await sleep(10);
  }
}

async function lastWords(program: string, logFile: string, failure?: Error): Promise<string> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  const lines = log.trimEnd().split('\n').slice(-5).join('\n');
  const why = failure ? ` (${failure.message})` : '';
  return `${program} ended${why}; the end of ${logFile}:\n${lines}`;
}

/** The environment without proxies: everything that the bed's processes talk to is on this machine. */
export function withoutProxies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(https?|all|no)_proxy$/i.test(name)),
  );
}

/** Whether a process with this ID runs (also one of another user). */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether a process is frozen: state T in /proc/PID/stat, after the name in parentheses. */
export function isFrozen(pid: number): boolean {
  return /^\d+ \(.*\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

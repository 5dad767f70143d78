import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** A server process that ends when this process does: it watches its standard input, whose other end is held here. */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #logFile: string;
  #failure: Error | undefined;

  constructor(binary: string, args: readonly string[], { cwd, logFile }: { cwd: string; logFile: string }) {
    this.name = args[0] ?? binary;
    this.#logFile = logFile;
    const log = openSync(logFile, 'a');
    // Memory is available, processor time is scarce: Go collects garbage a quarter as often, and no threads look for work, which
    // costs a tenth.
    const env = { ...withoutProxies(process.env), GOGC: '400', GOMAXPROCS: '1' };
    this.#process = spawn(binary, args, { cwd, env, stdio: ['pipe', log, log] });
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
    return this.#failure !== undefined || this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Its last output, for an error. */
  async lastWords(): Promise<string> {
    const log = await readFile(this.#logFile, 'utf8').catch(() => '');
    const lines = log.trimEnd().split('\n').slice(-5).join('\n');
    const why = this.#failure ? ` (${this.#failure.message})` : '';
    return `${this.name} ended${why}; the end of ${this.#logFile}:\n${lines}`;
  }

  /** Freezes the process, or continues it. */
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

/** The environment without proxies: everything that the bed's processes talk to is on this machine. */
export function withoutProxies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(https?|all|no)_proxy$/i.test(name)));
}

/** Whether a process with this ID runs (also one of another user). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { undocumented } from '../../documents.ts';
import { start, stellarctl } from '../../stellarctl.ts';

/** How a run of the command line ended. */
export interface CliRun {
  exitCode: number | undefined;
  signal: string | undefined;
  stdout: string;
  stderr: string;
  /** The output of `-o json`. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of all kinds
  json: () => any;
}

export interface CliOptions {
  kubeconfig?: string;
  env?: Record<string, string>;
  input?: string;
  /** True if the command was asked for a token. */
  mayShowToken?: boolean;
  /** Sends a signal as soon as this text is printed. */
  signalAt?: { text: RegExp; signal: NodeJS.Signals };
  /** Calls this once, as soon as this text is printed. */
  whenPrinted?: { text: RegExp; act: () => Promise<unknown> };
  /** Answers on a terminal, each typed once its prompt is on the screen. */
  answers?: { at: RegExp; type: () => Promise<string> }[];
  /** The width of the terminal; 0 if unknown. */
  columns?: number;
  /** Receives the means to end the process, and its ID. */
  onStart?: (kill: (signal: NodeJS.Signals) => void, pid: number | undefined) => void;
  /** In milliseconds: a process that runs longer is killed, and the test fails. Two minutes by default. */
  longest?: number;
  /** The words that start it; stellarctl by default. */
  start?: readonly string[];
}

/** A process that never ends fails the test without blocking others: longer than any command takes on a slow machine. */
const longest = 300_000;

/** Runs stellarctl in a clean environment: no kubeconfig, settings or variables of the user who runs the tests. */
export class Cli {
  readonly home: string;
  readonly #kubeconfig: string;

  constructor(home: string, kubeconfig: string) {
    this.home = home;
    this.#kubeconfig = kubeconfig;
  }

  static async create(kubeconfig: string): Promise<Cli> {
    return new Cli(await mkdtemp(path.join(tmpdir(), 'stellarctl-e2e-')), kubeconfig);
  }

  async remove(): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }

  environment(options: CliOptions = {}): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.home,
      XDG_CONFIG_HOME: path.join(this.home, '.config'),
      KUBECONFIG: options.kubeconfig ?? this.#kubeconfig,
      // Output depends on neither: half an hour off, and i is not the small letter of I.
      LANG: 'tr_TR.UTF-8',
      TZ: 'Asia/Kolkata',
      ...options.env,
    };
  }

  /** Runs a command line in a pipe. Its output must contain no token and, for a user's error, no stack. */
  async run(arguments_: readonly string[], options: CliOptions = {}): Promise<CliRun> {
    const surroundings = {
      env: this.environment(options),
      extendEnv: false,
      input: options.input ?? '',
      stripFinalNewline: false,
      timeout: options.longest ?? longest,
    };
    const child = stellarctl(arguments_, surroundings, options.start);
    options.onStart?.((signal) => child.kill(signal), child.pid);
    const { signalAt } = options;
    if (signalAt !== undefined)
      oncePrinted(child, signalAt.text, () => child.kill(signalAt.signal));
    const acting = options.whenPrinted && actWhenPrinted(child, options.whenPrinted);
    const ended = await child;
    await acting?.();
    const run: CliRun = {
      exitCode: ended.exitCode,
      signal: ended.signal,
      stdout: String(ended.stdout),
      stderr: String(ended.stderr),
      json: () => JSON.parse(String(ended.stdout)),
    };
    assertClean(run, options);
    if (run.signal === undefined) assertDocumented(arguments_, run.stdout);
    return run;
  }

  /** Runs a command line and expects it to succeed. */
  async succeed(arguments_: readonly string[], options: CliOptions = {}): Promise<CliRun> {
    const run = await this.run(arguments_, options);
    assert.equal(run.exitCode, 0, `${arguments_.join(' ')}\n${run.stdout}${run.stderr}`);
    return run;
  }

  /** Runs a command line as typed, and expects it to succeed. */
  type(line: string, options?: CliOptions): Promise<CliRun> {
    return this.succeed(line.split(' '), options);
  }

  /** Runs a command line on a pseudo-terminal (util-linux's `script`), with both streams combined. */
  async runOnTerminal(
    arguments_: readonly string[],
    options: CliOptions = {},
  ): Promise<{ exitCode: number | undefined; screen: string }> {
    const command = [...start, ...arguments_]
      .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
      .join(' ');
    const env = { TERM: 'xterm-256color', ...this.environment(options) };
    const columns = options.columns ?? 120;
    const sized = `stty cols ${columns} rows ${columns && 40}; exec ${command}`;
    const child = execa('script', ['--quiet', '--return', '--command', sized, '/dev/null'], {
      env,
      extendEnv: false,
      reject: false,
      timeout: longest,
      maxBuffer: 10_000_000,
    });
    if (options.answers !== undefined) typeAnswers(child, options.answers);
    const acting = options.whenPrinted && actWhenPrinted(child, options.whenPrinted);
    const ended = await child;
    await acting?.();
    assertClean({ stdout: ended.stdout, stderr: '' }, options);
    return { exitCode: ended.exitCode, screen: ended.stdout };
  }
}

function typeAnswers(
  { stdout, stdin }: { stdout: Readable | null; stdin: Writable | null },
  answers: NonNullable<CliOptions['answers']>,
) {
  const open = [...answers];
  let seen = '';
  stdout?.on('data', async (chunk: Buffer) => {
    seen += chunk.toString();
    const next = open[0];
    if (next === undefined || !next.at.test(seen)) return;
    open.shift();
    seen = '';
    stdin?.write(`${await next.type()}\n`);
  });
}

interface Streams {
  stdout: Readable | null;
  stderr: Readable | null;
}

/** Calls this once, as soon as this text is printed. @returns the function that receives the output so far */
function oncePrinted({ stdout, stderr }: Streams, text: RegExp, act: () => void): () => string {
  let seen = '';
  let isDone = false;
  const look = (chunk: Buffer) => {
    seen += chunk.toString();
    if (isDone || !text.test(seen)) return;
    isDone = true;
    act();
  };
  stdout?.on('data', look);
  stderr?.on('data', look);
  return () => seen;
}

/** @returns a function that waits for the call, and fails if it failed or never happened */
function actWhenPrinted(
  streams: Streams,
  { text, act }: NonNullable<CliOptions['whenPrinted']>,
): () => Promise<unknown> {
  let acting: Promise<unknown> | undefined;
  const seen = oncePrinted(streams, text, () => {
    acting = act();
    acting.catch(() => {});
  });
  return () => acting ?? Promise.reject(new Error(`${text} was never printed:\n${seen()}`));
}

/** JSON output matches docs/output.md. */
function assertDocumented(words: readonly string[], stdout: string) {
  if (stdout === '' || !/(?:-o|--output)[ =]json/.test(words.join(' '))) return;
  // Each line of --watch is a document; an error spans several lines.
  const documents = stdout.startsWith('{"') ? stdout.trimEnd().split('\n') : [stdout];
  const printed = documents.map((document): unknown => JSON.parse(document));
  assert.deepEqual(undocumented(words, printed), [], words.join(' '));
}

/** The first part of every JSON Web Token, `{"alg":`, and kubeadm's bootstrap tokens. */
const tokenPattern = /eyJhbGciOi|\b[a-z0-9]{6}\.[a-z0-9]{16}\b/;

function assertClean(
  { stdout, stderr }: Pick<CliRun, 'stdout' | 'stderr'>,
  { mayShowToken = false }: CliOptions,
) {
  if (!mayShowToken) assert.doesNotMatch(stdout, tokenPattern, 'a token on stdout');
  assert.doesNotMatch(stderr, tokenPattern, 'a token on stderr');
  assert.doesNotMatch(stderr, /\n {4}at /, 'a stack on stderr');
}

import { isDeepStrictEqual } from 'node:util';
import { asCalled, command } from '../../lib/engine/command-line.ts';
import { Deadline } from '../../lib/engine/deadline.ts';
import type { NamedResult } from '../../lib/engine/each-name.ts';
import { ExitCode, exitCodeOf, StellarError, worstExitCode } from '../../lib/engine/errors.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { RecordedWrite } from '../../lib/kube/client/dry-run.ts';
import { writeLines } from '../../lib/terminal/clean.ts';
import { type Io, isForPeople, type OutputFormat } from '../../lib/terminal/io.ts';
import {
  type Column,
  type DocumentForm,
  errorDocument,
  toDocument,
  writeDocument,
  writeError,
  writeResult,
} from '../../lib/terminal/output.ts';
import { createProgress, type TerminalProgress } from '../../lib/terminal/progress.ts';
import { type Style, styleFor } from '../../lib/terminal/style.ts';
import { Clusters } from './clusters.ts';
import type { SessionOptions } from './options.ts';

/** One run of a command: its clusters, its progress, its output. */
export class Session extends Clusters {
  readonly progress: TerminalProgress;
  readonly output: OutputFormat;
  /** Set by what was printed. */
  exitCode: number = ExitCode.done;
  readonly #style: Style;

  constructor(io: Io, options: SessionOptions, signal: AbortSignal) {
    const style = styleFor(io.stderr, io, options.color);
    const results = isForPeople(options.output) ? 'stdout' : 'stderr';
    const progress = createProgress(io, { quiet: options.quiet === true, results, style });
    super(io, options, { progress, deadline: new Deadline(options.timeout), signal, dryRun: options.dryRun });
    this.progress = progress;
    this.output = options.output;
    this.#style = style;
  }

  /** Names the cluster that is about to be written to. */
  announce({ cluster }: Kube, role = 'ITS'): void {
    this.progress.note(`${role} ${cluster.context} (${cluster.server})`);
  }

  /** Prints a result for scripts and people, whole. */
  async print<Row extends { name: string }>(
    document: object,
    rows: readonly Row[],
    columns: readonly Column<Row>[],
  ): Promise<void> {
    this.progress.stop();
    await writeResult(this.io, this.output, document, rows, columns);
  }

  /** Prints lines for people, or names for scripts: each is cleaned of what a terminal would act on. */
  printLines(lines: readonly string[]): void {
    this.progress.stop();
    writeLines(this.io.stdout, lines);
  }

  /** Prints a document in a format that is not the one asked for by `-o`, or one of several. */
  async printDocument(document: object, form: DocumentForm): Promise<void> {
    this.progress.stop();
    await writeDocument(this.io, document, form);
  }

  /**
   * Ends a command on several names: a document for scripts; to people, progress has told what went well, and errors follow, or
   * what a dry run has left out. The exit code is that of the worst.
   */
  async finish<Result extends NamedResult>(results: readonly Result[]): Promise<void> {
    this.progress.stop();
    const errors = results.flatMap(({ error }) => error ?? []);
    const writes = this.options.dryRun ? { dryRun: true, writes: this.writes } : {};
    const done = results.filter(({ error }) => error === undefined);
    if (this.output === 'name') this.printLines(done.map(({ name }) => name));
    else if (!isForPeople(this.output)) await this.print({ ...toDocument(results), ...writes }, [], []);
    else if (this.options.dryRun) this.printLines(this.writes.map(describeWrite));
    if (this.options.dryRun)
      this.progress.note(`Dry run: nothing ${this.writes.length === 0 ? 'would be' : 'was'} written.`);
    for (const error of withOneInterruption(results)) this.#writeError(error);
    this.exitCode = worstExitCode(errors);
  }

  /** Tells what keeps a result that was printed from being all, each reason once: such a command has not done what it was asked. */
  incomplete(errors: readonly StellarError[]): void {
    const reasons = new Map(errors.map((error) => [error.message, error]));
    for (const error of reasons.values()) this.#writeError(error);
    this.exitCode = worstExitCode([...reasons.values()]);
  }

  /**
   * The command as it was typed, with options added, as one that can be typed: also with those that name what was taken from the
   * current context, which no command takes for granted that does not ask.
   */
  again(...options: string[]): string {
    const { argv } = this.io;
    const added = [...options, ...[...this.assumed].flat()];
    const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
    return command`stellarctl ${[...argv.slice(0, end), ...added, ...argv.slice(end)]}`;
  }

  /** Says what a person would type next. @param step a command, or the hint of a view */
  next(step: string): void {
    if (this.options.quiet || this.options.dryRun || this.exitCode !== ExitCode.done) return;
    this.progress.note(`Next: ${asCalled(step)}`);
  }

  /** Renders an error of the whole command; scripts get it as their one document. */
  async fail(error: unknown): Promise<void> {
    this.progress.stop();
    if (!isForPeople(this.output)) await this.print(errorDocument(error), [], []);
    this.#writeError(error);
  }

  #writeError(error: unknown): void {
    writeError(this.io, this.#style, error, this.options.verbose === true);
  }

  override close(): void {
    this.progress.stop();
    super.close();
  }
}

/** What a dry run has left out, as a line for people. */
function describeWrite({ verb, cluster, kind, namespace, name }: RecordedWrite): string {
  const object = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  return `would ${verb} ${object} ${cluster === 'the kubeconfig' ? 'in' : 'on'} ${cluster}`;
}

/**
 * The errors of several names. Ctrl-C ends all that is under way at once: it is said once, with their names, for all that there is
 * the same to say of.
 */
export function withOneInterruption(results: readonly NamedResult[]): StellarError[] {
  const failed = results.flatMap(({ name, error }) => (error === undefined ? [] : { names: [name], error }));
  const told: typeof failed = [];
  for (const { names, error } of failed) {
    const same = told.find((other) => isSameInterruption(other.error, error));
    if (same === undefined) told.push({ names, error });
    else same.names.push(...names);
  }
  return told.map(({ names, error }) => (results.length === 1 ? error : namingWhatWasStopped(names, error)));
}

const isSameInterruption = (one: StellarError, other: StellarError): boolean =>
  one.code === 'interrupted' &&
  other.code === 'interrupted' &&
  one.message === other.message &&
  isDeepStrictEqual(one.next, other.next);

function namingWhatWasStopped(names: readonly string[], error: StellarError): StellarError {
  if (error.code !== 'interrupted') return error;
  const { next, details } = error;
  const were = names.length === 1 ? 'was' : 'were';
  return new StellarError('interrupted', `Interrupted while ${names.join(', ')} ${were} under way.`, { next, details });
}

/**
 * Runs a command's work with everything it needs, renders how it ended, and returns the exit code.
 * Ctrl-C ends it in order; a second one at once.
 */
export async function runInSession(
  io: Io,
  options: SessionOptions,
  work: (session: Session) => Promise<void>,
): Promise<number> {
  const interrupt = new AbortController();
  let signalCode: number = ExitCode.interrupted;
  const stop = (code: number) => () => {
    if (interrupt.signal.aborted) process.exit(code);
    signalCode = code;
    interrupt.abort();
  };
  const onInterrupt = stop(ExitCode.interrupted);
  const onTerminate = stop(ExitCode.terminated);
  // A terminal that closes sends it, and so does its shell: together they are one request to end.
  const onHangUp = () => {
    if (!interrupt.signal.aborted) onTerminate();
  };
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate).on('SIGHUP', onHangUp);
  const session = new Session(io, options, interrupt.signal);
  try {
    await work(session);
    return session.exitCode === ExitCode.interrupted ? signalCode : session.exitCode;
  } catch (error) {
    await session.fail(error);
    return exitCodeOf(error) === ExitCode.interrupted ? signalCode : exitCodeOf(error);
  } finally {
    session.close();
    process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate).off('SIGHUP', onHangUp);
  }
}

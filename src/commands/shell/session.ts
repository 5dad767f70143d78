import { command } from '../../lib/engine/command-line.ts';
import { Deadline } from '../../lib/engine/deadline.ts';
import { ExitCode, exitCodeOf, worstExitCode } from '../../lib/engine/errors.ts';
import type { Run } from '../../lib/engine/run.ts';
import { readSettings, settingsFile } from '../../lib/files/settings.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import { type RecordedWrite, recordWrites, type WriteRecorder } from '../../lib/kube/client/dry-run.ts';
import { connect } from '../../lib/kube/client/live-client.ts';
import type { Trace } from '../../lib/kube/client/transport.ts';
import type { KubeconfigTarget } from '../../lib/kube/kubeconfig/edit.ts';
import {
  type Kubeconfig,
  loadKubeconfig,
  type SelectedContext,
  selectContext,
} from '../../lib/kube/kubeconfig/kubeconfig.ts';
import type { ProgramRun } from '../../lib/programs/program.ts';
import { chooseIts, type ItsChoice, selectIts } from '../../lib/spaces/its-choice.ts';
import type { SpaceTools } from '../../lib/spaces/tools.ts';
import { isForPeople, type OutputFormat } from '../../lib/terminal/formats.ts';
import type { Io } from '../../lib/terminal/io.ts';
import {
  type DocumentForm,
  errorDocument,
  toDocument,
  writeDocument,
  writeError,
  writeResult,
} from '../../lib/terminal/output.ts';
import { createProgress, type TerminalProgress } from '../../lib/terminal/progress.ts';
import { type Style, styleFor } from '../../lib/terminal/style.ts';
import type { Column } from '../../lib/terminal/table.ts';
import { writeLines } from '../../lib/terminal/write.ts';
import { type NamedResult, withOneInterruption } from './named-results.ts';
import type { CommonOptions, HostingOptions, ItsOptions, WritingOptions } from './options.ts';

type SessionOptions = CommonOptions & ItsOptions & HostingOptions & WritingOptions & { wecKubeconfig?: string };

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
  // A terminal that closes is to leave no more behind than a request to end.
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate).on('SIGHUP', onTerminate);
  const session = new Session(io, options, interrupt.signal);
  try {
    await work(session);
    return session.exitCode === ExitCode.interrupted ? signalCode : session.exitCode;
  } catch (error) {
    await session.fail(error);
    return exitCodeOf(error) === ExitCode.interrupted ? signalCode : exitCodeOf(error);
  } finally {
    session.close();
    process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate).off('SIGHUP', onTerminate);
  }
}

/** One run of a command: its clusters, its progress, its output. */
export class Session {
  readonly io: Io;
  readonly run: Run;
  readonly progress: TerminalProgress;
  readonly output: OutputFormat;
  /** Set by what was printed. */
  exitCode: number = ExitCode.done;
  readonly #options: SessionOptions;
  readonly #style: Style;
  readonly #clients: Kube[] = [];
  readonly #writes: RecordedWrite[] = [];
  /** What was taken from the current context, by the option that names it. */
  readonly #assumed = new Map<string, string>();
  #kubeconfig: Promise<Kubeconfig> | undefined;

  constructor(io: Io, options: SessionOptions, signal: AbortSignal) {
    this.io = io;
    this.output = options.output;
    this.#options = options;
    this.#style = styleFor(io.stderr, io, options.color);
    this.progress = createProgress(io, {
      quiet: options.quiet === true,
      results: isForPeople(options.output) ? 'stdout' : 'stderr',
      style: this.#style,
    });
    this.run = { progress: this.progress, deadline: new Deadline(options.timeout), signal };
  }

  kubeconfig(): Promise<Kubeconfig> {
    this.#kubeconfig ??= loadKubeconfig(this.#options.kubeconfig, this.io.env, this.run);
    return this.#kubeconfig;
  }

  /** Which ITS is meant, by options, environment and settings. */
  async itsChoice(): Promise<ItsChoice> {
    return chooseIts(
      this.#options.its,
      this.io.env,
      await readSettings(settingsFile(this.io.env)),
      await this.kubeconfig(),
    );
  }

  /** The ITS: its context and a client for it. */
  async its(): Promise<{ context: SelectedContext; kube: Kube }> {
    const { context: name, source } = await this.itsChoice();
    const context = selectIts(await this.kubeconfig(), name, source);
    if (source === 'current context') this.assume('--its', name);
    return { context, kube: this.#open(context) };
  }

  /** Whether any ITS is meant. */
  async hasIts(): Promise<boolean> {
    return this.itsChoice().then(
      () => true,
      () => false,
    );
  }

  /** A client for a WEC, by its context. */
  async wec(contextName: string): Promise<Kube> {
    const { wecKubeconfig } = this.#options;
    const config =
      wecKubeconfig === undefined
        ? await this.kubeconfig()
        : await loadKubeconfig(wecKubeconfig, this.io.env, this.run);
    return this.#open(selectContext(config, contextName));
  }

  /** The hosting cluster, and what else work on spaces takes. */
  async spaceTools(): Promise<SpaceTools> {
    const { chooseHosting } = await import('../../lib/hosting/hosting-choice.ts');
    const kubeconfig = await this.kubeconfig();
    const { context: hostingContext, source: hostingSource } = chooseHosting(
      this.#options.hostingContext,
      this.io.env,
      kubeconfig,
    );
    return {
      hosting: this.#open(hostingContext),
      hostingContext,
      hostingSource,
      kubeconfig,
      target: this.kubeconfigTarget,
      connect: (context) => this.#open(context),
    };
  }

  /** The kubeconfig to write to. */
  get kubeconfigTarget(): KubeconfigTarget {
    return { file: this.#options.kubeconfig, env: this.io.env, dryRun: this.#options.dryRun };
  }

  /** A client for any context. @param deadline where it is not to be the command's */
  connect(context: SelectedContext, deadline = this.run.deadline): Kube {
    return this.#open(context, deadline);
  }

  #open(context: SelectedContext, deadline = this.run.deadline): Kube {
    const live = connect(context, deadline, this.run.signal, this.#options.verbose ? this.#trace : undefined);
    const kube = this.#options.dryRun ? recordWrites(live, (write) => this.#writes.push(write)) : live;
    this.#clients.push(kube);
    return kube;
  }

  readonly #trace: Trace = (line) => this.progress.note(line);

  /** What it takes to run other programs. */
  get programs(): ProgramRun {
    const { deadline, signal } = this.run;
    const sendSignal: ProgramRun['sendSignal'] = (pid, name) => process.kill(pid, name);
    return { env: this.io.env, deadline, signal, sendSignal, trace: this.#options.verbose ? this.#trace : undefined };
  }

  /** Takes down a write that a dry run leaves out, and that is none of a client's. */
  readonly record: WriteRecorder = (write) => this.#writes.push(write);

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
    writeLines(this.io.stdout, lines, this.io);
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
    const writes = this.#options.dryRun ? { dryRun: true, writes: this.#writes } : {};
    const done = results.filter(({ error }) => error === undefined);
    if (this.output === 'name') this.printLines(done.map(({ name }) => name));
    else if (!isForPeople(this.output)) await this.print({ ...toDocument(results), ...writes }, [], []);
    else if (this.#options.dryRun) this.#printWrites();
    if (this.#options.dryRun)
      this.progress.note(`Dry run: nothing ${this.#writes.length === 0 ? 'would be' : 'was'} written.`);
    for (const error of withOneInterruption(results))
      writeError(this.io, this.#style, error, this.#options.verbose === true);
    this.exitCode = worstExitCode(errors);
  }

  #printWrites(): void {
    this.printLines(
      this.#writes.map(({ verb, cluster, kind, namespace, name }) => {
        const object = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
        return `would ${verb} ${object} ${cluster === 'the kubeconfig' ? 'in' : 'on'} ${cluster}`;
      }),
    );
  }

  /** Notes that a cluster was taken from the current context, and the option of this command that names it. */
  assume(option: string, context: string): void {
    this.#assumed.set(option, context);
  }

  /**
   * The command as it was typed, with options added, as one that can be typed: also with those that name what was taken from the
   * current context, which no command takes for granted that does not ask.
   */
  again(...options: string[]): string {
    const { argv } = this.io;
    const added = [...options, ...[...this.#assumed].flat()];
    const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
    return command`stellarctl ${[...argv.slice(0, end), ...added, ...argv.slice(end)]}`;
  }

  /** Says what a person would type next. */
  next(step: string): void {
    if (this.#options.quiet || this.#options.dryRun || this.exitCode !== ExitCode.done) return;
    this.progress.note(`Next: ${step}`);
  }

  /** For work that a person ends: Ctrl-C is then no error to speak of, though the exit code tells. */
  async untilInterrupted(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      if (exitCodeOf(error) !== ExitCode.interrupted) throw error;
      this.exitCode = ExitCode.interrupted;
      // The terminal has written ^C, and the shell goes on beside it.
      if (this.io.stdin.isTTY && this.io.stderr.isTTY) writeLines(this.io.stderr, [''], this.io);
    });
  }

  /** Renders an error of the whole command; scripts get it as their one document. */
  async fail(error: unknown): Promise<void> {
    this.progress.stop();
    if (!isForPeople(this.output)) await this.print(errorDocument(error), [], []);
    writeError(this.io, this.#style, error, this.#options.verbose === true);
  }

  close(): void {
    this.progress.stop();
    for (const client of this.#clients) client.close();
  }
}

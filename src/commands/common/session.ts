import { Deadline } from '../../lib/core/deadline.ts';
import type { NamedResult } from '../../lib/core/each-name.ts';
import { ExitCode, exitCodeOf, StellarError, worstExitCode } from '../../lib/core/errors.ts';
import { asCalled, command, flagsOf, partial, run, textOf } from '../../lib/core/next-step.ts';
import { count, refusalOf } from '../../lib/core/text/words.ts';
import type { Forecast } from '../../lib/forecast/forecast.ts';
import type { Kube, Permission } from '../../lib/kube/client/client.ts';
import { ApiError } from '../../lib/kube/client/errors.ts';
import type { LackedRight } from '../../lib/kube/permissions.ts';
import type { RecordedWrite } from '../../lib/kube/writes.ts';
import type { ItsChoice } from '../../lib/spaces/choose/its-choice.ts';
import type { Wds } from '../../lib/spaces/choose/open-wds.ts';
import type { SpaceTools } from '../../lib/spaces/hosting/hosting.ts';
import type { LocalTools } from '../../lib/spaces/local/create-local-cluster.ts';
import { refusedValues, writeLines } from '../terminal/clean.ts';
import { type Io, isForPeople, type OutputFormat } from '../terminal/io.ts';
import {
  type Columns,
  type DocumentForm,
  errorDocument,
  toDocument,
  writeDocument,
  writeError,
  writeResult,
} from '../terminal/output.ts';
import { createProgress, type TerminalProgress } from '../terminal/progress.ts';
import type { Recorder } from '../terminal/recorder.ts';
import { type Style, styleFor } from '../terminal/style.ts';
import { Clusters, isAssumed } from './clusters.ts';
import type { SessionOptions } from './options.ts';

const createPolicyWords = ['policy', 'create', 'NAME', '--clusters', 'SELECTOR', '-l', 'SELECTOR'];

/** A forecast that the user has seen. */
interface SeenForecast {
  by: Pick<Forecast, 'rows'>;
  follow: (() => Promise<StellarError | undefined>) | undefined;
}

/** One run of a command: its clusters, its progress, its output. */
export class Session extends Clusters {
  readonly progress: TerminalProgress;
  readonly output: OutputFormat;
  readonly headers: boolean;
  /** Set by what was printed. */
  exitCode: number = ExitCode.done;
  /** Gets what a watched command prints. */
  recorder: Recorder | undefined;
  readonly #style: Style;
  readonly #foreseen = new Map<string, SeenForecast>();

  constructor(io: Io, options: SessionOptions, signal: AbortSignal) {
    const style = styleFor(io.stderr, io, options.color);
    const results = isForPeople(options.output) ? 'stdout' : 'stderr';
    const progress = createProgress(io, {
      ...options,
      quiet: options.quiet === true,
      results,
      style,
    });
    super(io, options, {
      progress,
      deadline: new Deadline(options.timeout),
      signal,
      dryRun: options.dryRun,
    });
    this.progress = progress;
    this.output = options.output;
    refusedValues.areShown = this.output === 'wide';
    this.headers = options.headers !== false;
    this.#style = style;
  }

  /** Shows the cluster that the command is about to write to. */
  announce({ cluster }: Kube, role = 'ITS'): void {
    this.progress.note(`${role} ${cluster.context} (${cluster.server})`);
  }

  /** Opens and shows the hosting cluster to write to. With `--yes`, the current context is not taken for granted. @throws StellarError `usage` */
  async hostingToWrite(): Promise<SpaceTools> {
    const tools = await this.spaceTools();
    const { name } = tools.hostingContext;
    if (tools.hostingSource === 'current context')
      this.#takeFor('the hosting cluster', '--hosting-context', name);
    this.announce(tools.hosting, 'Hosting cluster');
    return tools;
  }

  /** Does the same for a WDS. */
  async wdsToWrite(): Promise<Wds> {
    const wds = await this.wds();
    if (!wds.isGiven) this.#takeFor('the WDS', '--wds', wds.name);
    this.announce(wds.kube, 'WDS');
    return wds;
  }

  /** Does the same for an ITS. */
  async itsToWrite() {
    const its = await this.its();
    this.requireNamed(its);
    this.announce(its.kube);
    return its;
  }

  /** A destructive command without confirmation must name its ITS. @throws StellarError `usage` */
  requireNamed({ choice }: { choice: ItsChoice }): void {
    if (isAssumed(choice.source)) this.#takeFor('the ITS', '--its', choice.given);
  }

  /** What the library needs for local clusters. Contexts of WECs may be in a file of their own. */
  localTools(): LocalTools {
    const { wecKubeconfig } = this.options;
    const { run, programs, record, kubeconfigTarget: own } = this;
    return {
      run,
      programs,
      target: wecKubeconfig === undefined ? own : { ...own, file: wecKubeconfig },
      connect: (context) => this.connect(context),
      record: run.dryRun ? record : undefined,
    };
  }

  /** A destructive command without confirmation must not write to a cluster only because it is the current one. */
  #takeFor(what: string, option: string, context: string): void {
    this.assume(option, context);
    if (!this.options.yes || this.run.dryRun) return;
    throw new StellarError(
      'usage',
      `With --yes, ${what} must be named: another one may be chosen than you mean.`,
      run(this.again(), 'Name it'),
    );
  }

  /** Says facts about the whole command, a line each. */
  noteLines(lines: readonly string[], indent = ''): void {
    for (const line of lines) this.progress.note(`${indent}${line}`);
  }

  /**
   * Keeps what a change does to the objects on WECs, for the document of a dry run. What is read anew replaces what was.
   * @param follow compares it, after the change, with what KubeStellar does; left out by commands that wait for that themselves
   * @param part for commands that change more than one thing
   */
  foresees(by: SeenForecast['by'], follow?: SeenForecast['follow'], part = ''): void {
    this.#foreseen.set(part, { by, follow });
  }

  /** Compares what KubeStellar has made of the changes with their forecasts. */
  async #follow(): Promise<StellarError | undefined> {
    for (const { follow } of this.#foreseen.values()) {
      const wrong = await follow?.();
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  /** Says to people, before a change, what it does. */
  noteView(describe: (style: Style, isWide: boolean) => readonly string[]): void {
    if (this.isForPeople) this.noteLines(describe(this.#style, this.output === 'wide'));
  }

  /** Prints a complete result for scripts or for humans. @param wide columns that only `-o wide` shows */
  async print<Row extends { name: string }>(
    document: object,
    rows: readonly Row[] = [],
    columns: Columns<Row> = {},
    wide: Columns<Row> = {},
  ): Promise<void> {
    const shown = this.output === 'wide' ? { ...columns, ...wide } : columns;
    if (this.recorder !== undefined) return this.recorder.table(document, rows, shown);
    this.progress.stop();
    await writeResult(this, document, rows, shown);
  }

  /** Whether people read the results. */
  get isForPeople() {
    return isForPeople(this.output);
  }

  /** Symbols and colours of the results. */
  get style() {
    return styleFor(this.io.stdout, this.io, this.options.color);
  }

  /** Prints a view as a document for scripts, or as human-readable lines. @param named what `-o name` shows (default: the view) */
  async show(
    view: object,
    describe: (style: Style, isWide: boolean) => readonly string[],
    named: readonly { name: string }[] = [view as { name: string }],
  ): Promise<void> {
    if (!this.isForPeople) return this.print(view, named);
    this.printLines(describe(this.style, this.output === 'wide'));
  }

  /**
   * Prints human-readable lines, or names for scripts. Removes terminal control sequences from each.
   * @param columns where they are broken (default: those of the terminal)
   */
  printLines(lines: readonly string[], columns?: number): void {
    this.progress.stop();
    if (this.recorder === undefined) writeLines(this.io.stdout, lines, columns);
    else this.recorder.lines(lines);
  }

  /** Prints a document in a format other than that of `-o` (default: YAML, unless that is JSON), or one of several documents. */
  async printDocument(document: object, form: Partial<DocumentForm> = {}): Promise<void> {
    if (this.recorder !== undefined) return this.recorder.view(document);
    this.progress.stop();
    const format = this.output === 'json' ? 'json' : 'yaml';
    await writeDocument(this.io, document, { format, ...form });
  }

  /**
   * Ends a command on several names. Scripts get one document. For humans, progress has shown the successes; the errors follow, or
   * the writes that a dry run omitted. The exit code is that of the worst error.
   */
  async finish<Result extends NamedResult>(ended: readonly Result[]): Promise<void> {
    const isChanged = ended.some((each) => 'changed' in each && each.changed);
    const wrong = isChanged ? await this.#follow() : undefined;
    this.progress.stop();
    const results = await Promise.all(
      ended.map(async (each) =>
        each.error ? { ...each, error: await namingRoles(each.error) } : each,
      ),
    );
    const errors = [...results.flatMap(({ error }) => error ?? []), ...(wrong ? [wrong] : [])];
    const rows = [...this.#foreseen.values()].flatMap(({ by }) => by.rows);
    const effects = this.#foreseen.size === 0 ? {} : { effects: rows };
    const writes = this.options.dryRun ? { dryRun: true, writes: this.writes, ...effects } : {};
    const done = results.filter(({ error }) => error === undefined);
    if (this.output === 'name') this.printLines(done.map(({ name }) => name));
    else if (!this.isForPeople) await this.print({ ...toDocument(results, wrong), ...writes });
    else if (this.options.dryRun) this.printLines(this.writes.map(describeWrite));
    if (this.options.dryRun)
      this.progress.note(
        `Dry run: nothing ${this.writes.length === 0 ? 'would be' : 'was'} written.`,
      );
    this.#writeErrors(errors);
    this.exitCode = worstExitCode(errors);
  }

  /** Reports why a printed result is incomplete, each reason once. The exit code then shows that the command is not done. */
  incomplete(errors: readonly StellarError[]): void {
    this.exitCode = worstExitCode(errors);
    if (this.recorder?.hasSaid(errors.map(({ message }) => message))) return;
    this.#writeErrors(errors);
  }

  /**
   * Returns the typed command with options added, as a complete command. The options include those for what was taken from the
   * current context, because a command that does not ask does not rely on it.
   */
  again(...options: string[]): string {
    const { argv } = this.io;
    const added = [...options, ...[...this.assumed].flat()];
    const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
    return command`stellarctl ${[...argv.slice(0, end), ...added, ...argv.slice(end)]}`;
  }

  /** Prints the next steps of the user, a line each. @param steps commands, or the steps of a view */
  next(...steps: readonly string[]): void {
    if (this.options.quiet || this.options.dryRun || this.exitCode !== ExitCode.done) return;
    this.noteLines(
      steps.map((step, index) => `${index === 0 ? 'Next: ' : '      '}${asCalled(step)}`),
    );
  }

  /** Says what an empty list would list, and how to create one. */
  noneIn(where: string, what: string, create: string): void {
    this.progress.note(textOf(run(create, `${where} has no ${what} yet. To create one`)));
  }

  /** The same of a list of a WDS. @param create the words of the command, without the WDS */
  noneInWds(wds: Wds, what: string, create: readonly string[] = createPolicyWords): void {
    this.noneIn(wds.name, what, command`stellarctl ${create} ${flagsOf(wds)}`);
  }

  /** Reports an error of the whole command; scripts get it as their only document. */
  async fail(thrown: unknown): Promise<void> {
    this.progress.stop();
    const error = await namingRoles(thrown);
    const { output: format } = this;
    if (format === 'json' || format === 'yaml')
      await writeDocument(this.io, errorDocument(error), {
        format,
        isOneOfMany: this.recorder !== undefined,
      });
    this.#writeError(error);
  }

  /** Ctrl-C interrupts several names at once, with one message. */
  #writeErrors(errors: readonly StellarError[]): void {
    // Each reason once, and what a user may not do with several kinds as one.
    const alike = Map.groupBy(errors, ({ code, message, next }) =>
      code === 'forbidden' ? refusalOf(message) : JSON.stringify([message, next]),
    );
    for (const [error, ...more] of alike.values()) {
      const others = new Set(more.map(({ message }) => message));
      others.delete(error?.message ?? '');
      const details = [`and ${count(others.size, 'other')} like it`];
      this.#writeError(others.size === 0 ? error : error?.with({ details }));
    }
  }

  #writeError(error: unknown): void {
    writeError(this.io, this.#style, error, this.options.verbose === true);
  }

  override close(): void {
    this.progress.stop();
    super.close();
  }
}

/** How an API server refuses what a user with a role may not do (apiserver, responsewriters.Forbidden). */
const refusedAccount =
  /User "system:serviceaccount:kube-system:\S+" cannot (\w+) resource "([^"]+)" in API group "([^"]*)"/;

/** The right that somebody with a role lacks. */
function lackedRight(
  error: StellarError,
): Pick<Permission, 'verb' | 'group' | 'resource'> | undefined {
  if (error instanceof ApiError) {
    const [, verb, resource = '', group = ''] = refusedAccount.exec(error.words) ?? [];
    return verb === undefined ? undefined : { verb, resource, group };
  }
  const cause = error.cause as LackedRight | undefined;
  return cause?.user?.startsWith('system:serviceaccount:kube-system:') ? cause : undefined;
}

/** Adds to the refusal of somebody with a role which role has the missing right. */
export async function namingRoles<Thrown>(error: Thrown): Promise<Thrown | StellarError> {
  if (!(error instanceof StellarError) || error.code !== 'forbidden') return error;
  const { verb = '', group = '', resource = '' } = lackedRight(error) ?? {};
  const { rolesWith } = await import('../../lib/spaces/roles/roles.ts');
  const { space, names } = rolesWith(verb, group, resource) ?? {};
  if (space === undefined || names === undefined) return error;
  const lead = `An administrator gives role ${names.join(' or ')}`;
  const step = partial(command`stellarctl ${space} context SPACE --role ROLE --for WHO`, lead);
  return error.with({ next: [step, ...error.next] });
}

/** Formats a write that a dry run omitted as a human-readable line. */
function describeWrite({ verb, cluster, kind, namespace, name }: RecordedWrite) {
  const object = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  return `would ${verb} ${object} ${cluster === 'the kubeconfig' ? 'in' : 'on'} ${cluster}`;
}

/**
 * Runs a command's work in a session, reports the result, and returns the exit code.
 * The first Ctrl-C ends it gracefully, a second one immediately.
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
  // A closing terminal sends SIGHUP, and so does its shell. Both together are one request to end.
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

import type { Ora } from 'ora';
import { formatAge, formatElapsed, monotonic } from '../../lib/core/deadline.ts';
import type { Progress, Relay } from '../../lib/core/run.ts';
import { folded, oneLine, terminalLine, writeLines, writeRelayed } from './clean.ts';
import { canAnimate, type Io } from './io.ts';
import type { Style } from './style.ts';

export interface ProgressOptions {
  /** Print only results and errors. */
  quiet: boolean;
  /** The stream for the line about a finished subject: stdout if it is the command's result, stderr if that is JSON. */
  results: 'stdout' | 'stderr';
  style: Style;
  /** A dry run changes nothing, and nothing is done. */
  dryRun?: boolean | undefined;
}

/** Progress with an end: nothing moves on the terminal after `stop`. */
export interface TerminalProgress extends Progress {
  stop(): void;
  /** Lines may move again, for example after a prompt. */
  resume(): void;
}

export function createProgress(io: Io, options: ProgressOptions): TerminalProgress {
  const progress =
    canAnimate(io) && !options.quiet
      ? new AnimatedProgress(io, options)
      : new PlainProgress(io, options);
  return options.dryRun ? Object.assign(progress, { changed() {}, done() {} }) : progress;
}

/** What is waited for, at which stage, and since when. */
interface Waited {
  text: string;
  stage: string | undefined;
  since: number;
}

/** The subjects of a command: the waiting ones, longest wait first, and the results of the others. */
class Subjects {
  protected readonly io: Io;
  protected readonly options: ProgressOptions;
  protected readonly pending = new Map<string, Waited>();
  readonly #failures = new Set<string>();
  #done = 0;
  #started = monotonic();
  /** When lines stopped moving; undefined while they move. */
  protected stopped: number | undefined;

  constructor(io: Io, options: ProgressOptions) {
    this.io = io;
    this.options = options;
  }

  /** The time since the command started, without what a person took to answer: the only duration that is shown. */
  protected get elapsed(): string {
    return formatElapsed(monotonic() - this.#started);
  }

  stop(): void {
    this.stopped ??= monotonic();
  }

  resume(): void {
    if (this.stopped !== undefined) this.#started += monotonic() - this.stopped;
    this.stopped = undefined;
  }

  /** Does not name the subject twice. The wait is the same if only its numbers change. */
  protected awaits(subject: string, why: string, stage?: string): void {
    const text = why.startsWith(`${subject} `) ? why.slice(subject.length + 1) : why;
    const last = this.pending.get(subject);
    const isSame = last?.text.replace(/\d+/g, '') === text.replace(/\d+/g, '');
    this.pending.set(subject, { text, stage, since: isSame ? last.since : monotonic() });
  }

  /** With its stage, and its age if that is not the time since the command started. */
  protected describe({ text, stage, since }: Waited) {
    const ms = monotonic() - since;
    const isOld = ms > shownAgeMs && since - this.#started > 1000;
    const about = [stage && `at ${stage}`, isOld && `for ${formatAge(ms)}`].filter(Boolean);
    return about.length === 0 ? text : `${text} (${about.join(', ')})`;
  }

  failed(subject: string): void {
    this.pending.delete(subject);
    this.#failures.add(subject);
  }

  protected hasSucceeded(subject: string): void {
    this.pending.delete(subject);
    this.#done += 1;
  }

  /** As `12 waiting · 280 done · 8 failed`. */
  protected get counts(): string {
    const counts = { waiting: this.pending.size, done: this.#done, failed: this.#failures.size };
    return Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([what, count]) => `${count} ${what}`)
      .join(' · ');
  }
}

/** One line per change, and from time to time one about what is still waited for: for pipes, files and CI. */
class PlainProgress extends Subjects implements TerminalProgress {
  readonly #lastPrinted = new Map<string, string>();
  /** What was said last of each that is still waited for. */
  readonly #lastBeats = new Map<string, string>();
  #heartbeat: NodeJS.Timeout | undefined;

  note(text: string): void {
    if (!this.options.quiet) writeLines(this.io.stderr, [text]);
  }

  changed(subject: string, text: string): void {
    if (this.#lastPrinted.get(subject) === text) return;
    this.#lastPrinted.set(subject, text);
    this.note(`${subject}: ${text}`);
  }

  reached(subject: string, text: string, took?: boolean): void {
    this.pending.delete(subject);
    this.changed(subject, `${text}${this.#after(took)}`);
  }

  waiting(subject: string, text: string, stage?: string): void {
    this.awaits(subject, text, stage);
    this.#heartbeat ??= setInterval(() => this.#beat(), heartbeatMs).unref();
  }

  done(subject: string, text: string, took?: boolean): void {
    this.hasSucceeded(subject);
    const line = `${subject}: ${text}${this.#after(took)}`;
    if (this.options.results === 'stdout') writeLines(this.io.stdout, [line]);
    else this.note(line);
  }

  override stop(): void {
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
    super.stop();
  }

  relay(): Relay {
    return relayTo(this.io.stderr);
  }

  #beat(): void {
    const areMany = this.pending.size > beatLines;
    if (areMany) this.note(`${this.counts}; waiting longest:`);
    for (const [subject, waited] of [...this.pending].slice(
      0,
      areMany ? longestShown : beatLines,
    )) {
      const isNews = this.#lastBeats.get(subject) !== waited.text;
      this.#lastBeats.set(subject, waited.text);
      this.note(
        `${subject}: still waiting${this.#after(true)}${isNews ? `: ${this.describe(waited)}` : ''}`,
      );
    }
  }

  #after(took: boolean | undefined): string {
    return took ? ` after ${this.elapsed}` : '';
  }
}

/** Output after it starts on its own line. @param done called at the end */
function relayTo(stream: NodeJS.WriteStream, done: () => void = () => {}): Relay {
  let last = '\n';
  return {
    write(text) {
      writeRelayed(stream, text);
      last = text.at(-1) ?? last;
    },
    end() {
      if (!/[\r\n]/.test(last)) stream.write('\n');
      done();
    },
  };
}

const heartbeatMs = 15_000;
/** A shorter wait has no age. */
const shownAgeMs = 5000;
/** With more subjects than this, the periodic lines report only some of them. */
const beatLines = 10;
const longestShown = 3;
/** Quick commands show no spinner. */
const spinnerDelayMs = 300;
const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const frameMs = 80;
/** Redrawn lines leave some lines of the terminal to the permanent ones; at least one is always shown. */
const spareLines = 4;
const shortestFrame = 3;

/** A line for every subject in progress, redrawn; finished ones stay above. */
class AnimatedProgress extends Subjects implements TerminalProgress {
  #starting: NodeJS.Timeout | undefined;
  #spinner: Ora | undefined;
  /** How many programs may be asking a question. */
  #relays = 0;
  #widest = 0;

  constructor(io: Io, options: ProgressOptions) {
    super(io, options);
    this.resume();
  }

  note(text: string): void {
    this.#write(this.io.stderr, text);
  }

  changed(subject: string, text: string): void {
    this.waiting(subject, text);
  }

  reached(subject: string, text: string, took?: boolean): void {
    this.#writeStep(this.io.stderr, subject, text, took);
  }

  waiting(subject: string, text: string, stage?: string): void {
    this.#widest = Math.max(this.#widest, subject.length);
    this.awaits(subject, text, stage);
  }

  done(subject: string, text: string, took?: boolean): void {
    this.hasSucceeded(subject);
    this.#writeStep(this.io[this.options.results], subject, text, took);
  }

  #writeStep(
    stream: NodeJS.WriteStream,
    subject: string,
    text: string,
    took: boolean | undefined,
  ): void {
    this.#widest = Math.max(this.#widest, subject.length);
    const { ok, faint } = this.options.style;
    const elapsed = took ? `   ${faint(this.elapsed)}` : '';
    this.#write(stream, `  ${oneLine(subject).padEnd(this.#widest)}  ${ok} ${text}${elapsed}`);
  }

  override stop(): void {
    super.stop();
    this.#halt();
  }

  #halt(): void {
    clearTimeout(this.#starting);
    this.#spinner?.stop();
    this.#spinner = undefined;
  }

  relay(): Relay {
    this.#relays += 1;
    this.#halt();
    return relayTo(this.io.stderr, () => {
      this.#relays -= 1;
      if (this.stopped === undefined) this.resume();
    });
  }

  override resume(): void {
    super.resume();
    clearTimeout(this.#starting);
    this.#starting = setTimeout(() => this.#start(), spinnerDelayMs).unref();
  }

  async #start(): Promise<void> {
    const { default: ora } = await import('ora');
    if (this.stopped !== undefined || this.#relays > 0 || this.#spinner !== undefined) return;
    // ora clears and counts lines and hides the cursor; the lines, each with its own frame, are its prefix.
    this.#spinner = ora({
      stream: this.io.stderr,
      text: '',
      prefixText: () => this.#frame(),
      spinner: { interval: frameMs, frames: [''] },
      discardStdin: false,
      // canAnimate has decided whether lines may move, by the environment that was passed in.
      isEnabled: true,
    }).start();
  }

  #frame(): string {
    const sign = frames[Math.floor(monotonic() / frameMs) % frames.length] ?? '';
    const room = Math.max(shortestFrame, (this.io.stderr.rows ?? 24) - spareLines);
    const isCounted = this.pending.size > room;
    const shown = [...this.pending].slice(0, isCounted ? room - 1 : room);
    const whole = shown.flatMap((each) => this.#row(each, sign));
    if (!isCounted && whole.length <= room) return whole.join('\n');
    const counts = isCounted ? [terminalLine(`  ${this.counts}`)] : [];
    return [...counts, ...shown.map((each) => this.#row(each, sign, true)[0])].join('\n');
  }

  /** The lines of a subject. @param isCut only one, with what fits */
  #row([subject, waited]: [string, Waited], sign: string, isCut = false): string[] {
    const { elapsed } = this;
    const start = `  ${oneLine(subject).padEnd(this.#widest)}  ${sign} `;
    // Room for the ^C that a terminal prints: a line that wraps because of it would not be cleared completely.
    const columns = (this.io.stderr.columns ?? 80) - 8;
    const room = Math.max(10, columns - start.length - elapsed.length);
    const line = oneLine(this.describe(waited));
    const fitted = isCut && line.length > room ? `${line.slice(0, room - 1)}…` : line;
    const row = terminalLine(`${start}${fitted}   ${this.options.style.faint(elapsed)}`);
    return (isCut ? row : folded(row, columns)).split('\n');
  }

  #write(stream: NodeJS.WriteStream, line: string): void {
    this.#spinner?.clear();
    writeLines(stream, [line]);
    this.#spinner?.render();
  }
}

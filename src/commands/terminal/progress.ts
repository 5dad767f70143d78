import type { Ora } from 'ora';
import { monotonic } from '../../lib/core/clock.ts';
import type { Progress, Relay } from '../../lib/core/progress.ts';
import { oneLine, terminalLine, writeLines, writeRelayed } from './clean.ts';
import { canAnimate, type Io } from './io.ts';
import type { Style } from './style.ts';
import { Subjects } from './subjects.ts';

export interface ProgressOptions {
  /** Print only results and errors. */
  quiet: boolean;
  /** The stream for the line about a finished subject: stdout if it is the command's result, stderr if that is JSON. */
  results: 'stdout' | 'stderr';
  style: Style;
}

/** Progress with an end: nothing moves on the terminal after `stop`. */
export interface TerminalProgress extends Progress {
  stop(): void;
  /** Lines may move again, for example after a prompt. */
  resume(): void;
}

export function createProgress(io: Io, options: ProgressOptions): TerminalProgress {
  return canAnimate(io) && !options.quiet ? new AnimatedProgress(io, options) : new PlainProgress(io, options);
}

/** One line per change, and from time to time one about what is still waited for: for pipes, files and CI. */
class PlainProgress implements TerminalProgress {
  readonly #io: Io;
  readonly #options: ProgressOptions;
  readonly #subjects = new Subjects();
  readonly #lastPrinted = new Map<string, string>();
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(io: Io, options: ProgressOptions) {
    this.#io = io;
    this.#options = options;
  }

  note(text: string): void {
    this.#say(text);
  }

  changed(subject: string, text: string): void {
    if (this.#lastPrinted.get(subject) === text) return;
    this.#lastPrinted.set(subject, text);
    this.#say(`${subject}: ${text}`);
  }

  reached(subject: string, text: string, took?: boolean): void {
    this.#subjects.stopsWaiting(subject);
    this.changed(subject, `${text}${this.#after(took)}`);
  }

  waiting(subject: string, text: string): void {
    this.#subjects.waits(subject, text);
    this.#heartbeat ??= setInterval(() => this.#beat(), heartbeatMs).unref();
  }

  done(subject: string, text: string, took?: boolean): void {
    this.#subjects.isDone(subject);
    const line = `${subject}: ${text}${this.#after(took)}`;
    if (this.#options.results === 'stdout') writeLines(this.#io.stdout, [line]);
    else this.#say(line);
  }

  failed(subject: string, text: string): void {
    this.#subjects.hasFailed(subject, text);
  }

  stop(): void {
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
    this.#subjects.stop();
  }

  resume(): void {
    this.#subjects.resume();
  }

  relay(): Relay {
    return relayTo(this.#io.stderr);
  }

  #beat(): void {
    const { waiting, counts } = this.#subjects;
    if (waiting.size > beatLines) this.#say(`${counts}; waiting longest:`);
    for (const [subject, text] of [...waiting].slice(0, waiting.size > beatLines ? longestShown : beatLines))
      this.#say(`${subject}: still waiting${this.#after(true)}: ${text}`);
  }

  #after(took: boolean | undefined): string {
    return took ? ` after ${this.#subjects.elapsed}` : '';
  }

  #say(line: string): void {
    if (!this.#options.quiet) writeLines(this.#io.stderr, [line]);
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
class AnimatedProgress implements TerminalProgress {
  readonly #io: Io;
  readonly #options: ProgressOptions;
  readonly #subjects = new Subjects();
  #starting: NodeJS.Timeout | undefined;
  #spinner: Ora | undefined;
  #stopped = false;
  /** How many programs may be asking a question. */
  #relays = 0;
  #widest = 0;

  constructor(io: Io, options: ProgressOptions) {
    this.#io = io;
    this.#options = options;
    this.resume();
  }

  note(text: string): void {
    this.#write(this.#io.stderr, text);
  }

  changed(subject: string, text: string): void {
    this.waiting(subject, text);
  }

  reached(subject: string, text: string, took?: boolean): void {
    this.#writeStep(this.#io.stderr, subject, text, took);
  }

  waiting(subject: string, text: string): void {
    this.#widest = Math.max(this.#widest, subject.length);
    this.#subjects.waits(subject, oneLine(text));
  }

  done(subject: string, text: string, took?: boolean): void {
    this.#subjects.isDone(subject);
    const stream = this.#options.results === 'stdout' ? this.#io.stdout : this.#io.stderr;
    this.#writeStep(stream, subject, text, took);
  }

  #writeStep(stream: NodeJS.WriteStream, subject: string, text: string, took: boolean | undefined): void {
    this.#widest = Math.max(this.#widest, subject.length);
    const { ok, faint } = this.#options.style;
    const elapsed = took ? `   ${faint(this.#subjects.elapsed)}` : '';
    this.#write(stream, `  ${oneLine(subject).padEnd(this.#widest)}  ${ok} ${text}${elapsed}`);
  }

  failed(subject: string, text: string): void {
    this.#subjects.hasFailed(subject, oneLine(text));
  }

  stop(): void {
    this.#stopped = true;
    this.#subjects.stop();
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
    return relayTo(this.#io.stderr, () => {
      this.#relays -= 1;
      if (!this.#stopped) this.resume();
    });
  }

  resume(): void {
    this.#stopped = false;
    this.#subjects.resume();
    clearTimeout(this.#starting);
    this.#starting = setTimeout(() => this.#start(), spinnerDelayMs).unref();
  }

  async #start(): Promise<void> {
    const { default: ora } = await import('ora');
    if (this.#stopped || this.#relays > 0 || this.#spinner !== undefined) return;
    // ora clears and counts lines and hides the cursor; the lines, each with its own frame, are its prefix.
    this.#spinner = ora({
      stream: this.#io.stderr,
      text: '',
      prefixText: () => this.#frame(),
      spinner: { interval: frameMs, frames: [''] },
      discardStdin: false,
      // canAnimate has decided whether lines may move, by the environment that was passed in.
      isEnabled: true,
    }).start();
  }

  #frame(): string {
    const frame = frames[Math.floor(monotonic() / frameMs) % frames.length] ?? '';
    const { waiting, failed, counts, elapsed } = this.#subjects;
    const row = ([subject, text]: [string, string]) => this.#row(subject, frame, text, elapsed);
    const room = Math.max(shortestFrame, (this.#io.stderr.rows ?? 24) - spareLines);
    if (waiting.size <= room) return [...waiting].map(row).join('\n');
    const bad = [...failed].slice(0, Math.floor(room / 2)).map(([subject, text]) => this.#row(subject, '✗', text, ''));
    return [terminalLine(`  ${counts}`), ...bad, ...[...waiting].slice(0, room - 1 - bad.length).map(row)].join('\n');
  }

  #row(subject: string, sign: string, text: string, elapsed: string): string {
    const start = `  ${oneLine(subject).padEnd(this.#widest)}  ${sign} `;
    // Room for the ^C that a terminal prints: a line that wraps because of it would not be cleared completely.
    const room = Math.max(10, (this.#io.stderr.columns ?? 80) - start.length - elapsed.length - 8);
    const shown = text.length > room ? `${text.slice(0, room - 1)}…` : text;
    return terminalLine(`${start}${shown}   ${this.#options.style.faint(elapsed)}`);
  }

  #write(stream: NodeJS.WriteStream, line: string): void {
    this.#spinner?.clear();
    writeLines(stream, [line]);
    this.#spinner?.render();
  }
}

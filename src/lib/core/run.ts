import type { Waiting } from './deadline.ts';

/**
 * Reports what the library is doing. The library never prints: a command passes an implementation (src/commands/terminal/progress.ts),
 * tests pass a recorder.
 */
export interface Progress {
  /** A fact about the whole command, reported once. */
  note(text: string): void;
  /** The new state of a subject (a WEC): reported once, in a pipe as its own line. */
  changed(subject: string, text: string): void;
  /** A step of a subject is done, and more follow. @param took whether it took time: shows that since the start of the command */
  reached(subject: string, text: string, took?: boolean): void;
  /** What a subject waits for, and the id of its stage. Shown beside it on a terminal; in a pipe only if the wait becomes long. */
  waiting(subject: string, text: string, stage?: string): void;
  /** The subject has succeeded. @param took the same */
  done(subject: string, text: string, took?: boolean): void;
  /** The subject has failed. The command renders the error itself. */
  failed(subject: string): void;
  /** Starts to relay the output of another program, which may ask a question. */
  relay(): Relay;
}

/** The output of another program, as it arrives: always shown to the user. Nothing else moves until it ends. */
export interface Relay {
  write(text: string): void;
  end(): void;
}

export const silentProgress: Progress = {
  note() {},
  changed() {},
  reached() {},
  waiting() {},
  done() {},
  failed() {},
  relay: () => ({ write() {}, end() {} }),
};

/** The context of a long-running library function, beside its input. */
export interface Run extends Waiting {
  progress: Progress;
  /** `--dry-run`: clients only record writes, and nothing waits for their effects. */
  dryRun?: boolean | undefined;
}

/**
 * How the library tells what it is doing. It never prints: a command hands in an implementation (src/lib/terminal/progress.ts),
 * tests hand in a recorder.
 */
export interface Progress {
  /** A fact about the whole command, said once. */
  note(text: string): void;
  /** What is now true of a subject (a WEC): said once, as a line of its own in a pipe. */
  changed(subject: string, text: string): void;
  /** A step of a subject is done, and there is more to come. @param elapsedMs since the subject's beginning, where it took some */
  reached(subject: string, text: string, elapsedMs?: number): void;
  /** What a subject waits for. Shown beside it on a terminal; in a pipe only when the wait becomes long. */
  waiting(subject: string, text: string): void;
  /** The subject is finished, well. @param elapsedMs milliseconds, where it took some */
  done(subject: string, text: string, elapsedMs?: number): void;
  /** The subject is finished, not well. The error itself is rendered by the command. */
  failed(subject: string, text: string): void;
  /** Begins to pass on what another program says, which may be a question. */
  relay(): Relay;
}

/** What another program says, as it comes: shown to a person in any case. Until its end nothing else moves. */
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

import type { LocalClusters } from './clusters.ts';

/** What one run of a program has. */
export interface Surroundings {
  clusters: LocalClusters;
  /** What it says that its version is. */
  version: string;
  /** What docker says instead of working, where it does not. */
  docker: string | undefined;
  /** Aborted when whoever started the program has ended it. */
  signal: AbortSignal;
  /** Standard output, and standard error. */
  out: (text: string) => void;
  say: (text: string) => void;
}

/** Ends a run: the message is its last words on standard error. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

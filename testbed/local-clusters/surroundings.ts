import type { LocalClusters } from './clusters.ts';

/** The environment of one run. */
export interface Surroundings {
  clusters: LocalClusters;
  /** The version that it reports. */
  version: string;
  /** The error of docker if it does not work. */
  docker: string | undefined;
  /** Aborted when the started program is killed. */
  signal: AbortSignal;
  /** Standard output, and standard error. */
  out: (text: string) => void;
  say: (text: string) => void;
}

/** Ends a run: the message is its last output on standard error. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

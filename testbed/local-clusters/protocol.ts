/** What a program that was started says to the process that answers for it … */
export interface Call {
  program: 'kind' | 'k3d' | 'docker';
  args: string[];
  cwd: string;
  /** The variables that these programs look at. */
  env: Record<string, string>;
  /** What it was given on standard input, where it was asked to read that. */
  stdin?: string;
}

/** … and what it is told to print, and at last its exit code: one JSON document a line. */
export type Answer = { stdout: string } | { stderr: string } | { exitCode: number };

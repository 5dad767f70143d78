/** The request of a started program to the process that answers for it … */
export interface Call {
  program: 'kind' | 'k3d' | 'docker';
  args: string[];
  cwd: string;
  /** The environment variables that these programs use. */
  env: Record<string, string>;
  /** Its standard input, if it was asked to read that. */
  stdin?: string;
}

/** … and the response: output, and finally the exit code, one JSON document per line. */
export type Answer = { stdout: string } | { stderr: string } | { exitCode: number };

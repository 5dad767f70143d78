/** All access of a command to its environment. Tests pass their own. */
export interface Io {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: NodeJS.ProcessEnv;
  /** The arguments after the name of the program. */
  argv: readonly string[];
  /** Whether results can no longer be written. */
  isOutputLost: () => boolean;
}

/** Moving lines need a terminal with a user: not CI, and not a terminal that is too simple or has no size. */
export function canAnimate({ stderr, env }: Io): boolean {
  return Boolean(stderr.isTTY) && stderr.columns > 0 && !env.CI && env.TERM !== 'dumb';
}

/** The values of `-o`. */
export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
/** `short` (only the parts that are not as they should be) is of doctor alone, `manifest` (a file to apply) of policy get, `html` (a page) of status. */
export type OutputFormat = (typeof outputFormats)[number] | 'short' | 'manifest' | 'html';

const forPeople: readonly OutputFormat[] = ['table', 'wide', 'short'];
export const isForPeople = (format: OutputFormat) => forPeople.includes(format);

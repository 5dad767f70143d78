/** Everything by which a command touches its surroundings. Tests hand in their own. */
export interface Io {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: NodeJS.ProcessEnv;
  /** What was typed after the name of the program. */
  argv: readonly string[];
  /** Whether results can no longer be written. */
  isOutputLost: () => boolean;
}

/** Lines that move are for a terminal with a person before it: not for CI, and not for terminals that cannot, or have no size. */
export function canAnimate({ stderr, env }: Io): boolean {
  return Boolean(stderr.isTTY) && stderr.columns > 0 && !env.CI && env.TERM !== 'dumb';
}

/** What `-o` takes. */
export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
/** `short`, only what is not as it should be, is known to doctor alone. */
export type OutputFormat = (typeof outputFormats)[number] | 'short';

const forPeople: readonly OutputFormat[] = ['table', 'wide', 'short'];
export const isForPeople = (format: OutputFormat): boolean => forPeople.includes(format);

/** Everything by which a command touches its surroundings. Tests hand in their own. */
export interface Io {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: NodeJS.ProcessEnv;
  /** How the user called it: `stellarctl`, or `kubectl stellar` as a plugin of kubectl. */
  program: string;
  /** What was typed after that. */
  argv: readonly string[];
  /** Whether results can no longer be written. */
  isOutputLost: () => boolean;
}

/** Lines that move are for a terminal with a person before it: not for CI, and not for terminals that cannot, or have no size. */
export function canAnimate({ stderr, env }: Io): boolean {
  return Boolean(stderr.isTTY) && stderr.columns > 0 && !env.CI && env.TERM !== 'dumb';
}

/** Library and commands write `stellarctl …` in what they tell people to type; as a plugin it is called `kubectl stellar …`. */
export function withProgramName(text: string, program: string): string {
  return program === 'stellarctl'
    ? text
    : text.replace(
        /\bstellarctl (?=(?:init|its|wds|wec|status|doctor|accept|label|properties|deregister)\b)/g,
        `${program} `,
      );
}

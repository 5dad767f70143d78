/** Everything by which a command touches its surroundings. Tests hand in their own. */
export interface Io {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: NodeJS.ProcessEnv;
  /** How the user called it: `stellarctl`, or `kubectl stellar` as a plugin of kubectl. */
  program: string;
}

/** Lines that move are for a terminal with a person before it: not for CI, and not for terminals that cannot, or have no size. */
export function canAnimate({ stderr, env }: Io): boolean {
  return Boolean(stderr.isTTY) && stderr.columns > 0 && !env.CI && env.TERM !== 'dumb';
}

/**
 * Text from elsewhere, as servers' messages and what agents put into their requests, may hold control characters, which a terminal
 * would obey. They are shown as what they are.
 */
export function withoutControls(text: string): string {
  return text.replace(
    // Also what turns the direction of text around (Unicode TR 9), by which one text is made to look like another.
    /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu,
    (character) => {
      const code = character.charCodeAt(0).toString(16);
      return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`;
    },
  );
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

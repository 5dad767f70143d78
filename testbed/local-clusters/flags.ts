/** The flags of a command: with a value, or boolean; short forms with their long ones. */
export interface FlagSet {
  value?: readonly string[];
  boolean?: readonly string[];
  short?: Record<string, string>;
}

/** A parsed command line: every value of each flag, in order, and the remaining arguments. */
export interface Flags {
  values: Map<string, string[]>;
  rest: string[];
  /** The last value of a flag. */
  get(name: string): string | undefined;
  /** Whether a boolean flag is on. */
  isOn(name: string, byDefault?: boolean): boolean;
}

/** Parses flags as Go's pflag does; throws in its words for an unknown one. */
export function parseFlags(
  args: readonly string[],
  { value = [], boolean = [], short = {} }: FlagSet,
): Flags {
  const values = new Map<string, string[]>();
  const rest: string[] = [];
  const left = [...args];
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (!/^-./.test(arg)) {
      rest.push(arg);
      continue;
    }
    const [flag = '', given] = split(arg);
    const isLong = flag.startsWith('--');
    const name = isLong ? flag.slice(2) : (short[flag.slice(1)] ?? '');
    if (!value.includes(name) && !boolean.includes(name)) {
      throw new Error(
        isLong ? `unknown flag: ${flag}` : `unknown shorthand flag: '${flag[1]}' in ${arg}`,
      );
    }
    const found = given ?? (boolean.includes(name) ? 'true' : left.shift());
    if (found === undefined) throw new Error(`flag needs an argument: ${flag}`);
    values.set(name, [...(values.get(name) ?? []), found]);
  }
  const get = (name: string) => values.get(name)?.at(-1);
  return {
    values,
    rest,
    get,
    isOn: (name, byDefault = false) => (get(name) ?? String(byDefault)) === 'true',
  };
}

function split(arg: string): [flag: string, value?: string] {
  const at = arg.indexOf('=');
  return at < 0 ? [arg] : [arg.slice(0, at), arg.slice(at + 1)];
}

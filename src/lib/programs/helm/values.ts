import { isDeepStrictEqual } from 'node:util';

/** Values of a chart, as JSON. A null takes a default of the chart away. */
export type Values = Record<string, unknown>;

/** What helm takes on its command line to make up values, each option as often as it was given. */
export interface ValueOptions {
  values?: readonly string[];
  setJson?: readonly string[];
  set?: readonly string[];
  setString?: readonly string[];
  setFile?: readonly string[];
}

const flags: Record<keyof ValueOptions, string> = {
  values: '--values',
  setJson: '--set-json',
  set: '--set',
  setString: '--set-string',
  setFile: '--set-file',
};

/** The same as helm's own arguments. */
export function valueArguments(options: ValueOptions): string[] {
  return (Object.keys(flags) as (keyof ValueOptions)[]).flatMap((option) =>
    (options[option] ?? []).flatMap((value) => [flags[option], value]),
  );
}

/** Values with others put over them, as helm does it: objects key by key, anything else whole. */
export function mergeValues(under: Values, over: Values): Values {
  const merged = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const present = merged[key];
    merged[key] = isValues(present) && isValues(value) ? mergeValues(present, value) : value;
  }
  return merged;
}

/** Whether everything that is asked for is so already. A number is the same as its digits: helm's --set makes numbers of them. */
export function holds(present: Values, asked: Values): boolean {
  return Object.entries(asked).every(([key, value]) => {
    const there = present[key];
    if (value === null) return there === null || there === undefined;
    if (isValues(value)) return isValues(there) ? holds(there, value) : Object.keys(value).length === 0;
    if (isScalar(value) && isScalar(there)) return String(value) === String(there);
    return isDeepStrictEqual(there, value);
  });
}

export function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isScalar = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';

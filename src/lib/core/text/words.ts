/** Up to three of the names, those most like a given one that is not among them, best first. */
export function nearestNames(given: string, names: readonly string[]): string[] {
  const likeness = new Map(names.map((name) => [name, likenessOf(pairsOf(given), pairsOf(name))]));
  const near = [...likeness].filter(([, value]) => value >= 0.5).sort(([, a], [, b]) => b - a);
  return near.slice(0, 3).map(([name]) => name);
}

/** The same as the end of a sentence about a name that does not exist. */
export function orNearest(given: string, names: readonly string[]): string {
  const near = nearestNames(given, names);
  if (near.length === 0) return '';
  return `; the nearest ${near.length === 1 ? 'name is' : 'names are'} ${near.join(', ')}`;
}

/** The pairs of neighbouring characters, and the last one. */
const pairsOf = (name: string) => [
  ...new Set([...name].map((_, index) => name.slice(index, index + 2))),
];

/** The part of the pairs that both have, from 0 to 1 (Sørensen–Dice). */
const likenessOf = (a: readonly string[], b: readonly string[]) =>
  (2 * a.filter((pair) => b.includes(pair)).length) / (a.length + b.length);

/** Whether a name is likely a slip for another one: a letter too many or too few, or exchanged letters. Digits tell names apart. */
export function isSlip(given: string, meant: string): boolean {
  const [digits, meantDigits] = [given, meant].map((name) => name.replace(/\D/g, ''));
  const [short = '', long = ''] = [given, meant].sort((a, b) => a.length - b.length);
  const isLonger = [...long].some(
    (_, index) => long.slice(0, index) + long.slice(index + 1) === short,
  );
  const sorted = [given, meant].map((name) => [...name.toLowerCase()].sort().join(''));
  return given !== meant && digits === meantDigits && (isLonger || sorted[0] === sorted[1]);
}

/**
 * A message without the values that an API server refuses, as Go prints them: 3,000 characters with addresses of memory, before the reason
 * (k8s.io/apimachinery, pkg/util/validation/field).
 */
export const withoutValues = (message: string) =>
  message.replace(
    /Invalid value: (?:(?!Invalid value: ).){60,}?: (?=[a-z`][^:{}]*(?:, [\w.[\]]+: |\]|$))/gs,
    '',
  );

/** The words of an API server that refuses a kind, without its name. */
export const refusalOf = (words: string) => words.replaceAll(/\S+ is forbidden|"[^"]*"/g, '');

/** Sorts by a text of each: `sort(by(({ name }) => name))`. */
export const by =
  <T>(textOf: (item: T) => string) =>
  (a: T, b: T) =>
    textOf(a) < textOf(b) ? -1 : Number(textOf(a) > textOf(b));

/** A number of things: `1 work`, `2 works`. @param many the plural, if it is not the singular with an s */
export const count = (number: number, one: string, many = `${one}s`) =>
  `${number} ${number === 1 ? one : many}`;

/** What a list leaves out that shows only the first ones: `and 2 others`. Nothing if it shows all. */
export const others = (all: number, listed: number) =>
  all > listed ? [`and ${count(all - listed, 'other')}`] : [];

/** The first ones of a list, and how many others it has. "And 1 other" would be no shorter than its name. */
export function few(all: readonly string[], atMost = 5): string[] {
  const shown = all.length === atMost + 1 ? all.length : atMost;
  return [...all.slice(0, shown), ...others(all.length, shown)];
}

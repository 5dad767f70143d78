/** Up to three of the names, those most like a given one that is not among them, best first. */
export function nearestNames(given: string, names: readonly string[]): string[] {
  const likeness = new Map(names.map((name) => [name, likenessOf(pairsOf(given), pairsOf(name))]));
  const near = [...likeness].filter(([, value]) => value >= 0.5).sort(([, a], [, b]) => b - a);
  return near.slice(0, 3).map(([name]) => name);
}

/** The pairs of neighbouring characters, and the last one. */
const pairsOf = (name: string): string[] => [...new Set([...name].map((_, index) => name.slice(index, index + 2)))];

/** The part of the pairs that both have, from 0 to 1 (Sørensen–Dice). */
const likenessOf = (a: readonly string[], b: readonly string[]): number =>
  (2 * a.filter((pair) => b.includes(pair)).length) / (a.length + b.length);

/** Whether a name is likely a slip for another one: a letter too many or too few, or exchanged letters. Digits tell names apart. */
export function isSlip(given: string, meant: string): boolean {
  const [digits, meantDigits] = [given, meant].map((name) => name.replace(/\D/g, ''));
  const [short = '', long = ''] = [given, meant].sort((a, b) => a.length - b.length);
  const isLonger = [...long].some((_, index) => long.slice(0, index) + long.slice(index + 1) === short);
  const sorted = [given, meant].map((name) => [...name.toLowerCase()].sort().join(''));
  return given !== meant && digits === meantDigits && (isLonger || sorted[0] === sorted[1]);
}

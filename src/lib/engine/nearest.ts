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

interface Version {
  numbers: readonly number[];
  /** What follows the numbers after a hyphen: identifiers of a version before the release. */
  before: readonly string[];
}

/** A version as programs and charts write it: `v3.16.4+g7877b45`, `0.30.0-rc.1`, `v3.22`. */
const form = /v?(\d+)\.(\d+)(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?/;

function parseVersion(text: string): Version {
  const [whole, major, minor, patch = '0', before] = form.exec(text) ?? [];
  if (whole === undefined) throw new Error(`"${text}" is not a version`);
  return { numbers: [major, minor, patch].map(Number), before: before === undefined ? [] : before.split('.') };
}

/** The first version in what a program prints about itself, without a leading `v`; undefined where there is none. */
export function findVersion(text: string): string | undefined {
  return form.exec(text)?.[0].replace(/^v/, '');
}

/**
 * Compares versions by semver's precedence: numbers as numbers, `1.0.0-rc.1` before `1.0.0`, build metadata ignored; a missing
 * patch number is 0. @returns below 0, 0 or above 0
 */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [parseVersion(one), parseVersion(other)];
  for (const [index, number] of a.numbers.entries()) {
    const difference = number - (b.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.before.length === 0 || b.before.length === 0) return b.before.length - a.before.length;
  for (const [index, identifier] of a.before.entries()) {
    const difference = compareIdentifiers(identifier, b.before[index]);
    if (difference !== 0) return difference;
  }
  return a.before.length - b.before.length;
}

/** Numbers come before words, and what is longer after what it begins with. */
function compareIdentifiers(one: string, other: string | undefined): number {
  if (other === undefined) return 1;
  const [a, b] = [one, other].map((identifier) => /^\d+$/.test(identifier));
  if (a && b) return Number(one) - Number(other);
  if (a !== b) return a ? -1 : 1;
  return one < other ? -1 : one > other ? 1 : 0;
}

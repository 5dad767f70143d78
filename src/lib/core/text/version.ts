import coerce from 'semver/functions/coerce.js';
import compare from 'semver/functions/compare.js';

/** A version in the form of programs and charts: `v3.16.4+g7877b45`, `0.30.0-rc.1`, `v3.22`. */
const form = /v?\d+\.\d+(?:\.\d+)?(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?/;

/** The first version in the output of a program, without a leading `v`; undefined if there is none. */
export function findVersion(text: string): string | undefined {
  return form.exec(text)?.[0].replace(/^v/, '');
}

/**
 * Compares versions by semver precedence: numbers as numbers, `1.0.0-rc.1` before `1.0.0`, build metadata ignored; a missing patch
 * number is 0.
 * @returns below 0, 0 or above 0
 */
export const compareVersions = (one: string, other: string) =>
  compare(parseVersion(one), parseVersion(other));

function parseVersion(text: string) {
  const version = coerce(findVersion(text), { includePrerelease: true });
  if (version === null) throw new Error(`"${text}" is not a version`);
  return version;
}

import { StellarError } from '../engine/errors.ts';

/**
 * Checks the name of a WEC: it becomes the name of a namespace, and the Klusterlet's schema allows the same (RFC 1123 label,
 * ≤ 63 characters).
 * @throws StellarError `usage`
 */
export function checkWecName(name: string): void {
  const problem =
    name.length > 63
      ? `it has ${name.length} characters, and at most 63 are possible`
      : /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)
        ? undefined
        : 'only lower-case letters, digits and hyphens are possible, with a letter or digit at both ends';
  if (problem !== undefined) throw new StellarError('usage', `"${name}" cannot be the name of a WEC: ${problem}.`);
}

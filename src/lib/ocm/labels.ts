import { StellarError } from '../errors.ts';

/** Changes to labels: a value to set, or null to remove the label. */
export type LabelChanges = Record<string, string | null>;

const namePattern = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const prefixPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** True for what kubectl takes as a change of a label rather than as a name: `key=value` or `key-`. */
export function isLabelChange(argument: string): boolean {
  return argument.includes('=') || argument.endsWith('-');
}

/**
 * Reads label changes with kubectl's rules: `key=value` sets, `key-` removes, no key both ways.
 * @throws StellarError `usage`
 */
export function parseLabelChanges(arguments_: readonly string[]): LabelChanges {
  const changes: LabelChanges = {};
  for (const argument of arguments_) {
    const equals = argument.indexOf('=');
    const key = equals === -1 ? argument.slice(0, -1) : argument.slice(0, equals);
    const value = equals === -1 ? null : argument.slice(equals + 1);
    const problem = keyProblem(key) ?? (value === null ? undefined : valueProblem(value));
    if (problem !== undefined) throw new StellarError('usage', `"${argument}" is not a label change: ${problem}.`);
    if (Object.hasOwn(changes, key) && changes[key] !== value) {
      throw new StellarError('usage', `The label "${key}" is given twice, with different values.`);
    }
    changes[key] = value;
  }
  return changes;
}

/** Reads labels to set, as `--label key=value`. @throws StellarError `usage` */
export function parseLabels(arguments_: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(parseLabelChanges(arguments_))) {
    if (value === null) throw new StellarError('usage', `"${key}-" would remove a label; give key=value.`);
    labels[key] = value;
  }
  return labels;
}

/** Kubernetes' rules for a label's key (apimachinery, validation.IsQualifiedName). */
function keyProblem(key: string): string | undefined {
  const parts = key.split('/');
  if (parts.length > 2) return 'a key has at most one "/"';
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? (parts[0] ?? '') : undefined;
  if (prefix !== undefined && (prefix.length > 253 || !prefixPattern.test(prefix)))
    return `"${prefix}" is not a DNS name`;
  if (name === '') return 'the key is empty';
  if (name.length > 63) return 'the key is longer than 63 characters';
  return namePattern.test(name)
    ? undefined
    : 'a key has letters, digits, "-", "_" and "." and begins and ends with a letter or digit';
}

/** Kubernetes' rules for a label's value (apimachinery, validation.IsValidLabelValue). */
function valueProblem(value: string): string | undefined {
  if (value === '') return undefined;
  if (value.length > 63) return 'the value is longer than 63 characters';
  return namePattern.test(value)
    ? undefined
    : 'a value has letters, digits, "-", "_" and "." and begins and ends with a letter or digit';
}

/** Labels that are present with another value than the one to set, as `key=present`. */
export function labelConflicts(present: Record<string, string>, changes: LabelChanges): string[] {
  return Object.entries(changes)
    .filter(([key, value]) => value !== null && Object.hasOwn(present, key) && present[key] !== value)
    .map(([key]) => `${key}=${present[key]}`);
}

/** What of the changes is not so already. */
export function effectiveChanges(present: Record<string, string>, changes: LabelChanges): LabelChanges {
  return Object.fromEntries(
    Object.entries(changes).filter(([key, value]) =>
      value === null ? Object.hasOwn(present, key) : present[key] !== value,
    ),
  );
}

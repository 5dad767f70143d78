import { StellarError } from './errors.ts';
import { advice, shellWord } from './next-step.ts';

/** Changes to named values such as labels: a value to set, or null to remove it. */
export type Changes = Record<string, string | null>;

/** The rules of what can be set and removed. Reports the problem of a key and its value (null to remove it); undefined for none. */
export interface ChangeRules {
  /** The word for one of the values: `label`. */
  what: string;
  problemOf(key: string, value: string | null): string | undefined;
}

/** True for an argument that kubectl reads as a change and not as a name: `key=value` or `key-`. */
export function isChange(argument: string): boolean {
  return argument.includes('=') || argument.endsWith('-');
}

/** Parses changes by kubectl's rules: `key=value` sets, `key-` removes, and no key may do both. @throws StellarError `usage` */
export function parseChanges(
  arguments_: readonly string[],
  { what, problemOf }: ChangeRules,
): Changes {
  const changes: Changes = {};
  for (const argument of arguments_) {
    const equals = argument.indexOf('=');
    const key = equals === -1 ? argument.slice(0, -1) : argument.slice(0, equals);
    const value = equals === -1 ? null : argument.slice(equals + 1);
    const problem = isChange(argument) ? problemOf(key, value) : '"=VALUE" is missing';
    if (problem !== undefined)
      throw new StellarError('usage', `"${argument}" is not a ${what} change: ${problem}.`);
    if (Object.hasOwn(changes, key) && changes[key] !== value) {
      throw new StellarError(
        'usage',
        `The ${what} "${key}" is given twice, with different values.`,
      );
    }
    changes[key] = value;
  }
  return changes;
}

const ownName = '{name}';

/** The changes for one WEC: in a value, {name} stands for its name. */
export const changesFor = (name: string, changes: Changes): Changes =>
  Object.fromEntries(
    Object.entries(changes).map(([key, value]) => [key, value?.replaceAll(ownName, name) ?? null]),
  );

/** Changes in the form in which the user types them. */
export const changeWords = (changes: Changes) =>
  Object.entries(changes).map(([key, value]) => (value === null ? `${key}-` : `${key}=${value}`));

/** Present values that differ from the ones to set, as `key=present`. */
export function conflicts(present: Record<string, string>, changes: Changes): string[] {
  return Object.entries(changes)
    .filter(
      ([key, value]) => value !== null && Object.hasOwn(present, key) && present[key] !== value,
    )
    .map(([key]) => `${key}=${present[key]}`);
}

/** The changes that are not in effect yet. */
export function effectiveChanges(present: Record<string, string>, changes: Changes): Changes {
  return Object.fromEntries(
    Object.entries(changes).filter(([key, value]) =>
      value === null ? Object.hasOwn(present, key) : present[key] !== value,
    ),
  );
}

/** The values after the changes. */
export function withChanges(
  present: Record<string, string>,
  changes: Changes,
): Record<string, string> {
  const changed = { ...present };
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete changed[key];
    else changed[key] = value;
  }
  return changed;
}

const namePattern = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const labelForm =
  'has letters, digits, "-", "_" and "." and begins and ends with a letter or digit';
const prefixPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Reads label changes: `key=value` sets, `key-` removes. @throws StellarError `usage` */
export function parseLabelChanges(arguments_: readonly string[]): Changes {
  return parseChanges(arguments_, {
    what: 'label',
    problemOf: (key, value) =>
      labelKeyProblem(key) ?? labelValueProblem(value?.replaceAll(ownName, 'name') ?? ''),
  });
}

/** Reads labels to set, as `--label key=value`. @throws StellarError `usage` */
export function parseLabels(arguments_: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  const bare = arguments_.find((argument) => !isChange(argument));
  if (bare !== undefined)
    throw new StellarError(
      'usage',
      `"${bare}" is not a label: "=VALUE" is missing.`,
      advice(`Give it as ${shellWord(bare)}=VALUE`),
    );
  for (const [key, value] of Object.entries(parseLabelChanges(arguments_))) {
    if (value === null)
      throw new StellarError('usage', `"${key}-" would remove a label; give key=value.`);
    values[key] = value;
  }
  return values;
}

/** Kubernetes' rules for a label's key (apimachinery, validation.IsQualifiedName). */
export function labelKeyProblem(key: string): string | undefined {
  const parts = key.split('/');
  if (parts.length > 2) return 'a key has at most one "/"';
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? (parts[0] ?? '') : undefined;
  if (prefix !== undefined && (prefix.length > 253 || !prefixPattern.test(prefix)))
    return `"${prefix}" is not a DNS name`;
  if (name === '') return 'the key is empty';
  if (name.length > 63) return 'the key is longer than 63 characters';
  return namePattern.test(name) ? undefined : `a key ${labelForm}`;
}

/** Kubernetes' rules for a label's value (apimachinery, validation.IsValidLabelValue). */
export function labelValueProblem(value: string): string | undefined {
  if (value === '') return undefined;
  if (value.length > 63) return 'the value is longer than 63 characters';
  return namePattern.test(value) ? undefined : `a value ${labelForm}`;
}

/** Labels in one word, as kubectl shows them. */
export const formatLabels = (labels: Record<string, string>) =>
  changeWords(labels).sort().join(',') || '<none>';

import { type Changes, isChange, parseChanges } from '../core/changes.ts';
import { shellWord } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { advice } from '../core/next-step.ts';

const namePattern = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const prefixPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Reads label changes: `key=value` sets, `key-` removes. @throws StellarError `usage` */
export function parseLabelChanges(arguments_: readonly string[]): Changes {
  return parseChanges(arguments_, {
    what: 'label',
    problemOf: (key, value) => labelKeyProblem(key) ?? (value === null ? undefined : labelValueProblem(value)),
  });
}

/** Reads labels to set, as `--label key=value`. @throws StellarError `usage` */
export const parseLabels = (arguments_: readonly string[]): Record<string, string> =>
  parseValues(arguments_, 'label', labelValueProblem);

/** Reads annotations to set, as `--annotation key=value`: their values are any text. @throws StellarError `usage` */
export const parseAnnotations = (arguments_: readonly string[]): Record<string, string> =>
  parseValues(arguments_, 'annotation', () => undefined);

function parseValues(
  arguments_: readonly string[],
  what: 'label' | 'annotation',
  problemOfValue: (value: string) => string | undefined,
): Record<string, string> {
  const values: Record<string, string> = {};
  const article = what === 'label' ? 'a' : 'an';
  const bare = arguments_.find((argument) => !isChange(argument));
  if (bare !== undefined)
    throw new StellarError('usage', `"${bare}" is not ${article} ${what}: "=VALUE" is missing.`, {
      next: [advice(`Give it as ${shellWord(bare)}=VALUE`)],
    });
  const problemOf = (key: string, value: string | null) =>
    labelKeyProblem(key) ?? (value === null ? undefined : problemOfValue(value));
  for (const [key, value] of Object.entries(parseChanges(arguments_, { what, problemOf }))) {
    if (value === null) throw new StellarError('usage', `"${key}-" would remove ${article} ${what}; give key=value.`);
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
  return namePattern.test(name)
    ? undefined
    : 'a key has letters, digits, "-", "_" and "." and begins and ends with a letter or digit';
}

/** Kubernetes' rules for a label's value (apimachinery, validation.IsValidLabelValue). */
export function labelValueProblem(value: string): string | undefined {
  if (value === '') return undefined;
  if (value.length > 63) return 'the value is longer than 63 characters';
  return namePattern.test(value)
    ? undefined
    : 'a value has letters, digits, "-", "_" and "." and begins and ends with a letter or digit';
}

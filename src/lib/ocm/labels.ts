import { type Changes, isChange, parseChanges } from '../core/changes.ts';
import { shellWord } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { advice } from '../core/next-step.ts';

const namePattern = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const form = 'has letters, digits, "-", "_" and "." and begins and ends with a letter or digit';
const prefixPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Reads label changes: `key=value` sets, `key-` removes. @throws StellarError `usage` */
export function parseLabelChanges(arguments_: readonly string[]): Changes {
  return parseChanges(arguments_, {
    what: 'label',
    problemOf: (key, value) => labelKeyProblem(key) ?? (value === null ? undefined : labelValueProblem(value)),
  });
}

/** Reads labels to set, as `--label key=value`. @throws StellarError `usage` */
export function parseLabels(arguments_: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  const bare = arguments_.find((argument) => !isChange(argument));
  if (bare !== undefined)
    throw new StellarError('usage', `"${bare}" is not a label: "=VALUE" is missing.`, {
      next: [advice(`Give it as ${shellWord(bare)}=VALUE`)],
    });
  for (const [key, value] of Object.entries(parseLabelChanges(arguments_))) {
    if (value === null) throw new StellarError('usage', `"${key}-" would remove a label; give key=value.`);
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
  return namePattern.test(name) ? undefined : `a key ${form}`;
}

/** Kubernetes' rules for a label's value (apimachinery, validation.IsValidLabelValue). */
export function labelValueProblem(value: string): string | undefined {
  if (value === '') return undefined;
  if (value.length > 63) return 'the value is longer than 63 characters';
  return namePattern.test(value) ? undefined : `a value ${form}`;
}

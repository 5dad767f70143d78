import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../engine/is-object.ts';
import { isSecretFlag, isSecretName, redactText, removed } from '../engine/redact.ts';

/** For variables: removing too much does no harm. */
const isSecretVariable = /token|secret|pass|pwd|credential|auth|key/i;

type Json = Record<string, unknown>;

/**
 * Redacts everything secret in an object: values that look like a secret (engine/redact.ts), the contents, but not the keys, of
 * Secrets and ConfigMaps at any depth, kubectl's copies of the object, and values of fields named like a token, a password or a
 * key.
 */
export function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactText(redactJson(value));
  if (Array.isArray(value))
    return value.map((item, index) => (isAfterFlag(value, index) ? removed : redact(withoutValue(item))));
  return isObject(value) ? redactFields(value) : value;
}

/** Redacts a text that is JSON, as in annotations of kapp and others and in logs: the fields show what is secret. */
export function redactJson(text: string): string {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    const left = redact(value);
    // Unchanged text keeps its form, and long numbers all their digits.
    return isDeepStrictEqual(left, value) ? text : JSON.stringify(left);
  } catch {
    return text;
  }
}

/** `--password=of several words` */
function withoutValue(item: unknown): unknown {
  const [flag = ''] = typeof item === 'string' ? item.split('=', 1) : [];
  return isSecretFlag.test(flag) && flag !== item ? `${flag}=${removed}` : item;
}

/** `['--token', 'abc']` */
function isAfterFlag(values: readonly unknown[], index: number): boolean {
  const [before, value] = [values[index - 1], values[index]];
  return typeof before === 'string' && isSecretFlag.test(before) && typeof value === 'string' && !value.startsWith('-');
}

function redactFields(object: Json): Json {
  const kind = String(object.kind);
  const holdsContents = kind === 'Secret' || kind === 'ConfigMap';
  const isList = kind === 'SecretList' || kind === 'ConfigMapList';
  const entries = Object.entries(object).flatMap(([key, value]): [string, unknown][] => {
    if (key === 'managedFields' || key === 'kubectl.kubernetes.io/last-applied-configuration') return [];
    // Lists omit the kind of their objects.
    if (isList && key === 'items' && Array.isArray(value))
      return [[key, value.map((item) => redact(isObject(item) ? { kind: kind.slice(0, -4), ...item } : item))]];
    if (holdsContents && /^(?:data|stringData|binaryData)$/.test(key)) return [[key, keysOnly(value)]];
    if (isSecretName.test(key) && isPlain(value)) return [[key, removed]];
    const isVariable = key === 'value' && typeof value === 'string' && typeof object.name === 'string';
    if (isVariable && isSecretVariable.test(object.name as string)) return [[key, removed]];
    return [[redactText(key), redact(value)]];
  });
  return Object.fromEntries(entries);
}

/** Neither an object, whose own fields are checked, nor a plain boolean. */
const isPlain = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'number' || (Array.isArray(value) && value.every(isPlain));

const keysOnly = (data: unknown): unknown =>
  isObject(data) ? Object.fromEntries(Object.keys(data).map((key) => [redactText(key), removed])) : removed;

import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../engine/is-object.ts';
import { isSecretFlag, isSecretName, redactText, removed } from '../engine/redact.ts';

/** Of a variable: there is no harm in taking out too much. */
const isSecretVariable = /token|secret|pass|pwd|credential|auth|key/i;

type Json = Record<string, unknown>;

/**
 * Takes what nobody else should see out of everything in an object: what looks like it (engine/redact.ts), contents of Secrets and
 * ConfigMaps wherever they are in it, but for their keys, copies that kubectl keeps of the object, and values of what is called a
 * token, a password or a key.
 */
export function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactText(redactJson(value));
  if (Array.isArray(value))
    return value.map((item, index) => (isAfterFlag(value, index) ? removed : redact(withoutValue(item))));
  return isObject(value) ? redactFields(value) : value;
}

/** A text that is JSON, as kapp and others keep objects in annotations and programs write logs: what is secret shows by its place. */
export function redactJson(text: string): string {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    const left = redact(value);
    // What is as it was keeps its form, and long numbers all their digits.
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
    // Lists leave out what kind their objects are.
    if (isList && key === 'items' && Array.isArray(value))
      return [[key, value.map((item) => redact(isObject(item) ? { kind: kind.slice(0, -4), ...item } : item))]];
    if (holdsContents && /^(?:data|stringData|binaryData)$/.test(key)) return [[key, keysAlone(value)]];
    if (isSecretName.test(key) && isPlain(value)) return [[key, removed]];
    const isVariable = key === 'value' && typeof value === 'string' && typeof object.name === 'string';
    if (isVariable && isSecretVariable.test(object.name as string)) return [[key, removed]];
    return [[redactText(key), redact(value)]];
  });
  return Object.fromEntries(entries);
}

/** Neither an object, whose own fields tell, nor a mere yes or no. */
const isPlain = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'number' || (Array.isArray(value) && value.every(isPlain));

const keysAlone = (data: unknown): unknown =>
  isObject(data) ? Object.fromEntries(Object.keys(data).map((key) => [redactText(key), removed])) : removed;

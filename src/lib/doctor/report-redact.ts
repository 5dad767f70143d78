import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../core/is-object.ts';
import { hidesVariable, isSecretFlag, isSecretName, redactText, removed } from '../core/redact.ts';

/** Fields that contain environment variables, as a list or by name. */
const isEnvironment = /^env(?:ironment|vars?)?$/i;
/** The fields of a secret that say where it is, not what it is. */
const isAboutSecret =
  /^(?:valueFrom|\w*Ref|secretName|name|namespace|path|kind|apiVersion|type|defaultMode|items|audience|expirationSeconds)$/;

/** Flags whose values are secret, or half of them, only as an argument. */
const hidesValue = /^(?:-u|--(?:(?:proxy-)?user|key|from-literal))$/;
/** Copies of an object, who wrote its fields, and what WECs return of the objects in works. */
const isLeftOut = /^(?:managedFields|statusFeedback|rows|kubectl\.kubernetes\.io\/last-applied-configuration)$/;

type Json = Record<string, unknown>;

/**
 * Redacts everything secret in an object: values that look like a secret (core/redact.ts), the contents, but not the keys, of
 * Secrets and ConfigMaps at any depth, kubectl's copies of the object, values of fields named like a token, a password or a key,
 * and those of environment variables that are not known to be harmless.
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

const isSecretArgument = (flag: string): boolean => isSecretFlag.test(flag) || hidesValue.test(flag);

/** `--password=of several words` */
function withoutValue(item: unknown): unknown {
  const [flag = ''] = typeof item === 'string' ? item.split('=', 1) : [];
  return isSecretArgument(flag) && flag !== item ? `${flag}=${removed}` : item;
}

/** `['--token', 'abc']` */
function isAfterFlag(values: readonly unknown[], index: number): boolean {
  const [before, value] = [values[index - 1], values[index]];
  return typeof before === 'string' && isSecretArgument(before) && typeof value === 'string' && !value.startsWith('-');
}

/** @param isVariable whether it is an environment variable */
function redactFields(object: Json, isVariable = false): Json {
  const kind = String(object.kind);
  const holdsContents = kind === 'Secret' || kind === 'ConfigMap';
  const isList = kind === 'SecretList' || kind === 'ConfigMapList';
  const entries = Object.entries(object).flatMap(([key, value]): [string, unknown][] => {
    if (isLeftOut.test(key)) return [];
    // Lists omit the kind of their objects.
    if (isList && key === 'items' && Array.isArray(value))
      return [[key, value.map((item) => redact(isObject(item) ? { kind: kind.slice(0, -4), ...item } : item))]];
    if (holdsContents && /^(?:data|stringData|binaryData)$/.test(key)) return [[key, keysOnly(value)]];
    if (isSecretName.test(key)) return [[key, withoutSecret(value)]];
    if (isEnvironment.test(key)) return [[key, withoutVariables(value)]];
    if (key === 'value' && typeof object.name === 'string' && hidesVariable(object.name, isVariable))
      return [[key, removed]];
    return [[redactText(key), redact(value)]];
  });
  return Object.fromEntries(entries);
}

/** Everything in a secret, but booleans and what says where it is. */
function withoutSecret(value: unknown): unknown {
  if (isObject(value))
    return mapFields(value, (key, field) => (isAboutSecret.test(key) ? redact(field) : withoutSecret(field)));
  if (Array.isArray(value) && value.some(isObject)) return value.map(withoutSecret);
  return typeof value === 'boolean' || value === null ? value : removed;
}

function withoutVariables(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (isObject(item) ? redactFields(item, true) : redact(item)));
  const hide = (name: string, field: unknown) => (hidesVariable(name, true) ? withoutSecret(field) : redact(field));
  return isObject(value) ? mapFields(value, hide) : redact(value);
}

const mapFields = (object: Json, map: (key: string, value: unknown) => unknown): Json =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [redactText(key), map(key, value)]));

const keysOnly = (data: unknown): unknown => (isObject(data) ? mapFields(data, () => removed) : removed);

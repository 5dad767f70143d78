import { isSecretFlag, isSecretName, redactText, removed } from '../engine/redact.ts';

/** Of a variable: there is no harm in taking out too much. */
const isSecretVariable = /token|secret|passw|credential|auth|key/i;

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Takes what nobody else should see out of everything in an object: what looks like it (engine/redact.ts), contents of Secrets and
 * ConfigMaps wherever they are in it, but for their keys, copies that kubectl keeps of the object, and values of what is called a
 * token, a password or a key.
 */
export function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map((item, index) => (isAfterFlag(value, index) ? removed : redact(item)));
  return isObject(value) ? redactFields(value) : value;
}

/** `['--token', 'abc']` */
function isAfterFlag(values: readonly unknown[], index: number): boolean {
  const [before, value] = [values[index - 1], values[index]];
  return typeof before === 'string' && isSecretFlag.test(before) && typeof value === 'string' && !value.startsWith('-');
}

function redactFields(object: Json): Json {
  const holdsContents = object.kind === 'Secret' || object.kind === 'ConfigMap';
  const entries = Object.entries(object).flatMap(([key, value]): [string, unknown][] => {
    if (key === 'managedFields' || key === 'kubectl.kubernetes.io/last-applied-configuration') return [];
    if (holdsContents && /^(?:data|stringData|binaryData)$/.test(key)) return [[key, keysAlone(value)]];
    if (typeof value === 'string' && isSecretName.test(key)) return [[key, removed]];
    const isVariable = key === 'value' && typeof value === 'string' && typeof object.name === 'string';
    if (isVariable && isSecretVariable.test(object.name as string)) return [[key, removed]];
    return [[redactText(key), redact(value)]];
  });
  return Object.fromEntries(entries);
}

const keysAlone = (data: unknown): unknown =>
  isObject(data) ? Object.fromEntries(Object.keys(data).map((key) => [redactText(key), removed])) : removed;

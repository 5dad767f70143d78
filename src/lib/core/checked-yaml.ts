import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
  type YAMLMap,
  type Document as YamlDocument,
} from 'yaml';
import { StellarError } from './errors.ts';
import { count, nearestNames } from './text/words.ts';

/** What is wrong with a text; undefined if nothing is. */
export type Rule = (text: string) => string | undefined;

/** The part of JSON Schema that files need. The rules, which are functions, are not part of what is shipped. */
export interface Schema {
  /** Without one, anything. */
  type?: 'object' | 'array' | 'string' | 'boolean';
  title?: string;
  description?: string;
  const?: string;
  enum?: readonly string[];
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: Schema | false;
  items?: Schema;
  rule?: Rule;
  keyRule?: Rule;
}

/** Something wrong in a file, as one sentence. Line and column begin with 1. */
export interface Fault {
  file: string;
  line: number;
  column: number;
  message: string;
}

/** Where a document is. */
export interface YamlSource {
  file: string;
  lines: LineCounter;
}

export function faultAt({ file, lines }: YamlSource, offset: number, message: string): Fault {
  const { line, col } = lines.linePos(offset);
  return { file, line, column: col, message };
}

export const offsetOf = (node: unknown) => (node as Node | null)?.range?.[0] ?? 0;

/** @param what the files contain @throws StellarError `usage` with all faults, if there are any */
export function refuseFaults(what: string, faults: readonly Fault[]): void {
  if (faults.length === 0) return;
  throw new StellarError(
    'usage',
    `The ${what} has ${count(faults.length, 'fault')}; nothing was written.`,
  ).with({
    details: faults.map(
      ({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`,
    ),
  });
}

/** What the parser finds wrong in a document. */
export const syntaxFaults = ({ errors }: YamlDocument, source: YamlSource): Fault[] =>
  errors.map(({ pos: [offset], message }) =>
    faultAt(source, offset, `It is not YAML: ${sentence(message)}`),
  );

const sentence = (message: string) => (/[.!?]$/.test(message) ? message : `${message}.`);

/** What is checked, for the sentences and the values that depend on it. */
interface Checked {
  document: YamlDocument;
  /** What the file is, as an unknown field says it. */
  title: string | undefined;
  isObject: boolean;
}

/** Something wrong at a node. */
interface Wrong {
  node: unknown;
  message: string;
}

/**
 * Returns all faults of a document, each at the line that must be changed.
 * @param isObject of Kubernetes: a null field is absent, and aliases are values
 */
export function check(
  document: YamlDocument,
  schema: Schema,
  source: YamlSource,
  isObject = false,
): Fault[] {
  const { contents } = document;
  const checked = { document, title: schema.title, isObject };
  return wrongIn({ given: contents, at: '', parent: contents }, schema, checked).map(
    ({ node, message }) => faultAt(source, offsetOf(node), message),
  );
}

/** A value in the document, by its path. A fault is shown at its parent if there is no node. */
interface Place {
  given: unknown;
  at: string;
  parent: unknown;
}

const nameOf = (at: string) => (at === '' ? 'The document' : at);

function wrongIn({ given, at, parent }: Place, schema: Schema, checked: Checked): Wrong[] {
  const node = checked.isObject && isAlias(given) ? given.resolve(checked.document) : given;
  const { type, items = {} } = schema;
  if (type === undefined) return [];
  if (isAlias(node))
    return [{ node, message: 'An alias is not possible here: write the value, or use defaults.' }];
  if (type === 'object' && isMap(node)) return wrongInMap(node, at, schema, checked);
  if (type === 'array' && isSeq(node))
    return node.items.flatMap((item, index) =>
      wrongIn({ given: item, at: `${at}[${index}]`, parent: node }, items, checked),
    );
  const problem = problemOf(node, schema);
  return problem === undefined
    ? []
    : [{ node: node ?? parent, message: `${nameOf(at)}${problem}.` }];
}

/** What is wrong with a value that is neither the map nor the list that it should be, as the end of a sentence. */
function problemOf(node: unknown, { type, rule, ...rules }: Schema) {
  const { value, source = undefined } = isScalar(node) ? node : { value: undefined };
  if (type === 'object') return ' must be a map of names and values';
  if (type === 'array') return ' must be a list';
  if (type === 'boolean') return typeof value === 'boolean' ? undefined : ' must be true or false';
  if (typeof value !== 'string') return ` must be a text${source ? `: write "${source}"` : ''}`;
  const allowed = rules.const === undefined ? rules.enum : [rules.const];
  if (allowed && !allowed.includes(value)) return ` must be ${allowed.join(' or ')}`;
  const problem = rule?.(value);
  return problem && `: ${problem}`;
}

function wrongInMap(map: YAMLMap, at: string, schema: Schema, checked: Checked): Wrong[] {
  const { properties = {}, required = [], additionalProperties, keyRule } = schema;
  const keys = map.items.map(({ key }) => String(isScalar(key) ? key.value : key));
  const lacking = required.filter((name) => !keys.includes(name));
  const inPair = ({ key: node, value }: Pair, key: string): Wrong[] => {
    const path = at === '' ? key : `${at}.${key}`;
    const field = Object.hasOwn(properties, key)
      ? properties[key]
      : additionalProperties || undefined;
    if (field === undefined)
      return [{ node, message: unknownField(path, key, checked.title, Object.keys(properties)) }];
    if (checked.isObject && (isScalar(value) ? value.value : value) === null) return [];
    const problem = keyRule?.(key);
    return problem === undefined
      ? wrongIn({ given: value, at: path, parent: node }, field, checked)
      : [{ node, message: `${path}: ${problem}.` }];
  };
  return [
    ...lacking.map((name) => ({ node: map, message: `${nameOf(at)} lacks ${name}.` })),
    ...map.items.flatMap((pair, index) => inPair(pair, keys[index] ?? '')),
  ];
}

function unknownField(path: string, key: string, title = 'file', known: readonly string[] = []) {
  const [near] = nearestNames(key, known);
  return `${path} is not a field of a ${title}${near === undefined ? '' : `; the nearest one is ${near}`}.`;
}

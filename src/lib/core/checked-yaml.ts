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

export const offsetOf = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0;

/** @param what the files contain @throws StellarError `usage` with all faults, if there are any */
export function refuseFaults(what: string, faults: readonly Fault[]): void {
  if (faults.length === 0) return;
  throw new StellarError(
    'usage',
    `The ${what} has ${count(faults.length, 'fault')}; nothing was written.`,
    {
      details: faults.map(
        ({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`,
      ),
    },
  );
}

/** What the parser finds wrong in a document. */
export const syntaxFaults = ({ errors }: YamlDocument, source: YamlSource): Fault[] =>
  errors.map(({ pos: [offset], message }) =>
    faultAt(source, offset, `It is not YAML: ${sentence(message)}`),
  );

const sentence = (message: string): string => (/[.!?]$/.test(message) ? message : `${message}.`);

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
  const wrong = (node: unknown, message: string): Fault[] => [
    faultAt(source, offsetOf(node), message),
  ];

  /** @param parent where the fault is shown if there is no node */
  const visit = (given: unknown, rules: Schema, at: string, parent: unknown): Fault[] => {
    const node = isObject && isAlias(given) ? given.resolve(document) : given;
    if (rules.type === undefined) return [];
    if (isAlias(node))
      return wrong(node, 'An alias is not possible here: write the value, or use defaults.');
    const place = node ?? parent;
    const where = at === '' ? 'The document' : at;
    if (rules.type === 'object')
      return isMap(node)
        ? visitMap(node, rules, at)
        : wrong(place, `${where} must be a map of names and values.`);
    if (rules.type !== 'array') return visitScalar(node, rules, where, place);
    if (!isSeq(node)) return wrong(place, `${where} must be a list.`);
    return node.items.flatMap((item, index) =>
      visit(item, rules.items as Schema, `${at}[${index}]`, node),
    );
  };

  const visitScalar = (node: unknown, rules: Schema, where: string, place: unknown): Fault[] => {
    const { value, source: typed } = isScalar(node)
      ? node
      : { value: undefined, source: undefined };
    if (rules.type === 'boolean')
      return typeof value === 'boolean' ? [] : wrong(place, `${where} must be true or false.`);
    if (typeof value !== 'string')
      return wrong(place, `${where} must be a text${typed ? `: write "${typed}"` : ''}.`);
    if (rules.const !== undefined)
      return value === rules.const ? [] : wrong(place, `${where} must be ${rules.const}.`);
    if (rules.enum !== undefined && !rules.enum.includes(value))
      return wrong(place, `${where} must be ${rules.enum.join(' or ')}.`);
    const problem = rules.rule?.(value);
    return problem === undefined ? [] : wrong(place, `${where}: ${problem}.`);
  };

  const visitMap = (node: YAMLMap, rules: Schema, at: string): Fault[] => {
    const { properties = {}, required = [], additionalProperties, keyRule } = rules;
    const keys = node.items.map(({ key }) => String(isScalar(key) ? key.value : key));
    const lacking = required.filter((name) => !keys.includes(name));
    const visitPair = ({ key: keyNode, value }: Pair, key: string): Fault[] => {
      const path = at === '' ? key : `${at}.${key}`;
      const field = Object.hasOwn(properties, key)
        ? properties[key]
        : additionalProperties || undefined;
      if (field === undefined)
        return wrong(keyNode, unknownField(path, key, schema.title, Object.keys(properties)));
      if (isObject && (isScalar(value) ? value.value : value) === null) return [];
      const problem = keyRule?.(key);
      return problem === undefined
        ? visit(value, field, path, keyNode)
        : wrong(keyNode, `${path}: ${problem}.`);
    };
    return [
      ...lacking.flatMap((name) =>
        wrong(node, `${at === '' ? 'The document' : at} lacks ${name}.`),
      ),
      ...node.items.flatMap((pair, index) => visitPair(pair, keys[index] ?? '')),
    ];
  };

  return visit(document.contents, schema, '', document.contents);
}

function unknownField(
  path: string,
  key: string,
  title = 'file',
  known: readonly string[] = [],
): string {
  const [near] = nearestNames(key, known);
  return `${path} is not a field of a ${title}${near === undefined ? '' : `; the nearest one is ${near}`}.`;
}

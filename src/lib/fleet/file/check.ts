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
import { nearestNames } from '../../engine/nearest.ts';
import type { Schema } from './schema.ts';

/** Something wrong in a file, as one sentence. Line and column begin with 1. */
export interface Fault {
  file: string;
  line: number;
  column: number;
  message: string;
}

/** Where a document is. */
export interface Source {
  file: string;
  lines: LineCounter;
}

export function faultAt({ file, lines }: Source, offset: number, message: string): Fault {
  const { line, col } = lines.linePos(offset);
  return { file, line, column: col, message };
}

export const offsetOf = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0;

/** Returns all faults of a document, each at the line that must be changed. */
export function check(document: YamlDocument, schema: Schema, source: Source): Fault[] {
  const wrong = (node: unknown, message: string): Fault[] => [faultAt(source, offsetOf(node), message)];

  /** @param parent where the fault is shown if there is no node */
  const visit = (node: unknown, rules: Schema, at: string, parent: unknown): Fault[] => {
    if (isAlias(node)) return wrong(node, 'An alias is not possible here: write the value, or use defaults.');
    const place = node ?? parent;
    const where = at === '' ? 'The document' : at;
    if (rules.type === 'object')
      return isMap(node) ? visitMap(node, rules, at) : wrong(place, `${where} must be a map of names and values.`);
    if (rules.type !== 'array') return visitScalar(node, rules, where, place);
    if (!isSeq(node)) return wrong(place, `${where} must be a list.`);
    return node.items.flatMap((item, index) => visit(item, rules.items as Schema, `${at}[${index}]`, node));
  };

  const visitScalar = (node: unknown, rules: Schema, where: string, place: unknown): Fault[] => {
    const { value, source: typed } = isScalar(node) ? node : { value: undefined, source: undefined };
    if (rules.type === 'boolean')
      return typeof value === 'boolean' ? [] : wrong(place, `${where} must be true or false.`);
    if (typeof value !== 'string') return wrong(place, `${where} must be a text${typed ? `: write "${typed}"` : ''}.`);
    if (rules.const !== undefined) return value === rules.const ? [] : wrong(place, `${where} must be ${rules.const}.`);
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
      const own = Object.hasOwn(properties, key) ? properties[key] : additionalProperties || undefined;
      if (own === undefined) return wrong(keyNode, unknownField(path, key, Object.keys(properties)));
      const problem = keyRule?.(key);
      return problem === undefined ? visit(value, own, path, keyNode) : wrong(keyNode, `${path}: ${problem}.`);
    };
    return [
      ...lacking.flatMap((name) => wrong(node, `${at === '' ? 'The document' : at} lacks ${name}.`)),
      ...node.items.flatMap((pair, index) => visitPair(pair, keys[index] ?? '')),
    ];
  };

  return visit(document.contents, schema, '', document.contents);
}

function unknownField(path: string, key: string, known: readonly string[]): string {
  const [near] = nearestNames(key, known);
  return `${path} is not a field of a Fleet${near === undefined ? '' : `; the nearest one is ${near}`}.`;
}

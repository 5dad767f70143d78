/** The descriptions of JSON documents in docs/output.md, and whether a document matches them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from 'rolldown/utils';

type Type =
  | { is: 'any' | 'null' }
  | { is: 'primitive'; name: string }
  | { is: 'literal'; value: unknown }
  | { is: 'list'; of: Type }
  | { is: 'map'; of: Type }
  | { is: 'object'; fields: Map<string, { type: Type; optional: boolean }> }
  | { is: 'either' | 'both'; of: Type[] }
  | { is: 'named'; name: string; of: Type[] };

interface Documentation {
  /** Documents by the command line that prints them, without the program name: `wec list --watch`. */
  commands: Map<string, Type>;
  types: Map<string, { parameters: string[]; type: Type }>;
}

/** Reads the sections of a page whose headings are commands, and the types in all of them. */
function parseDocumentation(page: string): Documentation {
  const commands: Documentation['commands'] = new Map();
  const types: Documentation['types'] = new Map();
  for (const section of page.split(/^(?=##+ )/m)) {
    const [heading = ''] = section.split('\n', 1);
    const declared = [...section.matchAll(/^```ts\n(.*?)^```$/gms)].flatMap(([, code = '']) =>
      parseTypes(code),
    );
    for (const [name, type] of declared) types.set(name, type);
    const names = heading.startsWith('### `')
      ? [...heading.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
      : [];
    const [first] = declared;
    for (const name of names)
      if (first !== undefined) commands.set(name, { is: 'named', name: first[0], of: [] });
  }
  const [, shorts = ''] = /^### Short documents\n(.*?)^##/ms.exec(page) ?? [];
  for (const [, cell = '', code = ''] of shorts.matchAll(
    /^\| (`[^|]*`) \| `((?:\\\||[^|`])*)` \|/gm,
  )) {
    const [short] = parseTypes(`type Short = ${code.replaceAll('\\|', '|')};`);
    if (short !== undefined)
      for (const [, name = ''] of cell.matchAll(/`([^`]+)`/g)) commands.set(name, short[1].type);
  }
  return { commands, types };
}

const page = path.resolve(import.meta.dirname, '..', 'docs', 'output.md');
const documentation = parseDocumentation(readFileSync(page, 'utf8'));

/** The section that describes the documents of a command line: the one that matches most of its words. */
function sectionOf(words: readonly string[]): string | undefined {
  const names = words.map(
    (word) => ({ ls: 'list', '-w': '--watch' })[word] ?? word.replace(/^(--[a-z-]+)=.*/, '$1'),
  );
  const isShort = names[0] === 'wec' && ['accept', 'label', 'deregister'].includes(names[1] ?? '');
  const line = isShort ? names.slice(1) : names;
  return [...documentation.commands.keys()]
    .filter((section) => {
      const parts = section.split(' ');
      return parts.every((part, at) =>
        part.startsWith('-') ? line.includes(part) : line[at] === part,
      );
    })
    .sort((a, b) => b.split(' ').length - a.split(' ').length)[0];
}

/** The differences between a document and a section, one statement each. */
const differences = (document: unknown, section: string): string[] =>
  check(document, documentation.commands.get(section) ?? { is: 'any' }, section);

/** The command lines whose documents are described. */
export const sections: readonly string[] = [...documentation.commands.keys()];

/** The fields that a section describes, in all its types. */
export const fieldsOf = (section: string): string[] => [
  ...new Set(fieldsIn(documentation.commands.get(section) ?? { is: 'any' }, new Set())),
];

function fieldsIn(type: Type, seen: Set<string>): string[] {
  if (type.is === 'object')
    return [...type.fields].flatMap(([name, field]) => [name, ...fieldsIn(field.type, seen)]);
  if (type.is === 'list' || type.is === 'map') return fieldsIn(type.of, seen);
  if (type.is === 'either' || type.is === 'both')
    return type.of.flatMap((each) => fieldsIn(each, seen));
  if (type.is !== 'named') return [];
  const own = seen.has(type.name) ? [] : fieldsIn(resolve(type), seen.add(type.name));
  return [...own, ...type.of.flatMap((each) => fieldsIn(each, seen))];
}

function check(value: unknown, type: Type, at: string): string[] {
  const resolved = resolve(type);
  const is = (wanted: boolean, what: string) =>
    wanted ? [] : [`${at} is ${JSON.stringify(value)}, not ${what}`];
  switch (resolved.is) {
    case 'any':
      return [];
    case 'null':
      return is(value === null, 'null');
    case 'primitive':
      return is(typeof value === resolved.name, resolved.name);
    case 'literal':
      return is(value === resolved.value, String(resolved.value));
    case 'list':
      if (!Array.isArray(value)) return is(false, 'a list');
      return value.flatMap((each, index) => check(each, resolved.of, `${at}[${index}]`));
    case 'map':
      if (!isObject(value)) return is(false, 'an object');
      return Object.entries(value).flatMap(([key, each]) =>
        check(each, resolved.of, `${at}.${key}`),
      );
    case 'either':
      return resolved.of.length === 0
        ? is(false, 'possible')
        : closest(resolved.of.map((each) => check(value, each, at)));
    case 'object':
      if (!isObject(value)) return is(false, 'an object');
      return checkFields(value, resolved.fields, at);
    default:
      throw new Error(`${at}: ${resolved.is} is not resolved`);
  }
}

function checkFields(value: object, fields: Fields, at: string): string[] {
  const unknown = Object.keys(value).filter((key) => !fields.has(key));
  const given = new Map(Object.entries(value));
  return [
    ...unknown.map((key) => `${at}.${key} is not documented`),
    ...[...fields].flatMap(([key, { type, optional }]) => {
      if (given.has(key)) return check(given.get(key), type, `${at}.${key}`);
      return optional ? [] : [`${at}.${key} is missing`];
    }),
  ];
}

const closest = (all: readonly string[][]): string[] =>
  all.reduce((a, b) => (b.length < a.length ? b : a));

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Fields = Extract<Type, { is: 'object' }>['fields'];

/** A type with names resolved and parameters filled in; alternatives of objects are merged. */
function resolve(type: Type): Type {
  if (type.is === 'named') {
    const found = documentation.types.get(type.name);
    if (found === undefined) throw new Error(`docs/output.md does not say what ${type.name} is`);
    const given = new Map(found.parameters.map((name, index) => [name, type.of[index] as Type]));
    return resolve(fill(found.type, given));
  }
  if (type.is !== 'both') return type;
  const parts = type.of.map(resolve);
  const choice = parts.find((part) => part.is === 'either');
  if (choice?.is === 'either') {
    const others = parts.filter((part) => part !== choice);
    return { is: 'either', of: choice.of.map((each) => ({ is: 'both', of: [each, ...others] })) };
  }
  const objects = parts.flatMap((part) => (part.is === 'object' ? [...part.fields] : []));
  return { is: 'object', fields: new Map(objects) };
}

function fill(type: Type, given: ReadonlyMap<string, Type>): Type {
  if (given.size === 0) return type;
  if (type.is === 'named')
    return given.get(type.name) ?? { ...type, of: type.of.map((each) => fill(each, given)) };
  if (type.is === 'list' || type.is === 'map') return { ...type, of: fill(type.of, given) };
  if (type.is === 'either' || type.is === 'both')
    return { ...type, of: type.of.map((each) => fill(each, given)) };
  if (type.is !== 'object') return type;
  const fields = [...type.fields].map(
    ([name, field]) => [name, { ...field, type: fill(field.type, given) }] as const,
  );
  return { is: 'object', fields: new Map(fields) };
}

type Statement = ReturnType<typeof parseSync>['program']['body'][number];
type Written = Extract<Statement, { type: 'TSTypeAliasDeclaration' }>['typeAnnotation'];

/** The types that a block of the page declares. */
function parseTypes(code: string): [name: string, { parameters: string[]; type: Type }][] {
  const { program, errors } = parseSync('output.ts', code);
  if (errors[0] !== undefined) throw new Error(errors[0].message);
  return program.body.map((each) => {
    if (each.type !== 'TSTypeAliasDeclaration') throw new Error(`${each.type} is no type`);
    const parameters = each.typeParameters?.params.map(({ name }) => name.name) ?? [];
    return [each.id.name, { parameters, type: typeOf(each.typeAnnotation) }];
  });
}

/** The subset of TypeScript that the page uses. */
function typeOf(written: Written): Type {
  switch (written.type) {
    case 'TSUnionType':
      return { is: 'either', of: written.types.map(typeOf) };
    case 'TSIntersectionType':
      return { is: 'both', of: written.types.map(typeOf) };
    case 'TSParenthesizedType':
      return typeOf(written.typeAnnotation);
    case 'TSArrayType':
      return { is: 'list', of: typeOf(written.elementType) };
    case 'TSTupleType':
      return { is: 'list', of: { is: 'either', of: [] } };
    case 'TSNullKeyword':
      return { is: 'null' };
    case 'TSUnknownKeyword':
      return { is: 'any' };
    case 'TSStringKeyword':
      return { is: 'primitive', name: 'string' };
    case 'TSNumberKeyword':
      return { is: 'primitive', name: 'number' };
    case 'TSBooleanKeyword':
      return { is: 'primitive', name: 'boolean' };
    case 'TSLiteralType':
      if ('value' in written.literal) return { is: 'literal', value: written.literal.value };
      break;
    case 'TSTypeReference': {
      const of = written.typeArguments?.params.map(typeOf) ?? [];
      const name = 'name' in written.typeName ? written.typeName.name : '';
      return name === 'Record' ? { is: 'map', of: of[1] as Type } : { is: 'named', name, of };
    }
    case 'TSTypeLiteral': {
      const fields: Fields = new Map();
      for (const member of written.members)
        if (member.type === 'TSPropertySignature' && 'name' in member.key && member.typeAnnotation)
          fields.set(String(member.key.name), {
            type: typeOf(member.typeAnnotation.typeAnnotation),
            optional: member.optional,
          });
      return { is: 'object', fields };
    }
  }
  throw new Error(`docs/output.md has a type that is not understood: ${written.type}`);
}

/** The differences between the output of a run and docs/output.md. @param printed its documents */
export function undocumented(words: readonly string[], printed: readonly unknown[]): string[] {
  const isElsewhere = words.some((word) => ['--raw', '--print-manifests'].includes(word));
  if (isElsewhere || printed.length === 0) return [];
  const section = sectionOf(words);
  if (section === undefined)
    return printed.flatMap((document) => check(document, failed, words.join(' ')));
  return printed.flatMap((document) =>
    closest([differences(document, section), check(document, failed, section)]),
  );
}

const failed: Type = { is: 'named', name: 'Failed', of: [] };

/** Prints the tokens of each folder of src: npm run size. test/unit/size.test.ts compares them with test/unit/size.json. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync, Visitor } from 'rolldown/utils';
import { SyntaxKind } from 'typescript/unstable/ast';
import { createScanner } from 'typescript/unstable/ast/scanner';

/** The tokens of each folder, and of all of them. */
export interface Sizes {
  total: number;
  folders: Record<string, number>;
}

/** Returns the sizes of the sources in a checkout. */
export function measure(root: string): Sizes {
  const folders: Record<string, number> = {};
  for (const file of globSync('src/**/*.ts', { cwd: root }).sort()) {
    const folder = path.dirname(file).split(path.sep).join('/');
    folders[folder] =
      (folders[folder] ?? 0) + countTokens(readFileSync(path.join(root, file), 'utf8'));
  }
  const total = Object.values(folders).reduce((sum, tokens) => sum + tokens, 0);
  return { total, folders };
}

/**
 * Returns how many tokens a source has, as TypeScript's scanner finds them: no comments, no imports, no exports from other modules, and
 * no comma before a closing bracket, which the formatter adds where it breaks a line.
 */
export function countTokens(text: string): number {
  const { code, passed } = read(text);
  return passed.reduce(
    (tokens, { start, end }) => tokens - scan(code.slice(start, end)),
    scan(code),
  );
}

/** Returns the functions of a source that are in no other function, by their first lines. */
export function functionsIn(text: string): { opening: string; tokens: number }[] {
  const { code, functions } = read(text);
  const isInner = ({ start, end }: Range) =>
    functions.some(
      (other) => other.start <= start && end <= other.end && other.end - other.start > end - start,
    );
  return functions
    .filter((range) => !isInner(range))
    .map(({ start, end }) => {
      const [opening = ''] = text.slice(text.lastIndexOf('\n', start) + 1).split('\n', 1);
      return { opening, tokens: scan(code.slice(start, end)) };
    });
}

/** A part of a text. */
interface Range {
  start: number;
  end: number;
}

/**
 * Returns the text in which each regular expression is a number as long as it, because its slashes are divisions to the scanner, and
 * its parts.
 */
function read(text: string): { code: string; passed: Range[]; functions: Range[] } {
  const { program, errors } = parseSync('source.ts', text);
  if (errors[0] !== undefined) throw new Error(errors[0].message);
  const expressions: Range[] = [];
  const functions: Range[] = [];
  const note = (range: Range) => {
    functions.push(range);
  };
  new Visitor({
    Literal: (literal) => {
      if ('regex' in literal) expressions.push(literal);
    },
    FunctionDeclaration: note,
    FunctionExpression: note,
    ArrowFunctionExpression: note,
  }).visit(program);
  const code = expressions.reduce(
    (rest, { start, end }) => `${rest.slice(0, start)}${'0'.repeat(end - start)}${rest.slice(end)}`,
    text,
  );
  const passed = program.body.filter(
    (statement) =>
      statement.type === 'ImportDeclaration' ||
      statement.type === 'ExportAllDeclaration' ||
      (statement.type === 'ExportNamedDeclaration' && statement.source !== null),
  );
  return { code, passed, functions };
}

const closing = [
  SyntaxKind.CloseBraceToken,
  SyntaxKind.CloseBracketToken,
  SyntaxKind.CloseParenToken,
  SyntaxKind.GreaterThanToken,
];

function scan(code: string): number {
  const scanner = createScanner(true, undefined, code);
  // The braces and templates that are open.
  const open: SyntaxKind[] = [];
  let tokens = 0;
  let before: SyntaxKind | undefined;
  for (let kind = scanner.scan(); kind !== SyntaxKind.EndOfFile; kind = scanner.scan()) {
    if (kind === SyntaxKind.OpenBraceToken || kind === SyntaxKind.TemplateHead) open.push(kind);
    if (kind === SyntaxKind.CloseBraceToken && open.pop() === SyntaxKind.TemplateHead) {
      kind = scanner.reScanTemplateToken(false);
      if (kind === SyntaxKind.TemplateMiddle) open.push(SyntaxKind.TemplateHead);
    }
    tokens += before === SyntaxKind.CommaToken && closing.includes(kind) ? 0 : 1;
    before = kind;
  }
  return tokens;
}

/** Returns what exceeds its ceiling, what has none, and the ceilings of nothing, each with what to do. */
export function excesses(sizes: Sizes, ceilings: Sizes): string[] {
  const present: Record<string, number> = { ...sizes.folders, total: sizes.total };
  const allowed: Record<string, number> = { ...ceilings.folders, total: ceilings.total };
  const gone = Object.keys(allowed).filter((name) => present[name] === undefined);
  return [
    ...Object.entries(present).flatMap(([name, tokens]) => excess(name, tokens, allowed[name])),
    ...gone.map((name) => `${name} does not exist: remove its ceiling`),
  ];
}

function excess(name: string, tokens: number, ceiling: number | undefined): string[] {
  if (ceiling === undefined) return [`${name} has ${tokens} tokens and no ceiling: add one`];
  if (tokens <= ceiling) return [];
  return [
    `${name} has ${tokens} tokens, its ceiling is ${ceiling}: remove code; a ceiling is raised only in a commit that says what for`,
  ];
}

/** Prints the sizes, and how dense the lines are. */
function print(root: string): void {
  const { total, folders } = measure(root);
  for (const [name, tokens] of Object.entries({ ...folders, total }))
    console.log(`${name.padEnd(28)} ${String(tokens).padStart(7)}`);
  const files = globSync('src/**/*.ts', { cwd: root });
  const all = files.map((file) => readFileSync(path.join(root, file), 'utf8'));
  const lines = all.flatMap((text) => text.split('\n')).filter((line) => line.trim() !== '');
  const characters = lines.reduce((sum, line) => sum + line.length, 0) / lines.length;
  console.log(`${lines.length} lines of ${characters.toFixed(1)} characters`);
  const joins = all.flatMap(joinsIn);
  const count = (type: string) => joins.filter((each) => each === type).length;
  const objects = count('ObjectExpression');
  const arrays = count('ArrayExpression');
  console.log(`${objects} literals ...{ and ${arrays} literals ...[ that only join`);
}

/** Returns the types of the literals in a source that are spread where their parts could stand. */
function joinsIn(text: string): string[] {
  const joins: string[] = [];
  const visit = ({ type, parts }: { type: string; parts: readonly unknown[] }) => {
    for (const part of parts as ({ type: string; argument?: { type: string } } | null)[])
      if (part?.type === 'SpreadElement' && part.argument?.type === type) joins.push(type);
  };
  new Visitor({
    ObjectExpression: ({ type, properties }) => visit({ type, parts: properties }),
    ArrayExpression: ({ type, elements }) => visit({ type, parts: elements }),
  }).visit(parseSync('source.ts', text).program);
  return joins;
}

if (process.argv[1] === import.meta.filename) print(path.resolve(import.meta.dirname, '..'));

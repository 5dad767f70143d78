/** Prints the tokens of each folder of src, and of the last release: npm run size. */
import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { parseSync, Visitor } from 'rolldown/utils';
import { SyntaxKind } from 'typescript/unstable/ast';
import { createScanner } from 'typescript/unstable/ast/scanner';
import house from '../test/unit/house.json' with { type: 'json' };

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
 * Returns how many tokens of a source run, as TypeScript's scanner finds them: no types, no comments, no imports, no exports from other
 * modules, and no comma before a closing bracket, which the formatter adds where it breaks a line.
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
function read(source: string): { code: string; passed: Range[]; functions: Range[] } {
  // Types become blanks, so that what remains stays where it is.
  const text = stripTypeScriptTypes(source);
  const { program } = parseSync('source.js', text);
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

/** Prints the sizes, and the total of the last release. */
function print(root: string): void {
  const { total, folders } = measure(root);
  const { version, tokens } = house.release;
  const rows = { ...folders, total, [`of ${version}`]: tokens };
  for (const [name, count] of Object.entries(rows))
    console.log(`${name.padEnd(28)} ${String(count).padStart(7)}`);
}

if (process.argv[1] === import.meta.filename) print(path.resolve(import.meta.dirname, '..'));

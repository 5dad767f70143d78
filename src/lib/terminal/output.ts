import { type ErrorReport, reportOf, StellarError } from '../errors.ts';
import type { OutputFormat } from './formats.ts';
import { type Io, withoutControls, withProgramName } from './io.ts';
import type { Style } from './style.ts';
import { type Column, formatTable } from './table.ts';

/**
 * Formats a command's result: a document for scripts, a table for people.
 * @param document what json and yaml show, whole; what it tells people to type is for `stellarctl` (see `asCalled`)
 * @param rows what table and name show of it
 */
export async function formatResult<Row extends { name: string }>(
  format: OutputFormat,
  document: object,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): Promise<string> {
  switch (format) {
    case 'json':
      return `${JSON.stringify(document, null, 2)}\n`;
    case 'yaml': {
      const { stringify } = await import('../yaml.ts');
      return stringify(document);
    }
    case 'name':
      return rows.map(({ name }) => `${name}\n`).join('');
    case 'table':
    case 'wide': {
      const shown = columns.filter(({ wide }) => format === 'wide' || !wide);
      return rows.length === 0 ? '' : `${formatTable(shown, rows).join('\n')}\n`;
    }
  }
}

/** Results of several names, as scripts get them: an error in place of what could not be done. */
export function toDocument<Result extends { error?: StellarError }>(items: readonly Result[]): { items: object[] } {
  return {
    items: items.map(({ error, ...rest }) => (error === undefined ? rest : { ...rest, error: reportOf(error) })),
  };
}

/** The document of a command that failed as a whole. */
export function errorDocument(error: unknown): { items: never[]; error: ErrorReport } {
  return { items: [], error: reportOf(error) };
}

const fieldsToType = ['hint', 'next', 'command'];

/** A document in which what helps next is to be typed as the user has called this program. */
export function asCalled<Document>(document: Document, program: string): Document {
  if (program === 'stellarctl') return document;
  const told = (key: string, value: unknown) =>
    typeof value === 'string' && fieldsToType.includes(key) ? withProgramName(value, program) : value;
  return JSON.parse(JSON.stringify(document, told));
}

/** An error for people: what failed, what belongs to it, what helps. A stack only for our own mistakes, and with `-v`. */
export function writeError(io: Io, style: Style, error: unknown, verbose: boolean): void {
  const lines: string[] = [];
  if (error instanceof StellarError) {
    lines.push(
      `${style.bad} ${withoutControls(error.message)}`,
      ...error.details.map((line) => `    ${withoutControls(line)}`),
    );
    if (error.hint !== undefined) lines.push(`  ${withoutControls(error.hint)}`);
    if (verbose && error.cause instanceof Error)
      lines.push(style.faint(withoutControls(error.cause.stack ?? error.cause.message)));
  } else {
    lines.push(`${style.bad} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    lines.push(
      '  This is a mistake in stellarctl, not yours. Please report it, with the lines above and what you typed.',
    );
  }
  io.stderr.write(`${withProgramName(lines.join('\n'), io.program)}\n`);
}

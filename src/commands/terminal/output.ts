import { reportOf, StellarError } from '../../lib/core/errors.ts';
import { stepLines } from '../../lib/core/next-step.ts';
import { withoutValues } from '../../lib/core/text/words.ts';
import { oneLine, safeJson, safeYaml, writeLines } from './clean.ts';
import type { Io, OutputFormat } from './io.ts';
import type { Style } from './style.ts';

/**
 * Writes a command's result: a document for scripts, a table for people.
 * @param document the whole result, for json and yaml
 * @param rows the part that table and name show
 */
export async function writeResult<Row extends { name: string }>(
  { io, headers, output: format }: { io: Io; headers: boolean; output: OutputFormat },
  document: object,
  rows: readonly Row[],
  columns: Columns<Row>,
): Promise<void> {
  if (format === 'json' || format === 'yaml') return writeDocument(io, document, { format });
  const lines =
    format === 'name'
      ? rows.map(({ name }) => name)
      : rows.length === 0
        ? []
        : formatTable(columns, rows, { headers });
  writeLines(io.stdout, lines, Infinity);
}

/** How a document is written. */
export interface DocumentForm {
  format: 'json' | 'yaml';
  /** One of several documents: a line of JSON, or YAML after its separator. */
  isOneOfMany?: boolean;
}

/** Writes a document for scripts to stdout. */
export async function writeDocument(
  io: Io,
  document: object,
  { format, isOneOfMany }: DocumentForm,
): Promise<void> {
  const text =
    format === 'json'
      ? `${safeJson(document, isOneOfMany ? undefined : 2)}\n`
      : await safeYaml(document);
  io.stdout.write(isOneOfMany && format === 'yaml' ? `---\n${text}` : text);
}

/** Results of several names for scripts: an error in place of a result that failed. @param whole what is wrong with all of them */
export function toDocument<Result extends { error?: StellarError }>(
  items: readonly Result[],
  whole?: StellarError,
): { items: object[] } {
  return {
    ...(whole === undefined ? {} : { error: reportOf(whole) }),
    items: items.map(({ error, ...rest }) =>
      error === undefined ? rest : { ...rest, error: reportOf(error) },
    ),
  };
}

/** The document of a command that failed as a whole. */
export const errorDocument = (error: unknown) => ({ items: [], error: reportOf(error) });

/** An error for people: what failed, its details, what helps. A stack only for our own bugs, and with `-v`. */
export function writeError(io: Io, style: Style, error: unknown, verbose: boolean): void {
  const lines: string[] = [];
  if (error instanceof StellarError) {
    lines.push(`${style.bad} ${error.message}`, ...error.details.map((line) => `    ${line}`));
    lines.push(...stepLines(error.next, '  '));
    if (verbose && error.cause instanceof Error)
      lines.push(...(error.cause.stack ?? error.cause.message).split('\n').map(style.faint));
  } else {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    lines.push(
      ...`${style.bad} ${stack}`.split('\n'),
      '  This is a bug in stellarctl. Please report it, with the lines above and the command that you ran.',
    );
  }
  writeLines(io.stderr, lines);
}

/** The columns of a table: what each shows of a row, by its header. */
export type Columns<Row> = Readonly<Record<string, (row: Row) => string>>;

/** A table as kubectl prints it: upper-case headers, three spaces between columns, no borders. Lines have no trailing spaces. */
export function formatTable<Row>(
  columns: Columns<Row>,
  rows: readonly Row[],
  { headers, widths }: { headers?: boolean; widths?: readonly number[] } = {},
): string[] {
  return aligned(cellsOf(columns, rows), widths).slice(headers === false ? 1 : 0);
}

/** Aligns the cells of rows in columns. @param widths of the columns (default: those of their widest cells) */
export function aligned(rows: readonly (readonly string[])[], widths?: readonly number[]) {
  const cells = rows.map((row) => row.map((cell) => oneLine(withoutValues(cell))));
  const own = widths ?? widthsOf(cells);
  return cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(own[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}

export const columnWidths = <Row>(columns: Columns<Row>, rows: readonly Row[]): number[] =>
  widthsOf(cellsOf(columns, rows));

/** The headers, and the cells of each row. */
const cellsOf = <Row>(columns: Columns<Row>, rows: readonly Row[]): string[][] => [
  Object.keys(columns),
  ...rows.map((row) => Object.values(columns).map((value) => value(row))),
];

const widthsOf = (lines: readonly (readonly string[])[]): number[] =>
  (lines[0] ?? []).map((_, column) =>
    lines.reduce((width, line) => Math.max(width, line[column]?.length ?? 0), 0),
  );

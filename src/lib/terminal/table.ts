import { oneLine } from './clean.ts';

/** A column of a table about `Row`s. */
export interface Column<Row> {
  header: string;
  value: (row: Row) => string;
  /** Shown only with `-o wide`. */
  wide?: boolean;
}

/** A table as kubectl prints it: upper-case headers, three spaces between columns, no borders. Lines end without spaces. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: { headers?: boolean; widths?: number[] } = {},
): string[] {
  const cells = rows.map((row) => columns.map(({ value }) => oneLine(value(row))));
  const lines = options.headers === false ? cells : [columns.map(({ header }) => header), ...cells];
  const widths = options.widths ?? columnWidths(columns, cells);
  return lines.map((line) =>
    line
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - cell.length)))
      .join('   ')
      .trimEnd(),
  );
}

export function columnWidths<Row>(columns: readonly Column<Row>[], cells: readonly string[][]): number[] {
  return columns.map(({ header }, column) =>
    cells.reduce((width, line) => Math.max(width, line[column]?.length ?? 0), header.length),
  );
}

import { stripVTControlCharacters } from 'node:util';
import { canAnimate, type Io } from './io.ts';

/** Whether what is on stdout can be drawn over. */
export function canRedraw(io: Io): boolean {
  return canAnimate({ ...io, stderr: io.stdout });
}

/** Lines that take the place of those before them on a terminal. */
export class Redrawn {
  readonly #terminal: Size;
  /** How wide the lines are that are there now. */
  #widths: number[] = [];

  constructor(terminal: Size) {
    this.#terminal = terminal;
  }

  /** What to send to the terminal. Lines that it has no room for are counted instead. */
  frame(lines: readonly string[]): string {
    const { columns, rows } = this.#terminal;
    // A terminal that has become narrower may have broken lines since.
    const height = this.#widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    // The cursor, which is below the last line, cannot go up further than the screen is high.
    const room = Math.max(1, rows - 1);
    const left = lines.length - room;
    const kept = left <= 0 ? lines : [...lines.slice(0, room - 1), `… and ${left + 1} lines more`];
    const fitting = kept.map((line) => cut(line, columns));
    this.#widths = fitting.map(widthOf);
    const up = height === 0 ? '' : `\x1b[${height}A\r\x1b[J`;
    return `${up}${fitting.map((line) => `${line}\n`).join('')}`;
  }
}

type Size = Pick<NodeJS.WriteStream, 'columns' | 'rows'>;

const widthOf = (line: string): number => stripVTControlCharacters(line).length;

/** A line that may be coloured, cut to a width. */
function cut(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  let room = width - 1;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room
  const parts = line.match(/\u001b\[[\d;]*m|[^\u001b]/gu) ?? [];
  const kept = parts.filter((part) => part.startsWith('\u001b') || room-- > 0);
  return `${kept.join('')}…`;
}

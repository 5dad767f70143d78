import { isDeepStrictEqual, stripVTControlCharacters } from 'node:util';
import { terminalLine } from './clean.ts';
import { canAnimate, type Io } from './io.ts';

/** Whether the output on stdout can be redrawn. */
export function canRedraw(io: Io): boolean {
  return canAnimate({ ...io, stderr: io.stdout });
}

/** Lines that replace the previous ones on a terminal. */
export class Redrawn {
  readonly #terminal: Screen;
  /** The current lines, and the width of the terminal when they were drawn. */
  #lines: string[] = [];
  #columns = 0;

  constructor(terminal: Screen) {
    this.#terminal = terminal;
  }

  draw(lines: readonly string[]): void {
    const frame = this.#frame(lines.map(terminalLine));
    if (frame !== '') this.#terminal.write(frame);
  }

  /** The output for the terminal: empty if nothing differs. Lines without room are replaced by their number. */
  #frame(lines: readonly string[]): string {
    const { columns, rows } = this.#terminal;
    // The cursor is below the last line, and cannot move up further than the height of the screen.
    const room = Math.max(1, rows - 1);
    const left = lines.length - room;
    const kept = left <= 0 ? lines : [...lines.slice(0, room - 1), `… and ${left + 1} more lines`];
    const fitting = kept.map((line) => cut(line, columns));
    if (columns === this.#columns && isDeepStrictEqual(fitting, this.#lines)) return '';
    const up = this.#lines.length === 0 ? '' : `\x1b[${this.#height(columns)}A\r`;
    this.#lines = fitting;
    this.#columns = columns;
    // Each line is erased separately: some terminals move a completely erased screen to the scrollback.
    return `${up}${fitting.map((line) => `\x1b[K${line}\n`).join('')}\x1b[J`;
  }

  /** How many rows the lines take now: a narrower terminal has wrapped some of them. */
  #height(columns: number): number {
    return this.#lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
  }
}

type Screen = Pick<NodeJS.WriteStream, 'columns' | 'rows' | 'write'>;

const widthOf = (line: string): number => stripVTControlCharacters(line).length;

/** A line, possibly coloured, cut to a width. */
function cut(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  let room = width - 1;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room
  const parts = line.match(/\u001b\[[\d;]*m|[^\u001b]/gu) ?? [];
  const kept = parts.filter((part) => part.startsWith('\u001b') || room-- > 0);
  return `${kept.join('')}…`;
}

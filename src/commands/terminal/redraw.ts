import { stripVTControlCharacters } from 'node:util';
import { terminalLine } from './clean.ts';

/** Returns a function that replaces the previous lines on a terminal; lines without room are replaced by their number. */
export function redrawOn(terminal: Screen): (lines: readonly string[]) => void {
  let height = 0;
  return (lines) => {
    const { columns, rows } = terminal;
    // The cursor is below the last line, and cannot move up further than the height of the screen.
    const room = Math.max(1, rows - 1);
    const omitted = lines.length - room;
    const kept =
      omitted <= 0 ? lines : [...lines.slice(0, room - 1), `… and ${omitted + 1} more lines`];
    const up = height === 0 ? '' : `\x1b[${height}A\r`;
    height = kept.length;
    // Each line is erased separately: some terminals move a completely erased screen to the scrollback.
    const drawn = kept.map((line) => `\x1b[K${cut(terminalLine(line), columns)}\n`);
    terminal.write(`${up}${drawn.join('')}\x1b[J`);
  };
}

type Screen = Pick<NodeJS.WriteStream, 'columns' | 'rows' | 'write'>;

/** A line, possibly coloured, cut to a width. */
function cut(line: string, width: number) {
  if (stripVTControlCharacters(line).length <= width) return line;
  let room = width - 1;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room
  const parts = line.match(/\u001b\[[\d;]*m|[^\u001b]/gu) ?? [];
  const kept = parts.filter((part) => part.startsWith('\u001b') || room-- > 0);
  return `${kept.join('')}…`;
}

// biome-ignore-all lint/suspicious/noControlCharactersInRegex: this is about what a terminal is told by them
/** The output of a program to a terminal, and what the user then sees. */

/** A frame of the spinner. */
export const spinner = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;
export const colour = /\u001b\[[\d;]*m/;
/** Sequences that move the cursor, erase, or hide it. */
export const movement = /\u001b\[(?!\d*(;\d+)*m)|\r(?!\n)/;

/** The final screen, after the terminal has processed all output. */
export function shown(screen: string): string[] {
  const lines = [''];
  let row = 0;
  let column = 0;
  const line = () => lines[row] ?? '';
  const put = (text: string) => {
    lines[row] = line().padEnd(column).slice(0, column) + text + line().slice(column + text.length);
    column += text.length;
  };
  const obey = (command: string, count: string) => {
    if (command === 'A') row = Math.max(0, row - Number(count || 1));
    else if (command === 'G') column = Number(count || 1) - 1;
    else if (command === 'K') lines[row] = count === '2' ? '' : line().slice(0, column);
    else if (command === 'J') lines.splice(row, lines.length, line().slice(0, column));
  };
  for (const part of screen.match(/\u001b\[[?\d;]*[A-Za-z]|[\r\n]|[^\u001b\r\n]+/g) ?? []) {
    const [, count = '', command] = /^\u001b\[([?\d;]*)([A-Za-z])$/.exec(part) ?? [];
    if (command !== undefined) obey(command, count);
    else if (part === '\r') column = 0;
    else if (part === '\n') row += 1;
    else put(part);
  }
  return Array.from(lines, (text = '') => text.trimEnd()).filter(Boolean);
}

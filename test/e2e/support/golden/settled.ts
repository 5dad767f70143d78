// biome-ignore-all lint/suspicious/noControlCharactersInRegex: this is about what a terminal is told by them

/** The final contents of a terminal, with colours: how often a spinner was drawn, and whether at all, depends on time alone. */
export function settled(screen: string): string {
  const lines: string[][] = [[]];
  let [row, column] = [0, 0];
  let style = '';
  const line = () => {
    while (lines.length <= row) lines.push([]);
    return lines[row] as string[];
  };
  const put = (character: string) => {
    while (line().length < column) line().push(' ');
    line()[column++] = style + character;
    style = '';
  };
  const endLine = () => {
    // A colour that ends at the end of its line belongs to the line.
    if (style !== '' && column > 0) line()[column - 1] += style;
    if (column > 0) style = '';
  };
  const obey = (count: string, command: string) => {
    if (command === 'A') row = Math.max(0, row - Number(count || 1));
    else if (command === 'G') column = Number(count || 1) - 1;
    else if (command === 'K') line().splice(count === '2' ? 0 : column);
    else if (command === 'J') {
      lines.splice(row + 1);
      line().splice(column);
    }
  };
  for (const part of screen.match(/\u001b\[[?\d;]*[A-Za-z]|[\s\S]/gu) ?? []) {
    const [, count = '', command] = /^\u001b\[([?\d;]*)([A-Za-z])$/.exec(part) ?? [];
    if (command === 'm') style += part;
    else if (command !== undefined) obey(count, command);
    else if (part === '\r' || part === '\n') {
      endLine();
      if (part === '\n') row += 1;
      else column = 0;
    } else put(part);
  }
  endLine();
  const text = lines.map((each) => each.join('').trimEnd()).join('\n');
  return text.trimEnd() === '' ? '' : `${text.trimEnd()}\n`;
}

import { terminalLine } from './clean.ts';

/**
 * Writes lines. All text for people passes here, whatever it comes from and wherever it goes: each becomes one line that no terminal
 * obeys.
 */
export function writeLines(stream: NodeJS.WriteStream, lines: readonly string[]): void {
  if (lines.length > 0) stream.write(lines.map((line) => `${terminalLine(line)}\n`).join(''));
}

/** Writes what another program says, as it comes. */
export function writeRelayed(stream: NodeJS.WriteStream, text: string): void {
  stream.write(
    text
      .split(/\r\n|[\r\n]/)
      .map(terminalLine)
      .join('\n'),
  );
}

/** Writes text of several lines, as help is. */
export function writeText(stream: NodeJS.WriteStream, text: string): void {
  writeLines(stream, text.replace(/\n$/, '').split('\n'));
}

/** The output of a program on a terminal, with the time of each line. */
import xterm, { type IBufferCell, type Terminal } from '@xterm/headless';
import { execa } from 'execa';

/** A piece of a line in one style. */
export interface Span {
  column: number;
  text: string;
  /** A number of the terminal's palette, 0 to 15; undefined: the default color. */
  color: number | undefined;
  bold: boolean;
  dim: boolean;
}

export interface Line {
  /** When text first appeared in it, in seconds since the start. */
  seconds: number;
  text: string;
  spans: Span[];
}

export class Recorder {
  readonly #terminal: Terminal;
  readonly #firstSeen: number[] = [];

  constructor(columns: number) {
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows: 40,
      scrollback: 10_000,
      allowProposedApi: true,
    });
  }

  /** @throws Error if the program fails; what it printed is shown while it runs */
  async run(command: readonly string[], cwd: string): Promise<void> {
    const { cols, rows } = this.#terminal;
    const line = `stty cols ${cols} rows ${rows}; exec ${command.join(' ')}`;
    const child = execa('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
      ...{ cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'inherit', buffer: false },
      env: { TERM: 'xterm-256color', CI: '', NO_COLOR: '' },
    });
    const started = performance.now();
    child.stdout.on('data', (chunk: Buffer) => {
      process.stdout.write(chunk);
      this.#terminal.write(chunk, () => this.#note((performance.now() - started) / 1000));
    });
    await child;
  }

  #note(seconds: number): void {
    const buffer = this.#terminal.buffer.active;
    for (let row = this.#firstSeen.length; row < buffer.baseY + buffer.cursorY; row += 1)
      if (buffer.getLine(row) !== undefined) this.#firstSeen[row] = seconds;
  }

  /** The final lines. */
  lines(): Line[] {
    return this.#firstSeen.map((seconds, row) => {
      const line = this.#terminal.buffer.active.getLine(row);
      return { seconds, text: line?.translateToString(true) ?? '', spans: this.#spansOf(row) };
    });
  }

  #spansOf(row: number): Span[] {
    const line = this.#terminal.buffer.active.getLine(row);
    const spans: Span[] = [];
    for (let column = 0; line !== undefined && column < line.length; column += 1) {
      const cell = line.getCell(column);
      if (cell === undefined || cell.getWidth() === 0) continue;
      const next = { column, text: cell.getChars() || ' ', ...styleOf(cell) };
      const last = spans.at(-1);
      if (last !== undefined && isSameStyle(last, next)) last.text += next.text;
      else spans.push(next);
    }
    return spans.filter(({ text }) => text.trim() !== '');
  }
}

function styleOf(cell: IBufferCell): Pick<Span, 'color' | 'bold' | 'dim'> {
  return {
    color: cell.isFgPalette() ? cell.getFgColor() : undefined,
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
  };
}

const isSameStyle = (one: Span, other: Span): boolean =>
  one.color === other.color && one.bold === other.bold && one.dim === other.dim;

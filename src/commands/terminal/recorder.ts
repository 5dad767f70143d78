import { writeLines } from './clean.ts';
import { canAnimate, type Io, isForPeople, type OutputFormat } from './io.ts';
import { type Columns, columnWidths, formatTable, writeDocument } from './output.ts';
import { redrawOn } from './redraw.ts';

/** Where and how a command prints. */
interface To {
  io: Io;
  output: OutputFormat;
  headers: boolean;
}

/** What a command prints in one round. */
interface Round {
  /** Of a list: for scripts a document each. */
  rows: readonly { name: string }[];
  columns: Columns<never>;
  lines: string[];
  /** A whole document. */
  document?: object;
}

/** Keeps what a watched command prints, and prints of it what differs from the last round. */
export class Recorder {
  readonly #to: To;
  #draw: ((lines: readonly string[]) => void) | undefined;
  #round: Round = { rows: [], columns: {}, lines: [] };
  /** The essence of each row that was printed, by its name. */
  #rows: ReadonlyMap<string, string> = new Map();
  #widths: readonly number[] | undefined;
  #lines = '';
  #document: string | undefined;
  #errors = '';

  /** @param mayDraw nothing else is written to the terminal */
  constructor(to: To, mayDraw: boolean) {
    const { io, output } = to;
    this.#to = to;
    if (mayDraw && isForPeople(output) && canAnimate({ ...io, stderr: io.stdout }))
      this.#draw = redrawOn(io.stdout);
  }

  begin(): void {
    this.#round = { rows: [], columns: {}, lines: [] };
  }

  /** A list, whose document has items, or a view. */
  table<Row extends { name: string }>(
    document: object,
    rows: readonly Row[],
    columns: Columns<Row>,
  ): void {
    const isForScripts = ['json', 'yaml'].includes(this.#to.output);
    if (isForScripts && !('items' in document)) this.view(document);
    else this.#round = { ...this.#round, rows, columns };
  }

  view(document: object): void {
    this.#round.document = document;
  }

  lines(lines: readonly string[]): void {
    this.#round.lines.push(...lines);
  }

  /** Whether the errors of a round are those of the last one. */
  hasSaid(errors: readonly string[]): boolean {
    const last = this.#errors;
    const text = ageless(errors.join('\n'));
    this.#errors = text;
    // What is drawn next is below the errors.
    if (text !== last && this.#draw !== undefined) this.#draw = redrawOn(this.#to.io.stdout);
    return text === last;
  }

  async end(): Promise<void> {
    const { document, rows, lines } = this.#round;
    const essence = document && comparable(document);
    if (document !== undefined && essence !== this.#document) await this.#write(document);
    this.#document = essence;
    const essences = new Map(rows.map((row) => [row.name, comparable(row)]));
    const changed = rows.filter(({ name }) => this.#rows.get(name) !== essences.get(name));
    const gone = [...this.#rows.keys()].filter((name) => !essences.has(name));
    this.#rows = essences;
    if (lines.length > 0) this.#show(lines);
    if (changed.length + gone.length > 0) await this.#print(changed, gone);
  }

  /** Replaces the lines of a view on a terminal; elsewhere prints them again after a change. */
  #show(lines: readonly string[]): void {
    const essence = ageless(lines.join('\n'));
    this.#draw?.(lines);
    if (this.#draw !== undefined || essence === this.#lines) return;
    writeLines(this.#to.io.stdout, this.#lines === '' ? lines : ['', ...lines]);
    this.#lines = essence;
  }

  async #print(changed: readonly { name: string }[], gone: readonly string[]): Promise<void> {
    const { io, output } = this.#to;
    if (output === 'name')
      return writeLines(io.stdout, [...changed.map(({ name }) => name), ...gone]);
    if (!isForPeople(output)) {
      for (const document of [...changed, ...gone.map((name) => ({ name, deleted: true }))])
        await this.#write(document);
      return;
    }
    const { columns, rows } = this.#round;
    const headers = this.#to.headers && this.#widths === undefined;
    this.#widths ??= columnWidths(columns, rows as never[]);
    const table = formatTable(columns, changed as never[], { widths: this.#widths, headers });
    const lines = [...table, ...gone.map((name) => `${name}   deleted`)];
    writeLines(io.stdout, lines, Infinity);
  }

  #write(document: object): Promise<void> {
    const { io, output } = this.#to;
    return writeDocument(io, document, {
      format: output === 'json' ? 'json' : 'yaml',
      isOneOfMany: true,
    });
  }
}

/** Returns the part of a view whose change counts as a change: without leases and the ages in its text, which grow all the time. */
export function comparable(view: object): string {
  return JSON.stringify(view, (key, value) =>
    /renewed$/i.test(key)
      ? undefined
      : typeof value === 'string' && statements.includes(key)
        ? ageless(value)
        : value,
  );
}

const statements = ['reason', 'state', 'why', 'message', 'unseen', 'problem'];

/** Text without the ages in it. */
const ageless = (text: string) => text.replaceAll(duration, '');
const duration = /\b(?:\d+(?:\.\d+)?(?:ms|[smhdy]))+\b/g;

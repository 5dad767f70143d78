/** Thrown for a text of another form. */
const otherForm = new Error('not plain');

/** Words that are not strings in every YAML version: YAML 1.1 has several kinds of booleans. */
const otherWords = /^(y|yes|n|no|on|off|true|false|null)$/i;
/** In a mapping, a name before `: ` or the end of the line. */
const keyForm = /^([A-Za-z][\w./-]*):(?: (\S.*))?$/;
/** Characters with no meaning to YAML at the start or the end, hence a string: addresses, base64, names, options of programs. */
const stringForm = /^(?:--)?[A-Za-z][\w./:@+=-]*(?<!:)$/;
const quotedForm = /^"([ !#-[\]-~]*)"$/;

/**
 * Reads YAML in the form that kubectl, kind, k3d and cloud programs write kubeconfigs in: blocks, one entry per line, names and
 * values of few kinds. The yaml package, which reads everything, takes 12 ms of processor time to load, of 90 ms of a command that
 * reads only a kubeconfig (medians of 30 pairs of runs, Node 24).
 * @returns the same value as the yaml package; undefined for a text of any other form, valid or not
 */
export function readPlainYaml(text: string): unknown {
  try {
    const lines = new Lines(text.replace(/\n$/, '').split('\n'));
    const content = readBlock(lines, 0);
    return lines.indent === undefined ? content : undefined;
  } catch (error) {
    if (error === otherForm) return undefined;
    throw error;
  }
}

class Lines {
  readonly #lines: string[];
  #at = 0;

  constructor(lines: string[]) {
    this.#lines = lines;
  }

  /** The indentation of the next line; undefined at the end. */
  get indent(): number | undefined {
    const line = this.#lines[this.#at];
    return line === undefined ? undefined : (/^ */.exec(line)?.[0].length as number);
  }

  /** The next line without its indentation. */
  get next(): string {
    return (this.#lines[this.#at] as string).slice(this.indent);
  }

  get isItem(): boolean {
    return this.indent !== undefined && this.next.startsWith('- ');
  }

  take(): string {
    const line = this.next;
    this.#at += 1;
    return line;
  }

  /** Turns the content after `- ` into its own line, at the depth of its mapping. */
  openItem(): void {
    this.#lines[this.#at] = (this.#lines[this.#at] as string).replace('- ', '  ');
  }
}

/** Deeper than any kubeconfig, and shallow enough for the stack. */
const deepest = 60;

/** Reads the block at this indentation. */
function readBlock(lines: Lines, indent: number): unknown {
  if (lines.indent !== indent || indent > deepest) throw otherForm;
  if (lines.isItem) return readItems(lines, indent);
  return keyForm.test(lines.next) ? readMapping(lines, indent) : readScalar(lines.take());
}

function readItems(lines: Lines, indent: number): unknown[] {
  const items: unknown[] = [];
  while (lines.indent === indent && lines.isItem) {
    lines.openItem();
    items.push(readBlock(lines, indent + 2));
  }
  return items;
}

function readMapping(lines: Lines, indent: number): Record<string, unknown> {
  const mapping: Record<string, unknown> = {};
  while (lines.indent === indent && !lines.isItem) {
    const [, key = '', value] = keyForm.exec(lines.take()) ?? [];
    if (key === '' || otherWords.test(key) || Object.hasOwn(mapping, key)) throw otherForm;
    mapping[key] = value === undefined ? readBelow(lines, indent) : readScalar(value);
  }
  return mapping;
}

/** Reads the value below a key that is alone in its line. Its list items may have the same indentation as the key. */
function readBelow(lines: Lines, indent: number): unknown {
  const below = lines.indent ?? 0;
  if (below > indent) return readBlock(lines, below);
  return below === indent && lines.isItem ? readItems(lines, indent) : null;
}

function readScalar(text: string): unknown {
  if (text === '{}') return {};
  if (text === '[]') return [];
  if (text === 'null') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  const quoted = quotedForm.exec(text)?.[1];
  if (quoted !== undefined) return quoted;
  if (!stringForm.test(text) || otherWords.test(text)) throw otherForm;
  return text;
}

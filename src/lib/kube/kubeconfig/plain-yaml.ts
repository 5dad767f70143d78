/** Thrown where a text has another form. */
const otherForm = new Error('not plain');

/** Words that are strings to nobody: YAML 1.1 has booleans of several kinds. */
const otherWords = /^(y|yes|n|no|on|off|true|false|null)$/i;
/** In a mapping, a name before `: ` or the end of the line. */
const keyForm = /^([A-Za-z][\w./-]*):(?: (\S.*))?$/;
/** What neither begins nor ends anything else, so that it is a string: addresses, base64, names, options of programs. */
const stringForm = /^(?:--)?[A-Za-z][\w./:@+=-]*(?<!:)$/;
const quotedForm = /^"([ !#-[\]-~]*)"$/;

/**
 * Reads YAML in the form in which kubectl, kind, k3d and cloud programs write kubeconfigs: blocks, a line an entry, names and values of
 * few kinds. The yaml package, which reads everything, takes longer to load than a small file takes to be read.
 * @returns what the yaml package makes of it; undefined for a text of any other form, be it right or wrong
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

  /** How many spaces the next line begins with; undefined at the end. */
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

  /** Makes what follows the `- ` of the next line a line of its own, as deep as what belongs to it. */
  openItem(): void {
    this.#lines[this.#at] = (this.#lines[this.#at] as string).replace('- ', '  ');
  }
}

/** Deeper than any kubeconfig; nothing is read so deep that the stack ends. */
const deepest = 60;

/** Reads what begins at this indentation. */
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

/** What belongs to a key that is alone in its line. Items may be as deep as it is. */
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

let mark: string | undefined;

/**
 * Stands for the escape character in the colours of a `Style`. Text from elsewhere cannot hold it, since it is another one in every
 * process: so everything that is written can be cleaned at one place, whatever it was put together from. Made for the first colour:
 * help has none, and does not wait for Node's cryptography to be loaded.
 */
export function colourMark(): string {
  mark ??= `\0${process.getBuiltinModule('node:crypto').randomUUID()}`;
  return mark;
}

/** Control characters, and format characters, which turn the direction of text around (Unicode TR 9) or show nothing at all. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** Some of these are white space that documents have between their values. */
const unsafeInDocument = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const lineBreaks = /(?:\r\n|[\n\v\f\r\x85\u2028\u2029])\s*/g;

/** In UTF-16 units: nobody reads more of one message. */
const longest = 8000;

/**
 * Text as one line in which no character does anything to a terminal: line breaks become `⏎`, other control characters are shown as
 * what they are. Colours of a `Style` stay marked.
 */
export function oneLine(text: string): string {
  return mark === undefined ? cleaned(text) : text.split(mark).map(cleaned).join(mark);
}

/** The same, with the colours of a `Style` as terminals take them: only for what is written next. */
export function terminalLine(text: string): string {
  return mark === undefined ? cleaned(text) : text.split(mark).map(cleaned).join('\x1b');
}

function cleaned(text: string): string {
  const left = text.length - longest;
  const kept = left <= 0 ? text : `${text.slice(0, longest)}… (${left} characters more)`;
  return trimLineBreaks(kept)
    .replace(lineBreaks, ' ⏎ ')
    .replaceAll('\t', ' ')
    .replace(unsafe, (character) => {
      const code = (character.codePointAt(0) ?? 0).toString(16);
      if (code.length > 4) return `\\u{${code}}`;
      return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
    });
}

/** Messages of programs and servers often end with a line break, which says nothing. */
const trimLineBreaks = (text: string): string => (/[\n\r]$/.test(text) ? text.trimEnd() : text);

/** JSON in which no character does anything to a terminal. It means the same. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(unsafeInDocument, (character) =>
    Array.from({ length: character.length }, (_, unit) => escaped(character.charCodeAt(unit))).join(''),
  );
}

/** YAML in which no character does anything to a terminal. It means the same. */
export async function safeYaml(value: unknown): Promise<string> {
  // CommonJS, of which a bundled dynamic import sees no names.
  const { Document, visit } = (await import('yaml')).default;
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_key, node) {
      // Only between double quotes characters can be written as what they are.
      if (typeof node.value === 'string' && node.value.search(unsafeInDocument) !== -1) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString().replace(unsafeInDocument, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : escaped(code);
  });
}

const escaped = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;

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

/** Writes lines for programs, their fields separated by tabs. */
export function writeFields(stream: NodeJS.WriteStream, lines: readonly (readonly string[])[]): void {
  stream.write(lines.map((fields) => `${fields.map(terminalLine).join('\t')}\n`).join(''));
}

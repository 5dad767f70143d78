import { stripVTControlCharacters } from 'node:util';
import { yamlOfGo } from '../../lib/core/text/formats.ts';
import { withoutValues } from '../../lib/core/text/words.ts';

let mark: string | undefined;

/**
 * A placeholder for the escape character in the colours of a `Style`. It differs in every process, so text from elsewhere cannot
 * contain it. One place can therefore sanitize all output, whatever its parts are. Created for the first colour: help has none, and
 * does not wait for Node's cryptography to load.
 */
export function colourMark(): string {
  mark ??= `\0${process.getBuiltinModule('node:crypto').randomUUID()}`;
  return mark;
}

/** Control characters, and format characters that change the direction of text (Unicode TR 9) or are invisible. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** Documents use some of these as white space between their values. */
const unsafeInDocument = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const lineBreaks = /(?:\r\n|[\n\v\f\r\x85\u2028\u2029])\s*/g;

/** In UTF-16 units: no one reads more of one message. */
const longest = 8000;

/**
 * Text as one line without effect on a terminal: line breaks become `⏎`, other control characters are shown as escapes. Colours of
 * a `Style` stay marked.
 */
export const oneLine = (text: string) => lineWith(text, mark ?? '');

/** The same with the colours of a `Style` as terminal sequences: only for text that is written next. */
export const terminalLine = (text: string) => lineWith(text, '\x1b');

/** @param colour what stands for the escape character of a colour */
const lineWith = (text: string, colour: string) =>
  mark === undefined ? cleaned(text) : text.split(mark).map(cleaned).join(colour);

/** Whether the values that API servers have refused are shown as well: with -o wide. */
export const refusedValues = { areShown: false };

function cleaned(given: string) {
  const text = refusedValues.areShown ? given : withoutValues(given);
  const omitted = text.length - longest;
  const kept = omitted <= 0 ? text : `${text.slice(0, longest)}… (${omitted} characters more)`;
  return trimLineBreaks(kept)
    .replace(lineBreaks, ' ⏎ ')
    .replaceAll('\t', ' ')
    .replace(unsafe, (character) => {
      const code = (character.codePointAt(0) ?? 0).toString(16);
      if (code.length > 4) return `\\u{${code}}`;
      return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
    });
}

/** Messages of programs and servers often end with a line break without a meaning. */
const trimLineBreaks = (text: string) => (/[\n\r]$/.test(text) ? text.trimEnd() : text);

/** JSON without effect on a terminal. Its value is the same. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(unsafeInDocument, (character) =>
    Array.from({ length: character.length }, (_, unit) => escaped(character.charCodeAt(unit))).join(
      '',
    ),
  );
}

const escaped = (unit: number) => `\\u${unit.toString(16).padStart(4, '0')}`;

/** YAML without effect on a terminal, as Go reads it: what YAML would not escape is written as JSON, which is YAML as well. */
export async function safeYaml(value: unknown): Promise<string> {
  // CommonJS: a bundled dynamic import does not see its named exports.
  const { stringify } = (await import('yaml')).default;
  const text = stringify(value, { ...yamlOfGo, aliasDuplicateObjects: false });
  return text.search(unsafeInDocument) === -1 ? text : `${safeJson(value, 2)}\n`;
}

/** What the continuations of a line are indented by: spaces, a title or a subject, and a symbol or the sign of a spinner. */
const leads = /^ *(?:[\w.,/<> -]+? {2,})?(?:[✓✗!•?\u2800-\u28ff-] )?/u;
/** What a line is not broken in, with the space before it: a command up to its note, a quoted one, any other word. */
const unbroken =
  / *(?:(?<=^ *|[:?] +)(?:stellarctl|kubectl|clusteradm|helm|docker|k?3d|kind) .*?(?= {6}\(|$)|`[^`]*`\S*|\S+)/g;

/** A line as a terminal shows it, broken at words. A command stays whole, so that it can be copied. */
export function folded(line: string, columns: number): string {
  const widthOf = (text: string) => stripVTControlCharacters(text).length;
  if (widthOf(line) <= columns) return line;
  const [lead] = leads.exec(stripVTControlCharacters(line)) ?? [''];
  const indent = ' '.repeat(Math.min(lead.length, Math.floor(columns / 2)));
  const [first = '', ...pieces] = line.match(unbroken) ?? [];
  const lines = [first];
  for (const piece of pieces) {
    const longer = `${lines.at(-1)}${piece}`;
    if (widthOf(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(`${indent}${piece.trimStart()}`);
  }
  return lines.join('\n');
}

/**
 * Writes lines. All text for people passes through here, from any source and to any stream: each entry becomes one line without
 * effect on a terminal. @param columns where lines are broken at words: not those of tables, and of other programs
 */
export function writeLines(
  stream: NodeJS.WriteStream,
  lines: readonly string[],
  columns = (stream.isTTY && stream.columns) || Infinity,
): void {
  if (lines.length > 0)
    stream.write(lines.map((line) => `${folded(terminalLine(line), columns)}\n`).join(''));
}

/** Writes the output of another program as it arrives. */
export function writeRelayed(stream: NodeJS.WriteStream, text: string): void {
  const lines = text.split(/\r\n|[\r\n]/);
  stream.write(lines.map(terminalLine).join('\n'));
}

/** Writes text of several lines, such as help. */
export function writeText(stream: NodeJS.WriteStream, text: string): void {
  writeLines(stream, text.replace(/\n$/, '').split('\n'));
}

/** Writes lines for programs, with tab-separated fields. */
export function writeFields(
  stream: NodeJS.WriteStream,
  lines: readonly (readonly string[])[],
): void {
  stream.write(lines.map((fields) => `${fields.map(terminalLine).join('\t')}\n`).join(''));
}

/** Writes the table of contents of docs/output.md from its headings. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export const outputFile = path.resolve(import.meta.dirname, '..', 'docs', 'output.md');

const begin = '<!-- contents -->\n';
const end = '<!-- end of contents -->\n';

/** @param present the page @returns the page with a table of contents from its headings */
export function withContents(present: string): string {
  const [before = '', rest = ''] = present.split(begin);
  const [, after = rest] = rest.split(end);
  const headings = [...after.matchAll(/^(##+) (.*)$/gm)];
  const lines = headings.map(
    ([, marks = '', title = '']) => `${'  '.repeat(marks.length - 2)}- [${title}](#${anchorOf(title)})`,
  );
  return `${before}${begin}\n${lines.join('\n')}\n\n${end}${after}`;
}

/** Same rules as GitHub. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

if (process.argv[1] === import.meta.filename) writeFileSync(outputFile, withContents(readFileSync(outputFile, 'utf8')));

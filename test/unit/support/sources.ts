import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../pages.ts';

/** The text of a file of this repository. */
export const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

export const filesOf = (...patterns: string[]) => globSync(patterns, { cwd: root }).sort();

export const sources = filesOf('src/**/*.ts').map((file) => ({ file, text: read(file) }));

/** The sources with such a text. */
export const filesWith = (text: RegExp) =>
  sources.flatMap((source) => (text.test(source.text) ? [source.file] : []));

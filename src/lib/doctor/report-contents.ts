import { stripVTControlCharacters } from 'node:util';
import { redactText } from '../core/redact.ts';
import { redact, redactJson } from './report-redact.ts';

/** A file of the archive. */
export interface ReportFile {
  path: string;
  content: string;
}

/** For a log, in characters: its end is what matters. */
const longestLog = 256 * 1024;

/** The contents of an archive. Everything is added through this class, which redacts secrets. */
export class Contents {
  readonly files: ReportFile[] = [];
  /** The paths of the files: unique, whatever their names are, also on file systems that ignore the case of letters. */
  readonly #taken = new Set<string>();

  /** @param names of folders, and of the file without its extension */
  addDocument(names: readonly string[], document: unknown): void {
    this.#add(names, '.json', JSON.stringify(redact(document), null, 2));
  }

  addLog(names: readonly string[], lines: readonly string[]): void {
    // Colours separate a name from its value.
    this.#add(
      names,
      '.log',
      redactText(lines.map((line) => redactJson(stripVTControlCharacters(line))).join('\n')).slice(-longestLog),
    );
  }

  #add(names: readonly string[], extension: string, text: string): void {
    const plain = names.map(segment).join('/');
    let path = `${plain}${extension}`;
    for (let count = 2; this.#taken.has(path.toLowerCase()); count++) path = `${plain}-${count}${extension}`;
    this.#taken.add(path.toLowerCase());
    this.files.push({ path, content: `${text}\n` });
  }
}

/** Longer names are cut: file systems allow 255 bytes. */
const longest = 120;

/** A name as a path segment: it comes from a cluster, and must not leave the folder. */
function segment(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, longest);
  return plain === '' || plain.startsWith('.') ? `_${plain}` : plain;
}

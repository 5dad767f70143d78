import { stripVTControlCharacters } from 'node:util';
import { redactText } from '../engine/redact.ts';
import { redact, redactJson } from './redact.ts';

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
  readonly #layout = new Layout();

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
    this.files.push({ path: this.#layout.file(names, extension), content: `${text}\n` });
  }
}

/** Longer names are cut: file systems allow 255 bytes. */
const longest = 120;

/** A name as a path segment: it comes from a cluster, and must not leave the folder. */
function segment(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, longest);
  return plain === '' || plain.startsWith('.') ? `_${plain}` : plain;
}

/** The paths of an archive: unique for all files, whatever their names are. */
export class Layout {
  readonly #taken = new Set<string>();

  /** @param folders of names @param extension such as `.json` */
  file(names: readonly string[], extension: string): string {
    const plain = names.map(segment).join('/');
    for (let count = 1; ; count++) {
      const path = `${plain}${count === 1 ? '' : `-${count}`}${extension}`;
      // Case-insensitive file systems would lose one of two files.
      const key = path.toLowerCase();
      if (this.#taken.has(key)) continue;
      this.#taken.add(key);
      return path;
    }
  }
}

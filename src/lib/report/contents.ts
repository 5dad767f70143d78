import { stripVTControlCharacters } from 'node:util';
import { redactText } from '../engine/redact.ts';
import { Layout } from './layout.ts';
import { redact, redactJson } from './redact.ts';

/** A file of the archive. */
export interface ReportFile {
  path: string;
  content: string;
}

/** Of a log, in characters: its end is what matters. */
const longestLog = 256 * 1024;

/** What goes into an archive: nothing gets there but through here, where what nobody else should see is taken out. */
export class Contents {
  readonly files: ReportFile[] = [];
  readonly #layout = new Layout();

  /** @param names of folders, and of the file without its extension */
  addDocument(names: readonly string[], document: unknown): void {
    this.#add(names, '.json', JSON.stringify(redact(document), null, 2));
  }

  addLog(names: readonly string[], lines: readonly string[]): void {
    // Colours keep a name from its value.
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

import type { Command } from 'commander';
import { writeFields } from '../../lib/terminal/clean.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { type Candidates, findCandidates } from './candidates.ts';
import { OptionTargets } from './option-targets.ts';
import { readTyped } from './typed.ts';

/** Directives for the shell (cobra, completions.go: ShellCompDirective). */
const noSpace = 2;
const noFiles = 4;

const nothing: Candidates = { all: [] };

/**
 * Writes completions in the format of cobra, kubectl's command line library: one candidate per line, with a tab and a description
 * if there is one, and at the end `:` with the directive for the shell. After any error there are no candidates.
 * @param words of the command line up to the cursor; the last one is completed, and may be empty
 * @param limitMs how long the search for names may take, in milliseconds; later names are omitted
 */
export async function complete(io: Io, program: Command, words: readonly string[], limitMs: number): Promise<void> {
  const typed = readTyped(program, words);
  const candidates = findCandidates(typed, new OptionTargets(io, typed, limitMs)).catch(() => nothing);
  const { all, isFile } = await Promise.race([candidates, after(limitMs)]);
  const more = all.some(({ name }) => /=$/.test(name)) ? noSpace : 0;
  const directive = isFile ? 0 : noFiles + more;
  writeFields(io.stdout, [...all.map(({ name, about }) => (about ? [name, about] : [name])), [`:${directive}`]]);
}

const after = (ms: number): Promise<Candidates> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms, nothing).unref();
  });

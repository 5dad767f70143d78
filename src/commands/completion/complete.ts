import type { Command } from 'commander';
import { writeFields } from '../../lib/terminal/clean.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { type Candidates, findCandidates } from './candidates.ts';
import { Meant } from './meant.ts';
import { readTyped } from './typed.ts';

/** What a shell is to make of the candidates (cobra, completions.go: ShellCompDirective). */
const noSpace = 2;
const noFiles = 4;

const nothing: Candidates = { all: [] };

/**
 * Writes what may stand at the cursor as the completion scripts of cobra, kubectl's library for command lines, take it: a candidate a
 * line, a tab and a description where there is one, and last `:` with what the shell is to do. Every error means that nothing is known.
 * @param words of the command line up to the cursor; the last one is completed, and may be empty
 * @param limitMs how long names may be looked for; what is not known then is left out
 */
export async function complete(io: Io, program: Command, words: readonly string[], limitMs: number): Promise<void> {
  const typed = readTyped(program, words);
  const looking = findCandidates(typed, new Meant(io, typed, limitMs)).catch(() => nothing);
  const { all, isFile } = await Promise.race([looking, after(limitMs)]);
  const more = all.some(({ name }) => /=$/.test(name)) ? noSpace : 0;
  const directive = isFile ? 0 : noFiles + more;
  writeFields(io.stdout, [...all.map(({ name, about }) => (about ? [name, about] : [name])), [`:${directive}`]]);
}

const after = (ms: number): Promise<Candidates> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms, nothing).unref();
  });

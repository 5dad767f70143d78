import type { Command } from 'commander';
import { writeFields } from '../terminal/clean.ts';
import type { Io } from '../terminal/io.ts';
import { type Candidates, findCandidates } from './candidates.ts';
import { readTyped } from './typed.ts';

/** A directive for the shell (cobra, completions.go: ShellCompDirective). */
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
  // Most words need no cluster.
  const open = async () => new (await import('./quiet-clusters.ts')).QuietClusters(io, typed, limitMs);
  const candidates = findCandidates(typed, open).catch(() => nothing);
  const { all, isFile } = await Promise.race([candidates, after(limitMs)]);
  writeFields(io.stdout, [
    ...all.map(({ name, about }) => (about ? [name, about] : [name])),
    [`:${isFile ? 0 : noFiles}`],
  ]);
}

const after = (ms: number): Promise<Candidates> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms, nothing).unref();
  });

import type { Command } from 'commander';
import { globalOptions } from '../common/options.ts';
import type { QuietClusters } from './quiet-clusters.ts';
import { offerOfArguments, offerOfOption } from './sources.ts';
import type { Typed } from './typed.ts';

/** A completion for the cursor position. */
interface Candidate {
  name: string;
  /** A description, if known. */
  about?: string;
}

/** All completions for the position. */
export interface Candidates {
  all: readonly Candidate[];
  /** Whether the shell completes files instead. */
  isFile?: boolean;
}

/** Returns the completions of the word at the cursor. Text from a cluster or a file is untrusted: see `safe`. */
export async function findCandidates(typed: Typed, open: () => Promise<QuietClusters>): Promise<Candidates> {
  const { all, isFile = false } = await allFor(typed, open);
  return { all: all.filter((each) => safe(each) && each.name.startsWith(typed.word)), isFile };
}

/** Rejects names with control or format characters: no one chooses such a name, and they could alter the terminal. */
const safe = ({ name }: Candidate): boolean => name !== '' && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name);

async function allFor(typed: Typed, open: () => Promise<QuietClusters>): Promise<Candidates> {
  const { place } = typed;
  if (place.kind === 'command') return { all: commandsOf(typed.command) };
  if (place.kind === 'option') return { all: optionsOf(typed) };
  if (place.kind === 'nothing') return { all: [] };
  if (place.kind === 'value' && /<(file|chart)>/.test(place.option.flags)) return { all: [], isFile: true };
  const what = place.kind === 'value' ? place.option : place.argument;
  if (what.argChoices !== undefined) return { all: what.argChoices.map((name) => ({ name })) };
  const offer =
    place.kind === 'value'
      ? offerOfOption(typed.path, place.option.long ?? '')
      : offerOfArguments(typed.path, place.argument.name());
  if (offer === undefined) return { all: [] };
  return { all: (await offer(typed, await open())).map((name) => ({ name })) };
}

const commandsOf = (command: Command): Candidate[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((child) => ({ name: child.name(), about: child.summary() || child.description() }));

/** Returns options by their long names. */
function optionsOf({ command }: Typed): Candidate[] {
  const visible = command.createHelp().visibleOptions(command);
  const globals = new Set(globalOptions().map(({ long }) => long));
  const hidden = command.options.filter(({ hidden, long }) => hidden && globals.has(long));
  return [...visible, ...hidden].map(({ long, short, description }) => ({
    name: long ?? short ?? '',
    about: description,
  }));
}

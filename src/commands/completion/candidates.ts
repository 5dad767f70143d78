import type { Command, Option } from 'commander';
import { collect } from '../shell/options.ts';
import type { Meant } from './meant.ts';
import { offerOfArguments, offerOfOption } from './sources.ts';
import type { Typed } from './typed.ts';

/** What may stand at the cursor. */
interface Candidate {
  name: string;
  /** In words, where that is known. */
  about?: string;
}

/** All that may stand there. */
export interface Candidates {
  all: readonly Candidate[];
  /** The shell is to offer files instead. */
  isFile?: boolean;
}

/** What may stand at the cursor, by the word that is begun there. What a cluster or a file says is data: see `safe`. */
export async function findCandidates(typed: Typed, meant: Meant): Promise<Candidates> {
  const { all, isFile = false } = await allFor(typed, meant);
  const offered = new Map(all.filter(safe).map((candidate) => [candidate.name, candidate]));
  return { all: [...offered.values()].filter(({ name }) => name.startsWith(typed.word)), isFile };
}

/** A name with control or format characters is none that anybody has given, and could draw something else on the terminal. */
const safe = ({ name }: Candidate): boolean => name !== '' && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name);

async function allFor(typed: Typed, meant: Meant): Promise<Candidates> {
  const { place } = typed;
  if (place.kind === 'command') return { all: commandsOf(typed.command) };
  if (place.kind === 'option') return { all: optionsOf(typed) };
  if (place.kind === 'nothing') return { all: [] };
  const what = place.kind === 'value' ? place.option : place.argument;
  if (what.argChoices !== undefined) return { all: what.argChoices.map((name) => ({ name })) };
  if (typed.path === 'help') return { all: commandsOf(commandBelow(typed.program, typed.positional)) };
  const offer =
    place.kind === 'value' ? offerOfOption(typed.path, place.option.long ?? '') : offerOfArguments(typed.path);
  if (offer === undefined || offer === 'nothing') return { all: [] };
  if (offer === 'files') return { all: [], isFile: true };
  return { all: (await offer(typed, meant)).map((name) => ({ name })) };
}

function commandsOf(command: Command | undefined): Candidate[] {
  const visible = command === undefined ? [] : command.createHelp().visibleCommands(command);
  return visible.map((child) => ({ name: child.name(), about: child.summary() || child.description() }));
}

function commandBelow(program: Command, names: readonly string[]): Command | undefined {
  let found: Command | undefined = program;
  for (const name of names) found = found?.commands.find((child) => child.name() === name);
  return found;
}

/** Options by their long names, without those that were given and count once. */
function optionsOf({ command, options }: Typed): Candidate[] {
  const isOpen = ({ long = '', variadic, parseArg }: Option) => !options.has(long) || variadic || parseArg === collect;
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(isOpen)
    .map(({ long, short, description }) => ({ name: long ?? short ?? '', about: description }));
}

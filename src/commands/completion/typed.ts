import type { Argument, Command, Option } from 'commander';

/** The parts of a command line up to the cursor that determine the completions. */
export interface Typed {
  /** The innermost command. */
  command: Command;
  /** Its name below the program, for example `wec join`; empty for the program itself. */
  path: string;
  /** The values of given options, by their long names, for example `--its`; empty for those without a value. */
  options: ReadonlyMap<string, readonly string[]>;
  /** The arguments before the cursor. */
  positional: readonly string[];
  /** The word at the cursor; in `--option=value` the value alone. */
  word: string;
  place: TypedPlace;
}

/** What is typed at the cursor. */
type TypedPlace =
  | { kind: 'command' }
  | { kind: 'option' }
  | { kind: 'nothing' }
  | { kind: 'value'; option: Option }
  | { kind: 'argument'; argument: Argument };

/**
 * Parses a command line as commander does. @param words those after the program's name; the last one is at the cursor, and may be
 * empty
 */
export function readTyped(program: Command, words: readonly string[]): Typed {
  const options = new Map<string, string[]>();
  const positional: string[] = [];
  let command = program;
  // The option that expects a value next.
  let open: Option | undefined;
  // After `--`, all words are arguments.
  let isOver = false;
  for (const word of words.slice(0, -1)) {
    const before = open;
    open = undefined;
    // Regardless of its content.
    if (before !== undefined) note(options, before, word);
    else if (!isOver && word === '--') isOver = true;
    else if (!isOver && isFlag(word)) {
      const { option, value } = findOption(command, word);
      if (option !== undefined) note(options, option, value);
      if (option?.required && value === undefined) open = option;
    } else {
      const child = positional.length === 0 && !isOver ? commandCalled(command, word) : undefined;
      if (child === undefined) positional.push(word);
      else command = child;
    }
  }
  const word = words.at(-1) ?? '';
  const typed = { command, path: commandPath(command), options, positional, word };
  if (open !== undefined) return { ...typed, place: { kind: 'value', option: open } };
  if (!isOver && word.startsWith('-')) return { ...typed, ...optionAt(command, word) };
  return { ...typed, place: placeOfPlain(command, positional.length) };
}

/** A word that begins with `-`: an option, or its value after `=`. */
function optionAt(command: Command, word: string): Pick<Typed, 'word' | 'place'> {
  const { option, value } = findOption(command, word);
  return option?.required && value !== undefined
    ? { word: value, place: { kind: 'value', option } }
    : { word, place: { kind: 'option' } };
}

function note(options: Map<string, string[]>, { long, short }: Option, value: string | undefined) {
  const key = long ?? short ?? '';
  options.set(key, [...(options.get(key) ?? []), ...(value === undefined ? [] : [value])]);
}

/** Parses `--its`, `--its=its1`, `-o`. */
function findOption(
  { options }: Command,
  word: string,
): { option: Option | undefined; value: string | undefined } {
  const [, flag = word, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
  return { option: options.find(({ long, short }) => flag === long || flag === short), value };
}

const commandCalled = ({ commands }: Command, word: string): Command | undefined =>
  commands.find((each) => each.name() === word || each.aliases().includes(word));

/** @param before the number of arguments before the cursor */
function placeOfPlain({ commands, registeredArguments }: Command, before: number): TypedPlace {
  if (commands.length > 0) return { kind: before === 0 ? 'command' : 'nothing' };
  const argument =
    registeredArguments[before] ?? registeredArguments.findLast(({ variadic }) => variadic);
  return argument === undefined ? { kind: 'nothing' } : { kind: 'argument', argument };
}

/** `-` alone is a file: standard input. */
const isFlag = (word: string) => word.startsWith('-') && word !== '-';

const commandPath = (command: Command): string =>
  command.parent === null ? '' : `${commandPath(command.parent)} ${command.name()}`.trim();

import type { Argument, Command, Option } from 'commander';

/** The parts of a command line up to the cursor that determine the completions. */
export interface Typed {
  program: Command;
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
  place: Place;
}

/** What is typed at the cursor. */
type Place =
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
  const reader = new Reader(program);
  for (const word of words.slice(0, -1)) reader.pass(word);
  return reader.endAt(words.at(-1) ?? '');
}

class Reader {
  readonly #program: Command;
  readonly #options = new Map<string, string[]>();
  readonly #positional: string[] = [];
  #command: Command;
  /** The option that expects a value next. */
  #open: Option | undefined;
  /** After `--`, all words are arguments. */
  #isOver = false;

  constructor(program: Command) {
    this.#program = program;
    this.#command = program;
  }

  pass(word: string): void {
    const open = this.#open;
    this.#open = undefined;
    // Regardless of its content.
    if (open !== undefined) this.#note(open, word);
    else if (!this.#isOver && word === '--') this.#isOver = true;
    else if (!this.#isOver && isFlag(word)) this.#passFlag(word);
    else this.#passPlain(word);
  }

  #note({ long, short }: Option, ...values: string[]): void {
    const key = long ?? short ?? '';
    this.#options.set(key, [...(this.#options.get(key) ?? []), ...values]);
  }

  #passFlag(word: string): void {
    this.#open = undefined;
    const { option, value } = this.#findOption(word);
    if (option === undefined) return;
    this.#note(option, ...(value === undefined ? [] : [value]));
    if (value === undefined && option.required) this.#open = option;
  }

  /** Parses `--its`, `--its=its1`, `-o`, `-ojson`. */
  #findOption(word: string): { option: Option | undefined; value: string | undefined } {
    const find = (flag: string) => this.#command.options.find(({ long, short }) => flag === long || flag === short);
    const equals = word.indexOf('=');
    if (word.startsWith('--') && equals !== -1)
      return { option: find(word.slice(0, equals)), value: word.slice(equals + 1) };
    const whole = find(word);
    if (whole !== undefined || word.startsWith('--') || word.length === 2) return { option: whole, value: undefined };
    const short = find(word.slice(0, 2));
    return short?.required ? { option: short, value: word.slice(2) } : { option: undefined, value: undefined };
  }

  #passPlain(word: string): void {
    const isName = this.#positional.length === 0 && !this.#isOver;
    const child = isName
      ? this.#command.commands.find((each) => each.name() === word || each.aliases().includes(word))
      : undefined;
    if (child === undefined) this.#positional.push(word);
    else this.#command = child;
  }

  endAt(word: string): Typed {
    const typed = {
      ...{ program: this.#program, command: this.#command, path: pathOf(this.#command) },
      ...{ options: this.#options, positional: this.#positional },
    };
    if (this.#open !== undefined) return { ...typed, word, place: { kind: 'value', option: this.#open } };
    if (!this.#isOver && word.startsWith('-')) {
      const { option, value } = this.#findOption(word);
      const isValue = option?.required === true && value !== undefined && word.startsWith('--');
      if (isValue) return { ...typed, word: value, place: { kind: 'value', option } };
      return { ...typed, word, place: { kind: word.includes('=') ? 'nothing' : 'option' } };
    }
    return { ...typed, word, place: this.#placeOfPlain() };
  }

  #placeOfPlain(): Place {
    const { commands, registeredArguments } = this.#command;
    if (commands.length > 0) return { kind: this.#positional.length === 0 ? 'command' : 'nothing' };
    const argument =
      registeredArguments[this.#positional.length] ?? registeredArguments.findLast(({ variadic }) => variadic);
    return argument === undefined ? { kind: 'nothing' } : { kind: 'argument', argument };
  }
}

/** `-` alone is a file: standard input. */
const isFlag = (word: string): boolean => word.startsWith('-') && word !== '-';

const pathOf = (command: Command): string =>
  command.parent === null ? '' : `${pathOf(command.parent)} ${command.name()}`.trim();

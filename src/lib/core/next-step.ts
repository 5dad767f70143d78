/** A next step, as a value. `textOf` makes text of it. */
export type NextStep =
  | {
      /** For a POSIX shell (`command`, below). */
      command: string;
      /** The user must fill in a value, or types it on another machine. */
      isPartial?: true;
      /** Text before the command: what it does, when to use it, or a question that it answers. */
      lead?: string;
      /** The same, after the command. */
      note?: string;
    }
  | { step: string };

/** A command that can be run as it is. */
export const run = (command: string, lead?: string): NextStep => ({
  command,
  ...(lead === undefined ? {} : { lead }),
});

/** A command that can be run as it is, with what it does or when to use it. */
export const noted = (command: string, note: string): NextStep => ({ ...run(command), note });

/** A command in which the user must fill in a value (CONTEXT, FILE, …), or one for another machine. */
export const partial = (command: string, lead?: string): NextStep => ({
  ...run(command, lead),
  isPartial: true,
});

/** A step in words, if no command does it. */
export const advice = (step: string): NextStep => ({ step });

/** For what a command has begun and not ended. */
export const rerun = advice('To resume, rerun the command');

/** Next steps as documents have them. The fields are an interface: docs/output.md. */
export interface Help {
  /** For people: a line each. */
  steps: string[];
  /** The first step's command, if it can be run as it is. */
  next: string | null;
}

export const helpOf = (next: readonly NextStep[]): Help => ({
  steps: stepLines(next),
  next: commandOf(next) ?? null,
});

/** Steps as text for people, a line each: a command is copied as a line. */
export const stepLines = (steps: readonly NextStep[], indent = ''): string[] =>
  steps.map((step) => `${indent}${textOf(step)}`);

/** A single step as a line of text for people. */
export function textOf(step: NextStep): string {
  if ('step' in step) return step.step;
  const { lead, note } = step;
  const command = asCalled(step.command);
  return `${lead === undefined ? '' : `${lead}${lead.endsWith('?') ? '' : ':'} `}${command}${note === undefined ? '' : `      (${note})`}`;
}

/** The first step's command, if it can be run as it is. */
export function commandOf([first]: readonly NextStep[]): string | undefined {
  return first !== undefined && 'command' in first && !first.isPartial
    ? asCalled(first.command)
    : undefined;
}

/** A problem, and what helps. A StellarError is a problem that is thrown. */
export interface Problem {
  /** A stable code of the problem. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  /** Details of the message, one statement each: the last lines of a log, candidates. */
  readonly details?: readonly string[];
  readonly next: readonly NextStep[];
  /** Less than a failure: it may resolve by itself, or waits for a user. */
  readonly severity?: 'warn';
  /** The checks whose failure causes this problem: if one of them failed, this one follows from it. */
  readonly causedBy?: readonly string[] | undefined;
}

export const problem = (code: string, message: string, ...next: NextStep[]): Problem => ({
  code,
  message,
  next,
});

/** A problem for scripts. The fields are an interface: docs/output.md. */
export interface Diagnosis extends Help {
  problem: string;
}

export const diagnosisOf = ({ message, next }: Pick<Problem, 'message' | 'next'>): Diagnosis => ({
  problem: message,
  ...helpOf(next),
});

/** Characters that a POSIX shell passes on unchanged. */
const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One word of a command line, quoted for a POSIX shell if needed. */
export function shellWord(word: string): string {
  return plain.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * A command that a user or a script can run as it is: each inserted value becomes one word, a list one word per item. An empty list
 * also drops the space before it.
 * Values from a cluster must reach a shell only through this function.
 */
export function command(
  parts: TemplateStringsArray,
  ...values: readonly (string | readonly string[])[]
): string {
  return parts.reduce((line, part, index) => {
    const value = values[index - 1] ?? '';
    if (typeof value !== 'string' && value.length === 0) return `${line.trimEnd()}${part}`;
    return `${line}${typeof value === 'string' ? shellWord(value) : value.map(shellWord).join(' ')}${part}`;
  });
}

/** The option of a command that reads the ITS, if its context is known. */
export const onIts = (its: string | undefined): string[] =>
  its === undefined ? [] : ['--its', its];

/** A WDS by the value of `--wds`, and the other contexts that the user gave. */
interface ChosenWds {
  name: string;
  beside?: { its?: string | undefined; hosting?: string | undefined } | undefined;
}

/** The options that select a WDS, and the other contexts that the user gave. */
export const flagsOf = ({ name, beside }: ChosenWds): string[] => [
  '--wds',
  name,
  ...onIts(beside?.its),
  ...hostingFlags({ beside }),
];

export const hostingFlags = ({ beside }: Pick<ChosenWds, 'beside'>): string[] =>
  beside?.hosting === undefined ? [] : ['--hosting-context', beside.hosting];

let programName = 'stellarctl';

/** Records at startup how the user calls this program: as a kubectl plugin it is `kubectl stellar`. */
export function callProgram(name: string): void {
  programName = name;
}

/**
 * A command for people to type: one of this program carries the name that the user calls it by.
 */
export const asCalled = (line: string): string => line.replace(/^stellarctl(?= )/, programName);

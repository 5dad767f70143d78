import { asCalled } from './command-line.ts';

/** A next step, as a value. `hintOf` makes text of it. */
export type NextStep =
  | {
      /** For a POSIX shell (command-line.ts). */
      command: string;
      /** The user must fill in a value, or types it on another machine. */
      isOutline?: true;
      /** Text before the command: what it does, when to use it, or a question that it answers. */
      lead?: string;
      /** The same, after the command. */
      note?: string;
    }
  | { step: string };

/** A command that can be run as it is. */
export const run = (command: string, lead?: string): NextStep => ({ command, ...(lead === undefined ? {} : { lead }) });

/** A command that can be run as it is, with what it does or when to use it. */
export const noted = (command: string, note: string): NextStep => ({ ...run(command), note });

/** A command in which the user must fill in a value (CONTEXT, FILE, …), or one for another machine. */
export const outline = (command: string, lead?: string): NextStep => ({ ...run(command, lead), isOutline: true });

/** A step in words, if no command does it. */
export const inWords = (step: string): NextStep => ({ step });

/** Steps as one line for people; undefined if there are none. */
export function hintOf(steps: readonly NextStep[]): string | undefined {
  return steps.length === 0 ? undefined : steps.map(textOf).join('    ');
}

/** A single step as text for people. */
export function textOf(step: NextStep): string {
  if ('step' in step) return step.step;
  const { lead, note } = step;
  const command = asCalled(step.command);
  return `${lead === undefined ? '' : `${lead}${lead.endsWith('?') ? '' : ':'} `}${command}${note === undefined ? '' : `      (${note})`}`;
}

/** The first step's command, if it can be run as it is. */
export function commandOf([first]: readonly NextStep[]): string | undefined {
  return first !== undefined && 'command' in first && !first.isOutline ? asCalled(first.command) : undefined;
}

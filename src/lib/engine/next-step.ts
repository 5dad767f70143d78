import { asCalled } from './command-line.ts';

/** What helps next, as a value. Text is made of it where it is shown (`hintOf`). */
export type NextStep =
  | {
      /** For a POSIX shell (command-line.ts). */
      command: string;
      /** A person has to fill something in, or types it on another machine. */
      isOutline?: true;
      /** Said before it: what it does, when it is right, or a question that it answers. */
      lead?: string;
      /** The same, said after it. */
      note?: string;
    }
  | { step: string };

/** A command that can be run as it is. */
export const run = (command: string, lead?: string): NextStep => ({ command, ...(lead === undefined ? {} : { lead }) });

/** A command that can be run as it is, with what it does or when it is right. */
export const noted = (command: string, note: string): NextStep => ({ ...run(command), note });

/** A command in which a person has to fill something in: CONTEXT, FILE, …; or one for another machine. */
export const outline = (command: string, lead?: string): NextStep => ({ ...run(command, lead), isOutline: true });

/** What is to be done in words, where no command does it. */
export const inWords = (step: string): NextStep => ({ step });

/** Steps in one line, as a person reads them; undefined where there are none. */
export function hintOf(steps: readonly NextStep[]): string | undefined {
  return steps.length === 0 ? undefined : steps.map(textOf).join('    ');
}

/** A single step, as a person reads it. */
export function textOf(step: NextStep): string {
  if ('step' in step) return step.step;
  const { lead, note } = step;
  const command = asCalled(step.command);
  return `${lead === undefined ? '' : `${lead}${lead.endsWith('?') ? '' : ':'} `}${command}${note === undefined ? '' : `      (${note})`}`;
}

/** The command to type, where the first step is one that can be run as it is. */
export function commandOf([first]: readonly NextStep[]): string | undefined {
  return first !== undefined && 'command' in first && !first.isOutline ? asCalled(first.command) : undefined;
}

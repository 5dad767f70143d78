import type { Diagnosis } from './view.ts';

/** What a diagnosis advises. */
type Step = Pick<Diagnosis, 'hint' | 'next'>;

/** A command that helps as it is. @param note what it does, or when it is right, where that does not go without saying */
export const step = (command: string, note?: string): Step => ({ hint: withNote(command, note), next: command });

/** A command in which a person has to fill something in, or that is for another machine. */
export const outline = (command: string, note: string): Step => ({ hint: withNote(command, note), next: null });

/** What is to be done is for a person to say. */
export const noStep: Step = { hint: null, next: null };

const withNote = (command: string, note: string | undefined): string =>
  note === undefined ? command : `${command}      (${note})`;

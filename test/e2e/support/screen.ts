// biome-ignore-all lint/suspicious/noControlCharactersInRegex: this is about what a terminal is told by them
/** The output of a program to a terminal, and what the user then sees. */
import { stripVTControlCharacters } from 'node:util';
import { settled } from './golden/settled.ts';

/** A frame of the spinner. */
export const spinner = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;
export const colour = /\u001b\[[\d;]*m/;
/** Sequences that move the cursor, erase, or hide it. */
export const movement = /\u001b\[(?!\d*(;\d+)*m)|\r(?!\n)/;

/** The lines of the final screen, after the terminal has processed all output, without its colours. */
export const shown = (screen: string) =>
  stripVTControlCharacters(settled(screen)).split('\n').filter(Boolean);

import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';

/** A command, as the help of its parent shows it. The rest is loaded when a command line names it. */
export interface Entry {
  name: string;
  alias?: string;
  summary: string;
  hidden?: true;
  /** Loads and defines the command, with its options. */
  define(io: Io, program: Command): Promise<Command>;
}

/** The commands of a noun. */
export interface Group {
  name: string;
  summary: string;
  description: string;
  commands: readonly Entry[];
}

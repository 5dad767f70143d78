import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import type { Definition } from './define.ts';

/** A command, as the help of its parent shows it. The rest is loaded when a command line names it. */
export interface Entry {
  name: string;
  alias?: string;
  summary: string;
  hidden?: true;
  /** A function makes a command that is not like the others. */
  load(): Promise<Definition | ((io: Io, program: Command) => Command)>;
}

/** The commands of a noun. */
export interface Group {
  name: string;
  summary: string;
  description: string;
  commands: readonly Entry[];
}

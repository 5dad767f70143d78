import type { Command } from 'commander';
import type { Io } from '../terminal/io.ts';
import type { Definition } from './define.ts';

/** A command, as the help of its parent shows it. The rest is loaded when a command line names it. */
export interface CommandEntry {
  name: string;
  alias: string | undefined;
  summary: string;
  load(): Promise<Loaded>;
}

/** The file of a command. A function makes a command that is not like the others. */
interface Loaded {
  definition: Definition | ((io: Io, program: Command) => Command);
}

/**
 * @param names its name, and behind `|` an alias @param summary empty for a command that help does not show
 * @param load its file @param exported what that exports it as
 */
export function entry<Exported extends string = 'definition'>(
  names: string,
  summary: string,
  load: () => Promise<Record<NoInfer<Exported>, Loaded['definition']>>,
  exported = 'definition' as Exported,
): CommandEntry {
  const [name = '', alias] = names.split('|');
  return { name, alias, summary, load: async () => ({ definition: (await load())[exported] }) };
}

/** The commands of a noun. */
export interface Group {
  name: string;
  summary: string;
  description: string;
  commands: readonly CommandEntry[];
}

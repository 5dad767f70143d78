import type { Program } from './program.ts';

/** The program of an image with subcommands, which are the first argument after its name. */
export function byCommand(image: string, commands: Record<string, Program>): Program {
  return async (context) => {
    const [, command = ''] = context.args;
    const program = commands[command];
    if (!program) throw new Error(`unknown command "${command}" for "${image}"`);
    await program(context);
  };
}

import { Argument, Command } from 'commander';
import { writeText } from '../terminal/clean.ts';
import type { Io } from '../terminal/io.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

const installing = `
To install it, once:
  echo 'source <(stellarctl completion bash)' >> ~/.bashrc
  echo 'source <(stellarctl completion zsh)' >> ~/.zshrc
  stellarctl completion fish > ~/.config/fish/completions/stellarctl.fish
For kubectl stellar, the completion of kubectl is enough.
`;

/** `completion SHELL` */
export function definition(io: Io): Command {
  return new Command('completion')
    .description(
      'Prints the script by which a shell completes the command line with the tab key: commands, options, and names from your kubeconfig and clusters. Clusters have one second to answer; credential plugins are not run.',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText('after', installing)
    .action(async (shell: Shell) => {
      const { scripts } = await import('./scripts.ts');
      writeText(io.stdout, scripts[shell]);
    });
}

/**
 * Time limit of the result, in milliseconds after the start of the process: the user waits for it. A tenth of the second that a
 * completion may take remains for the shell, and for starting and ending Node.
 */
const wholeMs = 900;

/** `__complete -- WORD…`: called by the scripts, and by kubectl for its plugins. */
export function completeCommand(io: Io, program: Command): Command {
  return new Command('__complete')
    .argument('[words...]')
    .option(
      '--limit <ms>',
      'when to answer at the latest, for tests on a machine that has more to do',
      String(wholeMs),
    )
    .action(async (words: string[], { limit }: { limit: string }) => {
      const { complete } = await import('./complete.ts');
      await complete(
        io,
        program,
        words,
        Math.max(1, Math.round(Number(limit) - performance.now())),
      );
      // Do not wait for what did not respond in time.
      process.exit();
    });
}

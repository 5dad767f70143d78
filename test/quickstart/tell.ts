/** The output of the quickstart: every command as typed, with its output, and the duration of each part. */
import { styleText } from 'node:util';
import { stellarctl } from '../stellarctl.ts';

const parts: { name: string; seconds: number }[] = [];

/** Measures a part. */
export async function part<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    return await work();
  } finally {
    parts.push({ name, seconds: (performance.now() - started) / 1000 });
  }
}

export function sayHowLong(): void {
  process.stdout.write('\nHow long each part took:\n');
  for (const { name, seconds } of parts)
    process.stdout.write(`  ${name.padEnd(32)} ${seconds.toFixed(1).padStart(6)}s\n`);
}

export function say(text: string): void {
  process.stdout.write(`\n${styleText('bold', `# ${text}`, { stream: process.stdout })}\n`);
}

/** The progress of a preparation. */
export const log = (line: string) => void process.stderr.write(`  ${line}\n`);

/** Runs one command line after the other, each as typed. */
export type Typist = (command: string, options?: { plain?: boolean }) => Promise<void>;

export function typist(env: NodeJS.ProcessEnv, cwd: string): Typist {
  return async (command, { plain = false } = {}) => {
    process.stdout.write(`$ ${command}\n`);
    const words = command.replace(/ &$/, '').split(' ').slice(1);
    // Two concurrent commands share the terminal: no animation.
    const options = { cwd, env: plain ? { ...env, CI: 'true' } : env, stdio: 'inherit' } as const;
    const { exitCode } = await stellarctl(words, options);
    if (exitCode !== 0)
      throw new Error(`"${command}" ended with ${exitCode}; what it says about that stands above.`);
  };
}

import { execa } from 'execa';
import type { FoundProgram } from '../../../testbed/index.ts';
import { shown } from './screen.ts';

/** The prompt of the shell. */
export const prompt = 'ready> ';
const longest = 15_000;

/** An interactive shell on a pseudo-terminal. */
export class ShellTerminal {
  #screen = '';
  readonly #process;

  constructor({ path, env }: FoundProgram, environment: Record<string, string>) {
    this.#process = execa(
      'script',
      ['--quiet', '--command', `stty cols 200 rows 50; exec ${path} -i`, '/dev/null'],
      {
        env: { ...env, ...environment, TERM: 'xterm', SHELL: '/bin/sh' },
        extendEnv: false,
        reject: false,
        stdin: 'pipe',
        timeout: 4 * longest,
      },
    );
    this.#process.stdout.on('data', (chunk: Buffer) => {
      this.#screen += chunk.toString();
    });
  }

  /** The current screen, as lines. */
  get lines(): string[] {
    // fish selects a character set with every colour.
    return shown(this.#screen.replaceAll('\u001b(B', ''));
  }

  type(keys: string): void {
    this.#screen = '';
    this.#process.stdin.write(keys);
  }

  async until(text: RegExp): Promise<RegExpExecArray> {
    for (const started = Date.now(); ; ) {
      const found = text.exec(this.lines.join('\n'));
      if (found !== null) return found;
      if (Date.now() - started > longest)
        throw new Error(`${text} never came:\n${this.lines.join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async end(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#process;
  }
}

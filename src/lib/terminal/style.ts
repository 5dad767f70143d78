import { Chalk, type ChalkInstance } from 'chalk';
import type { Io } from './io.ts';

export type ColorMode = 'auto' | 'always' | 'never';

/** Symbols and their colours: the only things that are coloured, beside what has changed. */
export interface Style {
  ok: string;
  bad: string;
  dot: string;
  faint: (text: string) => string;
  strong: (text: string) => string;
}

/** Colours by `--color`, else by NO_COLOR (no-color.org), FORCE_COLOR and whether the stream is a terminal; chalk reads none of these itself. */
export function styleFor(stream: NodeJS.WriteStream, { env }: Io, mode: ColorMode): Style {
  const chalk: ChalkInstance = new Chalk({ level: wantsColor(stream, env, mode) ? 1 : 0 });
  return { ok: chalk.green('✓'), bad: chalk.red('✗'), dot: chalk.cyan('•'), faint: chalk.dim, strong: chalk.bold };
}

function wantsColor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv, mode: ColorMode): boolean {
  if (mode !== 'auto') return mode === 'always';
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return Boolean(stream.isTTY) && env.TERM !== 'dumb';
}

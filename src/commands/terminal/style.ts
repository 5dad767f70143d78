import { Chalk, type ChalkInstance } from 'chalk';
import { colourMark, oneLine } from './clean.ts';
import type { Io } from './io.ts';

export type ColorMode = 'auto' | 'always' | 'never';

/** Symbols and their colours: only symbols and changes are coloured. The colours become visible when they are written as lines. */
export type Style = ReturnType<typeof styleFor>;

/**
 * Colours by `--color`, else by NO_COLOR (no-color.org), FORCE_COLOR and whether the stream is a terminal; chalk reads none of
 * these itself.
 */
export function styleFor(stream: NodeJS.WriteStream, { env }: Io, mode: ColorMode) {
  const chalk: ChalkInstance = new Chalk({ level: wantsColor(stream, env, mode) ? 1 : 0 });
  const marks = [chalk.cyan, chalk.yellow, chalk.green, chalk.magenta, chalk.blue, chalk.red];
  const painted = (paint: ChalkInstance) => (text: string) =>
    paint(oneLine(text)).replaceAll('\x1b', () => colourMark());
  return {
    ok: painted(chalk.green)('✓'),
    bad: painted(chalk.red)('✗'),
    warn: painted(chalk.yellow)('!'),
    dot: painted(chalk.cyan)('•'),
    faint: painted(chalk.dim),
    /** Text in one of six colours, by a number. */
    mark: (number: number, text: string) =>
      painted(marks[number % marks.length] as ChalkInstance)(text),
  };
}

function wantsColor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv, mode: ColorMode) {
  if (mode !== 'auto') return mode === 'always';
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return Boolean(stream.isTTY) && env.TERM !== 'dumb';
}

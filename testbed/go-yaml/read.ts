import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { buildGoProgram, type Log } from '../plane/go-program.ts';

/** What Go's YAML reads in documents, as client-go does; `{ error }` for one that it refuses. */
export const readByGo = (texts: readonly string[], log?: Log): Promise<unknown[]> =>
  runGo([], texts, log);

/** The documents of YAML that Go writes for values, as kubectl does. */
export const writtenByGo = (values: readonly unknown[], log?: Log): Promise<string[]> =>
  runGo(['write'], values, log) as Promise<string[]>;

async function runGo(
  args: readonly string[],
  input: readonly unknown[],
  log: Log = () => {},
): Promise<unknown[]> {
  const path = await buildGoProgram(import.meta.dirname, 'go-yaml', "Go's YAML", log);
  const program = spawn(path, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  program.stdin.end(JSON.stringify(input));
  const [out] = await Promise.all([text(program.stdout), once(program, 'close')]);
  return JSON.parse(out) as unknown[];
}

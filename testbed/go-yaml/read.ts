import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { buildGoModule, type Log } from '../plane/go-program.ts';

/** What Go's YAML reads in documents, as client-go does; `{ error }` for one that it refuses. */
export async function readByGo(texts: readonly string[], log: Log = () => {}): Promise<unknown[]> {
  const folder = await buildGoModule(
    {
      module: `${import.meta.dirname}/module`,
      binaries: [{ name: 'go-yaml', package: '.' }],
      title: "Go's YAML",
      duration: 'some seconds',
    },
    log,
  );
  const program = spawn(`${folder}/go-yaml`, { stdio: ['pipe', 'pipe', 'inherit'] });
  program.stdin.end(JSON.stringify(texts));
  const [out] = await Promise.all([text(program.stdout), once(program, 'close')]);
  return JSON.parse(out) as unknown[];
}

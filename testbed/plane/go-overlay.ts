import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { machineEnvironment } from './machine.ts';

const run = promisify(execFile);

/** What overlay.json in the folder of an overlay says about Go's own packages. Paths are those below GOROOT/src. */
interface Overlay {
  /** New files, by path, each the name of a file in the folder. */
  files: Record<string, string>;
  /** Text that is inserted after a line (with its newline), by path. The line must occur once. */
  insertions: Record<string, { after: string; text: string }[]>;
}

/**
 * The flags of `go build` that compile Go's own packages with an overlay: generated into the folder from the sources of the Go on PATH.
 */
export async function overlayFlags(overlay: string, folder: string): Promise<string[]> {
  const { files, insertions } = JSON.parse(await readFile(join(overlay, 'overlay.json'), 'utf8')) as Overlay;
  const { stdout } = await run('go', ['env', 'GOROOT'], { cwd: overlay, env: machineEnvironment() });
  const sources = join(stdout.trim(), 'src');
  const replaced: Record<string, string> = {};
  for (const [path, name] of Object.entries(files)) replaced[join(sources, path)] = join(overlay, name);
  for (const [path, texts] of Object.entries(insertions)) {
    const target = join(folder, path);
    let source = await readFile(join(sources, path), 'utf8');
    for (const { after, text } of texts) {
      const parts = source.split(`${after}\n`);
      if (parts.length !== 2) throw new Error(`${path} of this Go does not have the line once: ${after}`);
      source = parts.join(`${after}\n${text}\n`);
    }
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, source);
    replaced[join(sources, path)] = target;
  }
  const list = join(folder, 'list.json');
  await writeFile(list, JSON.stringify({ Replace: replaced }));
  return ['-overlay', list];
}

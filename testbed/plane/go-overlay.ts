import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { requiredFolder } from './go-module.ts';
import { machineEnvironment } from './machine.ts';

const run = promisify(execFile);

/** What overlay.json in the folder of an overlay says about Go's own packages, or about those of a module that is required. */
interface Overlay {
  /** The module, whose folder the paths are below; those of Go's own packages are below GOROOT/src. */
  module?: string;
  /** New files, by path, each the name of a file in the folder. */
  files: Record<string, string>;
  /** Text that is inserted after a line (with its newline), by path. The line must occur once. */
  insertions: Record<string, { after: string; text: string }[]>;
}

/**
 * The flags of `go build` that compile packages with overlays: generated into the folder from the sources of the Go on PATH, and of what
 * the module requires.
 * @param module the folder with go.mod
 */
export async function overlayFlags(
  overlays: readonly string[],
  module: string,
  folder: string,
): Promise<string[]> {
  const flags: string[] = [];
  for (const overlay of overlays) {
    const read = JSON.parse(await readFile(join(overlay, 'overlay.json'), 'utf8')) as Overlay;
    const own = join(folder, basename(overlay));
    await mkdir(own, { recursive: true });
    flags.push(
      read.module === undefined
        ? await ofGo(read, overlay, module, own)
        : await ofModule(read, module, own),
    );
  }
  return flags;
}

async function ofGo(
  { files, insertions }: Overlay,
  overlay: string,
  module: string,
  own: string,
): Promise<string> {
  const { stdout } = await run('go', ['env', 'GOROOT'], { cwd: module, env: machineEnvironment() });
  const sources = join(stdout.trim(), 'src');
  const replaced: Record<string, string> = {};
  for (const [path, name] of Object.entries(files))
    replaced[join(sources, path)] = join(overlay, name);
  for (const [path, texts] of Object.entries(insertions)) {
    const target = join(own, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, inserted(await readFile(join(sources, path), 'utf8'), texts));
    replaced[join(sources, path)] = target;
  }
  const list = join(own, 'list.json');
  await writeFile(list, JSON.stringify({ Replace: replaced }));
  return `-overlay=${list}`;
}

/** Go replaces no files of downloaded modules, but whole modules. */
async function ofModule(
  { module: required = '', insertions }: Overlay,
  module: string,
  own: string,
): Promise<string> {
  const copy = join(own, 'module');
  await cp(await requiredFolder(module, required), copy, { recursive: true });
  // The folders of modules are read-only.
  await run('chmod', ['-R', 'u+w', copy]);
  for (const [path, texts] of Object.entries(insertions)) {
    const file = join(copy, path);
    await writeFile(file, inserted(await readFile(file, 'utf8'), texts));
  }
  const text = await readFile(join(module, 'go.mod'), 'utf8');
  await writeFile(join(own, 'go.mod'), `${text}\nreplace ${required} => ${copy}\n`);
  await cp(join(module, 'go.sum'), join(own, 'go.sum'));
  return `-modfile=${join(own, 'go.mod')}`;
}

function inserted(source: string, texts: Overlay['insertions'][string]): string {
  let result = source;
  for (const { after, text } of texts) {
    const parts = result.split(`${after}\n`);
    if (parts.length !== 2) throw new Error(`the line of an overlay is not there once: ${after}`);
    result = parts.join(`${after}\n${text}\n`);
  }
  return result;
}

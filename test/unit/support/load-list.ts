/**
 * Preloaded into a process, writes the files that it loads to LOAD_LIST, one per line, and at its end the modules of Node that it
 * has loaded in addition to those of this file, one line `node:NAME` each. Of Node's internal modules it lists the libraries
 * (deps).
 */
import { appendFileSync } from 'node:fs';
import { builtinModules, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const list = process.env.LOAD_LIST as string;
const isTold = (name: string) => builtinModules.includes(name) || name.startsWith('internal/deps/');

registerHooks({
  load(url, context, nextLoad) {
    if (url.startsWith('file:')) appendFileSync(list, `${fileURLToPath(url)}\n`);
    return nextLoad(url, context);
  },
});

const before = new Set(loadedByNode());
process.on('exit', () => {
  const loaded = loadedByNode().filter((name) => !before.has(name) && isTold(name));
  appendFileSync(list, loaded.map((name) => `node:${name}\n`).join(''));
});

/** The loaded modules of Node, by the list that Node keeps for its own tests. */
function loadedByNode() {
  const { moduleLoadList } = process as unknown as { moduleLoadList: string[] };
  return moduleLoadList.flatMap((entry) => /^NativeModule (.+)$/.exec(entry)?.[1] ?? []);
}

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

/** The rules of the house that biome.json has no words for. */
const root = path.resolve(import.meta.dirname, '..', '..');
const sources = globSync('src/**/*.ts', { cwd: root }).map((file) => ({
  file,
  text: readFileSync(path.join(root, file), 'utf8'),
}));

test('only src/lib/kube loads client-node; others may import its types', () => {
  const importers = sources.filter(({ text }) => loadedModules(text).includes('@kubernetes/client-node'));
  assert.ok(importers.length > 0, 'this test sees no import at all');
  assert.deepEqual(outside('src/lib/kube/', importers), []);
});

test('the library does not use src/lib/terminal; it may know its types', () => {
  const importers = sources.filter(({ text }) => loadedModules(text).some((module) => module.includes('/terminal/')));
  assert.ok(importers.length > 0, 'this test sees no import at all');
  const library = importers.filter(({ file }) => file.startsWith('src/lib/'));
  assert.deepEqual(outside('src/lib/terminal/', library), []);
});

test('the library neither ends the process nor touches its streams', () => {
  const library = sources.filter(({ file }) => file.startsWith('src/lib/'));
  const offenders = library.filter(({ text }) => /\bprocess\.(exit|abort|kill|std(in|out|err))\b/.test(text));
  assert.deepEqual(outside('src/lib/terminal/', offenders), []);
});

test('imports are told apart from imports of types', () => {
  const text = [
    "import a from 'a';",
    "import type { B } from 'b';",
    "import { type C } from 'c';",
    "import {\n  d,\n  e,\n} from 'd';",
    "export { f } from 'e';",
    "export type { G } from 'g';",
    "import 'h';",
    "const i = await import('i');",
    "type J = import('j').J;",
  ].join('\n');
  assert.deepEqual(loadedModules(text), ['a', 'c', 'd', 'e', 'h', 'i']);
});

/** The modules that a source loads. `import { type T } from 'm'` loads m, and import() in a type is none. */
function loadedModules(text: string): string[] {
  const declarations = text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm);
  const calls = text.matchAll(/\bawait import\('([^']+)'\)/g);
  return [...declarations, ...calls].map((match) => match[1] as string);
}

function outside(folder: string, files: readonly { file: string }[]): string[] {
  return files.map(({ file }) => file).filter((file) => !file.startsWith(folder));
}

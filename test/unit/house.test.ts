/** No circles of folders, and what the largest commands load, with some room (house.json). */
import './support/environment.ts';
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { countTokens } from '../../scripts/size.ts';
import house from './house.json' with { type: 'json' };
import { circlesIn, importsOf, loadedModules } from './support/imports.ts';
import { read, sources } from './support/sources.ts';

const texts = new Map(sources.map(({ file, text }) => [file, text]));

/** The folders that reach themselves, each through another one, types included. */
function circlesOfFolders() {
  const arrows = new Map<string, string[]>();
  for (const [file, text] of texts) {
    const from = path.dirname(file);
    const targets = importsOf(file, text).map((target) => path.dirname(target));
    arrows.set(from, [...(arrows.get(from) ?? []), ...targets.filter((target) => target !== from)]);
  }
  return circlesIn(arrows).sort();
}

test('no folders import each other in a circle', () => {
  assert.deepEqual(circlesOfFolders(), []);
});

const tokens = new Map([...texts].map(([file, text]) => [file, countTokens(text)]));

/** The files of src that are loaded with some, now or later, and their tokens. */
function loadedWith(entries: readonly string[]): { files: number; tokens: number } {
  const found = new Set(entries);
  for (const file of found) {
    const text = texts.get(file);
    assert.ok(text !== undefined, `${file} does not exist`);
    const own = loadedModules(text).filter((module) => module.startsWith('.'));
    for (const module of own) found.add(path.join(path.dirname(file), module));
  }
  return {
    files: found.size,
    tokens: [...found].reduce((sum, file) => sum + (tokens.get(file) ?? 0), 0),
  };
}

describe('with the session that each command opens, a command loads no more than house.json says:', () => {
  for (const [command, { entry, files, tokens: most }] of Object.entries(house.loads))
    test(command, () => {
      const found = loadedWith([entry, 'src/commands/common/session.ts']);
      assert.ok(found.files <= files, `${found.files} files, at most ${files}`);
      assert.ok(found.tokens <= most, `${found.tokens} tokens, at most ${most}`);
    });
});

test('the map of docs/project-layout.md names the folders of src/lib, and no others', () => {
  const [, map = ''] =
    /## The source\n\n```text\n([\s\S]*?)```/.exec(read('docs/project-layout.md')) ?? [];
  const folders = [...map.matchAll(/^ *(\S+)\/ /gm)].map(([, name = '']) => name);
  const present = [...new Set([...texts.keys()].map((file) => path.dirname(file)))]
    .filter((folder) => /^src\/lib\/[^/]+/.test(folder))
    .map((folder) => path.basename(folder));
  assert.deepEqual(folders.slice(folders.indexOf('core')).sort(), present.sort());
});

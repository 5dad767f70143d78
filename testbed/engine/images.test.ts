import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { images, nodeParts } from './images.ts';

test('testbed/README.md shows the images as images.ts has them', () => {
  const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');
  const [, table = ''] = /^\| image \| from \| .+\n\|---.*\n((?:\|.*\n)+)/m.exec(readme) ?? [];
  const rows = [...nodeParts, ...images].map(({ names, from, lacks = '' }) => {
    const shown = names.map((name) => `\`${name}\``).join(', ');
    return `| ${shown} | ${from} | ${lacks} |`;
  });
  assert.deepEqual(table.trimEnd().split('\n'), rows);
});

test('an image that is called a stand-in says what it does not do', () => {
  const silent = images.filter(({ from, lacks }) => from === 'stand-in' && !lacks);
  assert.deepEqual(silent, []);
});

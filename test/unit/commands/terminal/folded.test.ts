import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { folded, writeLines } from '../../../../src/commands/terminal/clean.ts';
import { fakeIo } from '../../support/fake-io.ts';

/** Every line that transcripts show of join, doctor, wec get, previews, waits and errors. */
const lines = globSync('test/golden/**/*.txt').flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => (/^[12t]\| /.test(line) ? line.slice(3) : [])),
);
const commands = /(?:^ *|[:?] )((?:stellarctl|kubectl|clusteradm|helm|k3d) \S+ .*?)(?: {6}\(|$)/;
/** No terminal can show these words within its width. */
const isOneWord = (line: string) => /^(?:\S+|`[^`]*`\S*)$/.test(line.trim());

describe('a line on a terminal', () => {
  for (const columns of [60, 80, 120])
    test(`of ${columns} columns is broken at words only, and commands are whole`, () => {
      assert.ok(lines.length > 3000);
      for (const line of lines) {
        const parts = folded(line, columns).split('\n');
        assert.equal(parts.join(' ').replaceAll(/ +/g, ' '), line.replaceAll(/ +/g, ' '));
        const [, command] = commands.exec(line) ?? [];
        if (command !== undefined)
          assert.ok(
            parts.some((part) => part.includes(command)),
            line,
          );
        for (const part of parts)
          assert.ok(part.length <= columns || isOneWord(part) || commands.test(part), part);
      }
    });

  test('continues under its text', () => {
    const shown = (line: string) => folded(line, 40).split('\n');
    assert.deepEqual(shown('  ✗ Deployment shop/web   cannot be pulled: not found at all'), [
      '  ✗ Deployment shop/web   cannot be',
      '    pulled: not found at all',
    ]);
    assert.deepEqual(shown('  labels      location-group=edge environment=production'), [
      '  labels      location-group=edge',
      '              environment=production',
    ]);
    assert.deepEqual(shown('    See its log: kubectl --context w1 -n a logs pod/b      (again)'), [
      '    See its log:',
      '    kubectl --context w1 -n a logs pod/b',
      '    (again)',
    ]);
    const coloured = '\x1b[32m✓\x1b[39m joined after the approval of its request';
    assert.deepEqual(shown(coloured).map(stripVTControlCharacters), [
      '✓ joined after the approval of its',
      '  request',
    ]);
  });

  test('is whole elsewhere, and in tables', () => {
    const { io, stdout } = fakeIo();
    const line = 'word '.repeat(30).trim();
    writeLines(io.stdout, [line]);
    Object.assign(io.stdout, { isTTY: true, columns: 20 });
    writeLines(io.stdout, [line], Infinity);
    assert.equal(stdout.text, `${line}\n${line}\n`);
    writeLines(io.stdout, [line]);
    assert.match(stdout.text, /\nword word word word\nword/);
  });
});

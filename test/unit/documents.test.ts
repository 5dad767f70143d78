import './support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { type ErrorCode, StellarError } from '../../src/lib/core/errors.ts';
import { fieldsOf, sections, undocumented } from '../documents.ts';
import { commandNamed, program } from './support/program.ts';
import { filesOf, read, sources } from './support/sources.ts';

describe('documents of commands', async () => {
  const whole = await program();
  const commands = leavesOf(whole);

  test('are all described', () => {
    const described = new Set(sections.map((section) => section.replace(/ --.*/, '')));
    const names = commands.filter(
      (name) =>
        !/^wec (accept|label|deregister)$|^(help|options|completion|__complete)$/.test(name),
    );
    assert.deepEqual(
      names.filter((name) => !described.has(name)),
      [],
    );
    assert.deepEqual(
      [...described].filter((name) => !names.includes(name)),
      [],
    );
  });

  test('are described for existing options', () => {
    for (const section of sections) {
      const words = section.split(' ');
      const known = commandNamed(whole, words).options.map(({ long }) => long);
      assert.deepEqual(
        words.filter((word) => word.startsWith('--') && !known.includes(word)),
        [],
        section,
      );
    }
  });

  test('have no field that the source does not know', () => {
    const words = new Set(sources.flatMap(({ text }) => text.match(/\w+/g) ?? []));
    const fields = sections.flatMap(fieldsOf);
    assert.ok(fields.length > 400, 'this test sees hardly any field');
    assert.deepEqual(
      fields.filter((field) => !words.has(field)),
      [],
    );
  });

  for (const file of filesOf('test/golden/**/*.txt'))
    test(`in ${file} match their description`, () =>
      assert.deepEqual(
        runsIn(read(file)).flatMap(({ words, printed }) => undocumented(words, printed)),
        [],
      ));

  test('that do not match their description are found', () => {
    const item = { name: 'c1', stage: null, blockedAt: null, changed: true };
    const of = (document: object) => undocumented(['wec', 'accept', 'c1'], [document]);
    assert.deepEqual(of({ items: [item] }), []);
    assert.deepEqual(of({ items: [], error: { code: 'usage', message: '' } }), []);
    assert.deepEqual(of({ items: [{ ...item, more: 1 }] }), [
      'accept.items[0].more is not documented',
    ]);
    assert.deepEqual(of({ items: [{ ...item, changed: 'no' }] }), [
      'accept.items[0].changed is "no", not boolean',
    ]);
    const { stage: _, ...rest } = item;
    assert.deepEqual(of({ items: [rest] }), ['accept.items[0].stage is missing']);
    const blockedAt = { stage: 'x', state: 'met', why: '' };
    assert.deepEqual(of({ items: [{ ...item, blockedAt }] }), [
      'accept.items[0].blockedAt.state is "met", not failed',
    ]);
  });
});

test('every error code is documented with its exit code, and every documented code exists', () => {
  const [, table = ''] = read('docs/output.md').split('\n## Error codes\n');
  const [rows = ''] = table.split('\n## ');
  const described = [...rows.matchAll(/^\| (`[^|]*`) \| ([^|]*) \|/gm)].flatMap(
    ([, cell = '', exit = '']) =>
      (cell.match(/[a-z]+(-[a-z]+)*/g) ?? []).map(
        (code) => [code, Number.parseInt(exit, 10)] as const,
      ),
  );
  const source = read('src/lib/core/errors.ts');
  const [, codes = '', failures = ''] =
    /const exitCodes = \{(.*?)\}.*?^export type ErrorCode =(.*?);/ms.exec(source) ?? [];
  const known = [
    codes.matchAll(/^ {2}'?([a-z-]+)'?:/gm),
    failures.matchAll(/'([a-z-]+)'/g),
  ].flatMap((found) => [...found].map(([, code = '']) => code));
  assert.deepEqual(described.map(([code]) => code).sort(), [...known, 'internal'].sort());
  for (const [code, exit] of described)
    if (code !== 'internal')
      assert.equal(new StellarError(code as ErrorCode, '').exitCode, exit, code);
});

function leavesOf(command: Command, before = ''): string[] {
  return command.commands.flatMap((child) => {
    const name = `${before}${child.name()}`;
    return child.commands.length === 0 ? [name] : leavesOf(child, `${name} `);
  });
}

/** The runs of a transcript that print documents. */
function runsIn(transcript: string): { words: string[]; printed: unknown[] }[] {
  return transcript.split(/^(?=\$ )/m).flatMap((step) => {
    const [line = '', ...rest] = step.split('\n');
    const words = /^\$ .*?(?:stellarctl|kubectl stellar) (.*)$/.exec(line)?.[1]?.split(' ') ?? [];
    const format = /(?:-o|--output)[ =](json|yaml)/.exec(line)?.[1];
    const text = rest.flatMap((each) => /^1\| ?(.*)$/.exec(each)?.[1] ?? []).join('\n');
    if (format === undefined || text === '') return [];
    const documents =
      format === 'json' ? [JSON.parse(text)] : parseAllDocuments(text).map((each) => each.toJS());
    return [{ words, printed: documents }];
  });
}

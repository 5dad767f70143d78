/** What -o yaml, -o manifest and --print-manifests write is the same for Go's YAML, and what Go writes for `-f FILE`, in 1,000 documents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDocument } from 'yaml';
import { safeYaml } from '../../../src/commands/terminal/clean.ts';
import { yamlOfGo } from '../../../src/lib/core/text/formats.ts';
import { readByGo, writtenByGo } from '../../../testbed/index.ts';

/** Words that YAML 1.1 or 1.2 takes for something else than text, and characters that end a line for one of them. */
const words = [
  ...['yes', 'no', 'on', 'off', 'y', 'N', 'Yes', 'NO', 'true', 'null', '~', '', ' ', '-', '?', ':'],
  ...['1_000', '0b1', '0o7', '07', '0x1F', '1:30', '1e3', '+1', '.5', '.inf', '.NaN', '1.', '12'],
  ...[
    '2024-01-01',
    '<<',
    '=',
    '!x',
    '&a',
    '*a',
    '#',
    'a #b',
    'a: b',
    '"',
    "'",
    '%',
    '@',
    '`',
    '|',
    '>',
  ],
  ...[
    '\n',
    'a\nb\n',
    '\n a',
    '\t',
    'a\r',
    '\u0085',
    '\u2028',
    '\u2029',
    'é',
    '😀',
    '---',
    '...',
    '{}',
    '[]',
  ],
];
const text = fc.oneof(
  fc.constantFrom(...words),
  fc.array(fc.constantFrom(...words, 'a'), { maxLength: 4 }).map((parts) => parts.join('')),
);
/** Of a key `<<` without quotes, Go merges the value. */
const key = text.filter((each) => each !== '<<');
const { value: documents } = fc.letrec((tie) => ({
  value: fc.dictionary(key, tie('any'), { maxKeys: 4, noNullPrototype: true }),
  any: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.integer(),
    fc.constantFrom(0.5, true, false, null),
    fc.array(tie('any'), { maxLength: 3 }),
    tie('value'),
  ),
}));
const values = fc.sample(documents, { numRuns: 1000, seed: 78 });

test('Go reads what is written', async () => {
  const texts = await Promise.all(values.map((value) => safeYaml(value)));
  assert.deepEqual(await readByGo(texts), values);
});

test('what Go writes is read', async () => {
  // Go writes these characters as they are, as ends of lines; a kubeconfig with one is refused.
  const written = values.filter((value) => !/[\u0085\u2028\u2029]/.test(JSON.stringify(value)));
  const texts = await writtenByGo(written);
  assert.deepEqual(
    texts.map((each) => parseDocument(each, yamlOfGo).toJS()),
    written,
  );
  assert.ok(written.length > 700);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Environment } from '@marcbachmann/cel-js';
import { presets } from '../../../../../src/lib/workloads/status/collector.ts';
import { expressionProblem } from '../../../../../src/lib/workloads/status/expression.ts';

const good = [
  ...Object.values(presets).flatMap((preset) => ('select' in preset ? preset.select.map(({ def }) => def) : [])),
  presets['available-wecs'].filter,
  'inventory.name == "w1" && !(returned.status.x > -1.5e3 || obj.metadata.name in ["a", \'b\',])',
  'has(obj.spec) ? {"a": 1u, "b": [1, 2][0]} : {}',
  'returned.status.conditions.filter(c, c.type == "Available").size() + size([]) - 0x1F',
  'returned.status.conditions.exists(c, c.status != "True") // why',
  'r"\\d" + b"x" + """a "quoted" one""" + \'it\\\'s\'',
  'obj.a\n  .b',
  'Msg{a: 1}.a',
  '- - 1',
];
const bad = [
  ...[
    '',
    '  ',
    'obj.',
    '.',
    'obj..a',
    'obj.a ==',
    '== 1',
    'a b',
    '"a',
    "'a\nb'",
    '(obj',
    'obj)',
    '[1, 2',
    '(1]',
    '{"a": 1]',
  ],
  ...[
    'a = b',
    'a & b',
    'a | b',
    'a ? b :',
    'f(,)',
    'f(a,)',
    '()',
    'a !b',
    'in',
    'a in',
    '1 2',
    '"a" "b"',
    '@a',
    'a, ',
    '[,]',
    'a[]',
  ],
];

test('a CEL expression passes', () => {
  for (const text of good) assert.equal(expressionProblem(text), undefined, text);
});

test('a misspelt one is reported', () => {
  for (const text of bad) assert.notEqual(expressionProblem(text), undefined, text);
  assert.equal(expressionProblem('obj.'), 'it ends where a value is expected');
  assert.equal(expressionProblem('a b'), 'it cannot go on with "b" after "a"');
  assert.equal(expressionProblem('(obj'), '"(" is not closed');
});

test('a CEL parser agrees', () => {
  const environment = new Environment();
  // It accepts that comma, which cel-go does not.
  for (const text of bad.filter((each) => each !== 'f(a,)')) assert.throws(() => environment.parse(text), text);
  for (const text of good.filter((each) => !/Msg|r"|\[.*,\]|- -/.test(each))) environment.parse(text);
});

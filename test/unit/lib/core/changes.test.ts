import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  changesFor,
  changeWords,
  conflicts,
  effectiveChanges,
  isChange,
  parseChanges,
  parseLabelChanges,
  withChanges,
} from '../../../../src/lib/core/changes.ts';

test('changes are distinguished from names', () => {
  assert.deepEqual(['a=b', 'a-', 'a=', 'cluster1', 'a.b'].map(isChange), [
    true,
    true,
    true,
    false,
    false,
  ]);
});

test('a label with another value is a conflict; the same value, a new label and a removal are not', () => {
  const present = { a: '1', b: '2', d: '' };
  assert.deepEqual(conflicts(present, { a: '1', b: '3', c: '4', d: '5' }), ['b=2', 'd=']);
  assert.deepEqual(conflicts(present, { a: null, z: null, constructor: 'x' }), []);
});

test('only differences are written', () => {
  const present = { a: '1', b: '2' };
  assert.deepEqual(effectiveChanges(present, { a: '1', b: '3', c: '4', constructor: 'x' }), {
    b: '3',
    c: '4',
    constructor: 'x',
  });
  assert.deepEqual(effectiveChanges(present, { a: null, z: null, toString: null }), { a: null });
});

test('applied changes leave nothing to change', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'constructor');
  const value = fc.constantFrom('', '1', '2');
  const plain = { noNullPrototype: true } as const;
  fc.assert(
    fc.property(
      fc.dictionary(key, value, plain),
      fc.dictionary(key, fc.option(value), plain),
      (present, changes) => {
        const before = { ...present };
        const after = withChanges(present, changes);
        assert.deepEqual([effectiveChanges(after, changes), conflicts(after, changes)], [{}, []]);
        assert.deepEqual(withChanges(present, effectiveChanges(present, changes)), after);
        assert.deepEqual(present, before);
      },
    ),
  );
});

test('{name} in a value is the name of the WEC, and nothing else in braces is a value', () => {
  const changes = parseLabelChanges(['name={name}', 'site=a-{name}.{name}', 'old-']);
  assert.deepEqual(changesFor('c1', changes), { name: 'c1', site: 'a-c1.c1', old: null });
  for (const word of ['name={Name}', 'name={name', '{name}=a', 'name=-{name}'])
    assert.throws(() => parseLabelChanges([word]), { code: 'usage' });
});

test('changes can be typed as given', () => {
  const rules = { what: 'label', problemOf: () => undefined };
  const words = ['a=b=c', 'b-', 'c='];
  assert.deepEqual(changeWords(parseChanges(words, rules)), words);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseWecArguments } from '../../src/commands/wec-argument.ts';
import { StellarError } from '../../src/lib/errors.ts';

describe('a WEC is named', () => {
  test('by its name alone', () =>
    assert.deepEqual(parseWecArguments(['cluster1']), [{ name: 'cluster1', context: undefined }]));
  test('by name and context', () =>
    assert.deepEqual(parseWecArguments(['cluster1=kind-1', 'b=c']), [
      { name: 'cluster1', context: 'kind-1' },
      { name: 'b', context: 'c' },
    ]));
  test('with a context that has an equals sign', () =>
    assert.deepEqual(parseWecArguments(['a=b=c']), [{ name: 'a', context: 'b=c' }]));
  test('with --wec-context', () => assert.deepEqual(parseWecArguments(['a'], 'b'), [{ name: 'a', context: 'b' }]));
  test('by a name that a namespace can have', () => {
    for (const name of ['a', '0', 'a-b', 'a'.repeat(63)]) assert.doesNotThrow(() => parseWecArguments([name]));
  });
});

describe('it is wrong usage to give', () => {
  const cases: [what: string, positional: string[], context: string | undefined, message: RegExp][] = [
    ['no name before the equals sign', ['=a'], undefined, /is not NAME=CONTEXT/],
    ['no context after it', ['a='], undefined, /is not NAME=CONTEXT/],
    ['--wec-context with several names', ['a', 'b'], 'c', /single NAME/],
    ['--wec-context with a context', ['a=b'], 'c', /single NAME/],
    ['--wec-context without a name', [], 'c', /single NAME/],
    ['a name twice', ['a', 'b', 'a=c'], undefined, /name "a" is given twice/],
    ['a context twice', ['a=c', 'b=c'], undefined, /context "c" is given twice/],
    ['a name in capitals', ['Cluster1'], undefined, /lower-case/],
    ['a name with a dot', ['a.b'], undefined, /lower-case/],
    ['a name with a hyphen at its end', ['a-'], undefined, /lower-case/],
    ['a name with a line break', ['a\n'], undefined, /lower-case/],
    ['an empty name', [''], undefined, /lower-case/],
    ['a name of 64 characters', ['a'.repeat(64)], undefined, /64 characters/],
  ];
  for (const [what, positional, context, message] of cases) {
    test(what, () =>
      assert.throws(
        () => parseWecArguments(positional, context),
        (error: unknown) => error instanceof StellarError && error.code === 'usage' && message.test(error.message),
      ),
    );
  }
});

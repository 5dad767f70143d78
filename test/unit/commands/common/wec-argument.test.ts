import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  parseChosenWecs,
  parseWecArguments,
  parseWecTarget,
  targetWords,
} from '../../../../src/commands/common/wec-argument.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { command } from '../../../../src/lib/core/next-step.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { fakeKube } from '../../support/builders.ts';

describe('a WEC is named', () => {
  test('by its name', () =>
    assert.deepEqual(parseWecArguments(['cluster1']), [{ name: 'cluster1', context: undefined }]));
  test('by name and context', () =>
    assert.deepEqual(parseWecArguments(['cluster1=kind-1', 'b=c']), [
      { name: 'cluster1', context: 'kind-1' },
      { name: 'b', context: 'c' },
    ]));
  test('with a context that contains an equals sign', () =>
    assert.deepEqual(parseWecArguments(['a=b=c']), [{ name: 'a', context: 'b=c' }]));
  test('with others in a comma-separated list, as in clusteradm', () => {
    const names = parseWecArguments(['c1,c2,c3', 'c4=a,b']).map(({ name, context }) => [
      name,
      context,
    ]);
    assert.deepEqual(names, [
      ['c1', undefined],
      ['c2', undefined],
      ['c3', undefined],
      ['c4', 'a,b'],
    ]);
    assert.deepEqual(parseWecTarget(['c1,c2', 'c1'], {}), { names: ['c1', 'c2'] });
  });
  test('by a valid namespace name', () => {
    for (const name of ['a', '0', 'a-b', 'a'.repeat(63)])
      assert.doesNotThrow(() => parseWecArguments([name]));
  });
});

describe('names of WECs are validated: it is a usage error to give', () => {
  const cases: [what: string, positional: string[], message: RegExp][] = [
    ['no name before the equals sign', ['=a'], /is not NAME=CONTEXT/],
    ['no context after it', ['a='], /is not NAME=CONTEXT/],
    ['a name twice', ['a', 'b', 'a=c'], /name "a" is given twice/],
    ['a context twice', ['a=c', 'b=c'], /context "c" is given twice/],
    ['a name in capitals', ['Cluster1'], /lower-case/],
    ['a name with a dot', ['a.b'], /lower-case/],
    ['a name with a hyphen at its end', ['a-'], /lower-case/],
    ['a name with a line break', ['a\n'], /lower-case/],
    ['an empty name', [''], /lower-case/],
    ['an empty name between commas', ['a,,b'], /lower-case/],
    ['one context for several names', ['a,b=c'], /write NAME=CONTEXT for each/],
    ['a name twice in one word', ['a,a'], /name "a" is given twice/],
    ['a name of 64 characters', ['a'.repeat(64)], /more than 63 characters/],
  ];
  for (const [what, positional, message] of cases) {
    test(what, () =>
      assert.throws(
        () => parseWecArguments(positional),
        (error: unknown) =>
          error instanceof StellarError && error.code === 'usage' && message.test(error.message),
      ),
    );
  }
});

test('a target can be typed as given', () => {
  const typed = (words: string[], options: { all?: boolean; selector?: string } = {}) =>
    command`stellarctl label ${targetWords(parseWecTarget(words, options))} --list`;
  assert.equal(typed(['a', 'b']), 'stellarctl label a b --list');
  assert.equal(typed([], { all: true }), 'stellarctl label --all --list');
  assert.equal(
    typed([], { selector: 'group in (edge,core)' }),
    "stellarctl label -l 'group in (edge,core)' --list",
  );
});

describe('WECs are selected', () => {
  const asked: unknown[] = [];
  const hub = fakeKube({
    list: (async (_: unknown, selection: unknown) => {
      asked.push(selection);
      return [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }];
    }) as Kube['list'],
  });
  test('by name, without contacting the ITS', async () => {
    const { named, find } = parseChosenWecs(['a=x', 'b'], {});
    assert.deepEqual(named, [
      { name: 'a', context: 'x' },
      { name: 'b', context: undefined },
    ]);
    assert.equal(await find(hub), named);
    assert.deepEqual(asked, []);
  });
  test('by a selector, or all of them, from the ITS', async () => {
    const { named, find } = parseChosenWecs([], { selector: 'env=edge' });
    assert.equal(named, undefined);
    assert.deepEqual(await find(hub), [
      { name: 'a', context: undefined },
      { name: 'b', context: undefined },
    ]);
    await parseChosenWecs([], { all: true }).find(hub);
    assert.deepEqual(asked, [{ labelSelector: 'env=edge' }, { labelSelector: undefined }]);
  });
  test('in one of these ways', () => {
    const isUsage = (error: unknown) => error instanceof StellarError && error.code === 'usage';
    for (const [words, choice] of [
      [[], {}],
      [['a'], { all: true }],
      [[], { all: true, selector: 'x' }],
      [[], { selector: '' }],
    ] as const)
      assert.throws(() => parseChosenWecs(words, choice), isUsage);
  });
  test('only on an ITS', async () => {
    const other = fakeKube({ list: async () => undefined });
    await assert.rejects(parseChosenWecs([], { all: true }).find(other), { code: 'not-a-hub' });
  });
});

import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  parseChosenWecs,
  parseWecArguments,
  parseWecTarget,
  targetWords,
} from '../../../../src/commands/common/wec-argument.ts';
import { command } from '../../../../src/lib/core/next-step.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { fakeKube } from '../../support/builders.ts';

const wec = (name: string, context?: string) => ({ name, context });

describe('a WEC is named', () => {
  const cases: [what: string, positional: string[], wecs: ReturnType<typeof wec>[]][] = [
    ['by its name', ['cluster1'], [wec('cluster1')]],
    ['by name and context', ['cluster1=kind-1', 'b=c'], [wec('cluster1', 'kind-1'), wec('b', 'c')]],
    ['with a context that contains an equals sign', ['a=b=c'], [wec('a', 'b=c')]],
    [
      'with others in a comma-separated list, as in clusteradm',
      ['c1,c2,c3', 'c4=a,b'],
      [wec('c1'), wec('c2'), wec('c3'), wec('c4', 'a,b')],
    ],
  ];
  for (const [what, positional, wecs] of cases)
    test(what, () => assert.deepEqual(parseWecArguments(positional), wecs));
  test('twice, and is a target once', () =>
    assert.deepEqual(parseWecTarget(['c1,c2', 'c1'], {}), { names: ['c1', 'c2'] }));
  test('by a valid namespace name', () => {
    for (const name of ['a', '0', 'a-b', 'a'.repeat(63)])
      assert.doesNotThrow(() => parseWecArguments([name]));
  });
});

describe('names of WECs are validated: it is a usage error to give', () => {
  const cases: [what: string, positional: string[], message: RegExp][] = [
    ['no name before the equals sign', ['=a'], /is not NAME=CONTEXT/],
    ['no context after it', ['a='], /is not NAME=CONTEXT/],
    ['a context twice', ['a=c', 'b=c'], /context "c" is given twice/],
    ['a name with a dot', ['a.b'], /lower-case/],
    ['a name with a hyphen at its end', ['a-'], /lower-case/],
    ['a name with a line break', ['a\n'], /lower-case/],
    ['an empty name', [''], /lower-case/],
    ['an empty name between commas', ['a,,b'], /lower-case/],
    ['one context for several names', ['a,b=c'], /write NAME=CONTEXT for each/],
    ['a name twice in one word', ['a,a'], /name "a" is given twice/],
    ['a name of 64 characters', ['a'.repeat(64)], /more than 63 characters/],
  ];
  for (const [what, positional, message] of cases)
    test(what, () =>
      assert.throws(() => parseWecArguments(positional), { code: 'usage', message }),
    );
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
    assert.deepEqual(named, [wec('a', 'x'), wec('b')]);
    assert.equal(await find(hub), named);
    assert.deepEqual(asked, []);
  });
  test('by a selector, or all of them, from the ITS', async () => {
    const { named, find } = parseChosenWecs([], { selector: 'env=edge' });
    assert.equal(named, undefined);
    assert.deepEqual(await find(hub), [wec('a'), wec('b')]);
    await parseChosenWecs([], { all: true }).find(hub);
    assert.deepEqual(asked, [{ labelSelector: 'env=edge' }, { labelSelector: undefined }]);
  });
  test('in one of these ways', () => {
    for (const [words, choice] of [
      [[], {}],
      [['a'], { all: true }],
      [[], { all: true, selector: 'x' }],
      [[], { selector: '' }],
    ] as const)
      assert.throws(() => parseChosenWecs(words, choice), { code: 'usage' });
  });
  test('only on an ITS', async () => {
    const other = fakeKube({ list: async () => undefined });
    await assert.rejects(parseChosenWecs([], { all: true }).find(other), { code: 'not-a-hub' });
  });
});

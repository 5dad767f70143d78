import './support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseMutants, mutated } from '../../scripts/mutants/choose.ts';
import { sitesOf } from '../../scripts/mutants/sites.ts';
import { byNearness, failedTest } from '../../scripts/mutants/test-files.ts';
import { root } from '../pages.ts';

describe('a line is changed', () => {
  const cases: [line: string, changes: string[]][] = [
    ['if (a) b = c;', ['a -> !(a)']],
    ['if (a) return;', ['a -> !(a)', 'if (a) return; -> ;']],
    ['a === b;', ['=== -> !==']],
    ['a < b && c;', ['&& -> ||', '< -> >=']],
    ['a ?? b;', ['a ?? b -> a', 'a ?? b -> b']],
    ['a = [true, 0, 7];', ['true -> false', '0 -> 1', '7 -> 0']],
    ['await a(b);', ['await a(b); -> ;']],
    ['return a;', ['a -> undefined']],
    ['a = () => b;', ['b -> undefined']],
    ['a = b.filter(c);', ['.filter(c) -> ']],
    ['a = b.some(c) || b?.every(c);', ['|| -> &&', 'some -> every', 'every -> some']],
    ["throw new StellarError('not-found', 'x');", ["'not-found' -> 'internal'"]],
    ["a = { code: 'x', name: 'y' };", ["'x' -> 'other'"]],
    ["import a from '1';", []],
    ["type A = 'b' | 1 | true;", []],
    ['const a: Map<1, true> = b as 0; // c === d', []],
  ];
  for (const [line, changes] of cases)
    test(line, () => {
      const text = /^(?:import|type)/.test(line)
        ? line
        : `async function f(): Promise<true> {\n  ${line}\n}`;
      assert.deepEqual(
        sitesOf(text).map(({ before, after }) => `${before} -> ${after}`),
        changes,
      );
    });
});

test('an operator between two lines is changed within its own', () => {
  const [site] = sitesOf('const a =\n  b\n  && c;\n');
  assert.deepEqual(site, { kind: '&& or ||', line: 3, column: 0, before: '&&', after: '||' });
});

test('a mutant is found by what its line says', () => {
  const [site] = sitesOf('f();\n  a === b;\n').filter(({ before }) => before === '===');
  assert.ok(site);
  const mutant = { ...site, area: 'x', file: 'x.ts', text: 'a === b;', same: 1 };
  assert.equal(
    mutated('\n a === b;\ng();\n\ta === b;\n', mutant),
    '\n a === b;\ng();\n\ta !== b;\n',
  );
  assert.equal(mutated('a === b;\n', mutant), undefined);
});

test('lines are chosen evenly, and the same ones again', () => {
  const chosen = chooseMutants(root, 'seed', 10);
  const areas = Object.entries(Object.groupBy(chosen, ({ area }) => area)).map(([area, some]) => [
    area,
    some?.length,
  ]);
  assert.deepEqual(Object.fromEntries(areas), {
    policy: 2,
    workload: 2,
    doctor: 2,
    deregister: 2,
    join: 2,
  });
  assert.deepEqual(chooseMutants(root, 'seed', 10), chosen);
  assert.notDeepEqual(chooseMutants(root, 'other', 10), chosen);
});

test('the first failed test is named with its suites', () => {
  const tap = [
    'TAP version 13',
    '# Subtest: a',
    '    # Subtest: b',
    '    ok 1 - b',
    '    # Subtest: c',
    '    not ok 2 - c # TODO',
    '    # Subtest: d',
    '    not ok 3 - d',
    'not ok 1 - a',
  ];
  assert.equal(failedTest(tap.join('\n')), 'a › d');
  assert.equal(failedTest(tap.slice(0, 6).join('\n')), undefined);
});

test('the nearest tests come first', () => {
  const [far, area, near, mirrored] = [
    'test/unit/lib/wecs/a.test.ts',
    'test/unit/lib/wecs/client.test.ts',
    'test/unit/lib/kube/b.test.ts',
    'test/unit/lib/kube/client/c.test.ts',
  ] as const;
  const order = byNearness([far, area, near, mirrored], 'src/lib/kube/client/client.ts', 'client');
  assert.deepEqual(order, [mirrored, near, area, far]);
});

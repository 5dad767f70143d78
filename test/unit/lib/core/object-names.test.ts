import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkDnsName,
  checkNamespace,
  checkPathSegment,
} from '../../../../src/lib/core/object-names.ts';

const usage = { code: 'usage' };
const isRefused = (check: (name: string) => void, ...names: string[]) => {
  for (const name of names) assert.throws(() => check(name), usage, name);
};

test('a Namespace has the name of a DNS label', () => {
  for (const name of ['shop', 'a', '0-1', 'x'.repeat(63)]) checkNamespace(name);
  isRefused(
    checkNamespace,
    '',
    '../x',
    'a.b',
    'Shop',
    '-a',
    'a-',
    'a b',
    '*',
    'x'.repeat(64),
    'a\n',
  );
});

test('a policy has the name of a DNS subdomain', () => {
  const check = (name: string) => checkDnsName(name, 'a binding policy');
  for (const name of ['shop', 'a.b-c.0', 'x'.repeat(253)]) check(name);
  isRefused(check, '', '../x', '.a', 'a..b', 'A', 'a/b', 'x'.repeat(254), 'a\n');
  assert.throws(() => check('a/b'), {
    message: /^"a\/b" cannot be the name of a binding policy: /,
  });
});

test('an object of any kind has a name that is a valid path segment', () => {
  for (const name of ['system:node', 'a.B_c', '...']) checkPathSegment(name);
  isRefused(checkPathSegment, '.', '..', 'a/b', '%2e');
});

import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseLabelChanges, parseLabels } from '../../../../src/lib/core/changes.ts';

const refused = (message: RegExp) => ({ code: 'usage', message });

// Kubernetes' rules, generated (apimachinery, pkg/util/validation: IsQualifiedName, IsValidLabelValue, IsDNS1123Subdomain).
const edge = fc.constantFrom(...'abzABZ019');
const inner = fc.constantFrom(...'aZ09-_.');
const word = (rest: fc.Arbitrary<string>, most: number) =>
  fc
    .tuple(
      edge,
      fc.option(
        fc.tuple(
          fc.array(rest, { maxLength: most - 2 }).map((letters) => letters.join('')),
          edge,
        ),
      ),
    )
    .map(([first, more]) => first + (more === null ? '' : more.join('')));
const name = word(inner, 63);
const dnsLabel = word(fc.constantFrom(...'a0-'), 20).map((text) => text.toLowerCase());
const key = fc
  .tuple(fc.option(fc.array(dnsLabel, { minLength: 1, maxLength: 4 })), name)
  .map(([prefix, last]) => (prefix === null ? last : `${prefix.join('.')}/${last}`));
const value = fc.oneof(fc.constant(''), name);

describe('what Kubernetes accepts is accepted:', () => {
  test('key=value', () =>
    fc.assert(
      fc.property(key, value, (k, v) =>
        assert.deepEqual(parseLabelChanges([`${k}=${v}`]), { [k]: v }),
      ),
    ));
  test('key-', () =>
    fc.assert(
      fc.property(key, (k) => assert.deepEqual(parseLabelChanges([`${k}-`]), { [k]: null })),
    ));
  test('the longest of everything', () => {
    const prefix = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
    assert.equal(prefix.length, 253);
    assert.doesNotThrow(() => parseLabelChanges([`${prefix}/${'k'.repeat(63)}=${'v'.repeat(63)}`]));
  });
});

describe('what Kubernetes refuses is refused:', () => {
  const cases: [argument: string, problem: RegExp][] = [
    ['=x', /the key is empty/],
    ['-', /the key is empty/],
    ['a/=x', /the key is empty/],
    ['/a=x', /is not a DNS name/],
    ['a/b/c=x', /at most one "\/"/],
    ['UPPER/a=x', /"UPPER" is not a DNS name/],
    ['a..b/c=x', /is not a DNS name/],
    ['-a/c=x', /is not a DNS name/],
    [`${'a'.repeat(254)}/c=x`, /is not a DNS name/],
    [`${'k'.repeat(64)}=x`, /longer than 63/],
    ['-a=x', /a key has letters/],
    ['a_=x', /a key has letters/],
    ['a b=x', /a key has letters/],
    ['ä=x', /a key has letters/],
    ['__proto__=x', /a key has letters/],
    [`a=${'v'.repeat(64)}`, /longer than 63/],
    ['a=b=c', /a value has letters/],
    ['a=-b', /a value has letters/],
    ['a=b/c', /a value has letters/],
    ['a=b c', /a value has letters/],
    ['a=b\n', /a value has letters/],
    ['a--', /a key has letters/],
  ];
  for (const [argument, problem] of cases)
    test(JSON.stringify(argument.slice(0, 20)), () =>
      assert.throws(() => parseLabelChanges([argument]), refused(problem)),
    );

  test('any value with one character too many', () => {
    fc.assert(
      fc.property(name, fc.constantFrom(...' /:=+@äß\t!,'), name, (a, bad, b) => {
        assert.throws(
          () => parseLabelChanges([`k=${(a + bad + b).slice(0, 63)}x`]),
          refused(/a value|the value/),
        );
      }),
    );
  });
});

test('a label cannot be set and removed at once, nor set to two values', () => {
  assert.throws(() => parseLabelChanges(['a=1', 'a-']), refused(/given twice/));
  assert.throws(() => parseLabelChanges(['a-', 'a=']), refused(/given twice/));
  assert.throws(() => parseLabelChanges(['a=1', 'a=2']), refused(/given twice/));
  assert.deepEqual(parseLabelChanges(['a=1', 'a=1']), { a: '1' });
});

test('labels to set cannot be removals', () => {
  assert.deepEqual(parseLabels(['a=1', 'b=']), { a: '1', b: '' });
  assert.throws(() => parseLabels(['a-']), refused(/would remove/));
});

test('an argument without a value reports what is missing', () => {
  assert.throws(() => parseLabels(['x']), refused(/^"x" is not a label: "=VALUE" is missing/));
  assert.throws(() => parseLabelChanges(['x']), refused(/"=VALUE" is missing/));
  assert.throws(() => parseLabelChanges(['=v']), refused(/the key is empty/));
});

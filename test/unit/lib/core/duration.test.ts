import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatAge, formatElapsed, parseDuration } from '../../../../src/lib/core/deadline.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe('a duration is parsed:', () => {
  const cases: Record<string, number> = {
    '0': 0,
    '90': 90 * second,
    '90s': 90 * second,
    '5m': 5 * minute,
    '1h30m': 90 * minute,
    '1.5h': 90 * minute,
    '250ms': 250,
    '2d': 2 * day,
  };
  for (const [text, ms] of Object.entries(cases))
    test(text, () => assert.equal(parseDuration(text), ms));
});

test('anything else is not a duration', () => {
  for (const text of [
    '',
    '-1',
    '-5m',
    '1.5',
    's',
    '5 m',
    '5m ',
    '1e3',
    '5x',
    '0x10',
    '5m!',
    'Infinity',
    '٣s',
  ]) {
    assert.equal(parseDuration(text), undefined, JSON.stringify(text));
  }
});

test('hours, minutes and seconds add up', () => {
  fc.assert(
    fc.property(fc.nat(99), fc.nat(999), fc.nat(9999), (h, m, s) =>
      assert.equal(parseDuration(`${h}h${m}m${s}s`), h * hour + m * minute + s * second),
    ),
  );
});

/** The results of kubectl's own function (k8s.io/apimachinery/pkg/util/duration, HumanDuration). */
describe('an age is shown as kubectl shows it:', () => {
  const cases: [string, number][] = [
    ['0s', 0],
    ['119s', 119_999],
    ['2m', 2 * minute],
    ['9m59s', 10 * minute - 1],
    ['10m', 10 * minute + 59 * second],
    ['179m', 3 * hour - 1],
    ['3h', 3 * hour],
    ['7h59m', 8 * hour - 1],
    ['8h', 8 * hour + 59 * minute],
    ['47h', 2 * day - 1],
    ['2d', 2 * day],
    ['8d', 8 * day + 5 * hour],
    ['729d', 2 * 365 * day - 1],
    // Kubectl: 2y1d.
    ['731d', 731 * day],
    // Kubectl shows hours up to eight days.
    ['2d3h', 2 * day + 3 * hour],
    // It has no negative age.
    ['0s', -5000],
  ];
  for (const [text, ms] of cases) test(text, () => assert.equal(formatAge(ms), text));
});

describe('an elapsed time is shown as', () => {
  const cases: [string, number][] = [
    ['0.0s', 0],
    ['0.4s', 412],
    ['12.3s', 12_345],
    ['1m0s', minute],
    ['2m5s', 125 * second],
    // The seconds are rounded to 60.
    ['2m0s', 119_700],
  ];
  for (const [text, ms] of cases) test(text, () => assert.equal(formatElapsed(ms), text));
  test('never sixty seconds', () => {
    fc.assert(
      fc.property(fc.nat(4 * hour), (ms) => assert.doesNotMatch(formatElapsed(ms), /^60\.|m60s/)),
      { numRuns: 2000 },
    );
  });
});

import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { advice } from '../../../../src/lib/core/next-step.ts';
import {
  blockingStage,
  failed,
  isMet,
  judge,
  met,
  type StageReport,
  standingOf,
  unseen,
  type Verdict,
  waiting,
} from '../../../../src/lib/core/stages.ts';

const verdicts: Record<string, Verdict> = {
  m: met,
  w: waiting('later'),
  f: failed('broken', { next: [advice('mend it')] }),
  u: unseen('no access'),
};
const letters = (reports: StageReport[]) => reports.map(({ verdict }) => verdict.state[0]).join('');
/** Evaluates stages a, b, c … whose verdicts are given by their first letters. @param settles what stages settle, by their ids */
const judged = (text: string, settles: Record<string, string> = {}) =>
  judge(
    [...text].map((letter, index) => {
      const id = String.fromCharCode(97 + index);
      return {
        id,
        title: '',
        settles: [...(settles[id] ?? '')],
        check: () => verdicts[letter] as Verdict,
      };
    }),
    undefined,
  );

describe('a met stage', () => {
  test('settles the unseen stages that it names, and nothing else', () => {
    // What is settled has not been seen to be met: it proves nothing about others.
    const names = fc.dictionary(fc.constantFrom(...'abcd'), fc.constantFrom('', 'a', 'bd', 'abc'));
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('m', 'w', 'f', 'u'), { maxLength: 4 }),
        names,
        (given, settles) => {
          const settled = given.flatMap((letter, index) =>
            letter === 'm' ? [...(settles['abcd'.charAt(index)] ?? '')] : [],
          );
          const expected = given.map((letter, index) =>
            letter === 'u' && settled.includes('abcd'.charAt(index)) ? 'm' : letter,
          );
          assert.equal(letters(judged(given.join(''), settles)), expected.join(''));
        },
      ),
    );
  });
});

describe('of the stages', () => {
  const cases: [given: string, blocking: string | undefined, reached: string | null][] = [
    ['mmm', undefined, 'c'],
    ['mww', 'b', 'a'],
    ['www', 'a', null],
    ['mwf', 'c', 'a'],
    ['mmf', 'c', 'b'],
    ['mff', 'b', 'a'],
    ['fmm', 'a', null],
    ['umw', 'c', 'b'],
    ['muw', 'c', 'a'],
    ['mwm', 'b', 'a'],
    ['uuu', undefined, null],
    ['', undefined, null],
  ];
  for (const [given, blocking, reached] of cases) {
    test(`${given || 'none'}, ${blocking ?? 'none'} keeps the subject, which has reached ${reached ?? 'none'}`, () => {
      assert.equal(blockingStage(judged(given))?.id, blocking);
      assert.equal(standingOf(judged(given)).stage, reached);
      assert.equal(standingOf(judged(given)).blockedAt?.stage, blocking);
    });
  }

  test('failed and waiting stages are distinguished, each with its reason', () => {
    assert.deepEqual(standingOf(judged('mwf')).blockedAt, {
      stage: 'c',
      state: 'failed',
      why: 'broken',
    });
    assert.deepEqual(standingOf(judged('mw')).blockedAt, {
      stage: 'b',
      state: 'waiting',
      why: 'later',
    });
    assert.equal(standingOf(judged('mm')).blockedAt, null);
  });
});

test('a stage is met if it is present and met', () => {
  assert.equal(isMet(judged('mw'), 'a'), true);
  assert.equal(isMet(judged('mw'), 'b'), false);
  assert.equal(isMet(judged('mw'), 'z'), false);
});

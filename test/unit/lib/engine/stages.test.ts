import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { inWords } from '../../../../src/lib/engine/next-step.ts';
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
} from '../../../../src/lib/engine/stages.ts';

const verdicts: Record<string, Verdict> = {
  m: met,
  w: waiting('later'),
  f: failed('broken', { next: [inWords('mend it')] }),
  u: unseen('no access'),
};
const letters = (reports: StageReport[]) => reports.map(({ verdict }) => verdict.state[0]).join('');
/** Evaluates stages a, b, c … whose verdicts are given by their first letters. */
const judged = (text: string) =>
  judge(
    [...text].map((letter, index) => ({
      id: String.fromCharCode(97 + index),
      title: '',
      check: () => verdicts[letter] as Verdict,
    })),
    undefined,
  );

describe('a later met stage', () => {
  const cases: [given: string, settled: string][] = [
    ['um', 'mm'],
    ['uumu', 'mmmu'],
    ['wm', 'wm'],
    ['fm', 'fm'],
    ['mu', 'mu'],
    ['uwu', 'uwu'],
  ];
  for (const [given, settled] of cases)
    test(`gives ${settled} for ${given}`, () => assert.equal(letters(judged(given)), settled));

  test('settles unseen stages before it, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('m', 'w', 'f', 'u')), (given) => {
        const last = given.lastIndexOf('m');
        const expected = given.map((letter, index) => (letter === 'u' && index < last ? 'm' : letter)).join('');
        assert.equal(letters(judged(given.join(''))), expected);
      }),
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
    assert.deepEqual(standingOf(judged('mwf')).blockedAt, { stage: 'c', state: 'failed', why: 'broken' });
    assert.deepEqual(standingOf(judged('mw')).blockedAt, { stage: 'b', state: 'waiting', why: 'later' });
    assert.equal(standingOf(judged('mm')).blockedAt, null);
  });

  test('a failed stage is never the reached one', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('m', 'w', 'f', 'u')), (given) => {
        const reports = judged(given.join(''));
        const { stage, blockedAt } = standingOf(reports);
        assert.notEqual(stage ?? '', blockedAt?.stage);
        if (stage !== null) assert.ok(isMet(reports, stage));
      }),
    );
  });
});

test('a stage is met if it is present and met', () => {
  assert.equal(isMet(judged('mw'), 'a'), true);
  assert.equal(isMet(judged('mw'), 'b'), false);
  assert.equal(isMet(judged('mw'), 'z'), false);
});

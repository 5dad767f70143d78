import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { untilMet } from '../../../../src/lib/core/follow.ts';
import { failedForGood, met, type Verdict, waiting } from '../../../../src/lib/core/stages.ts';
import { recordingProgress, run } from '../../support/builders.ts';

/** Reads a number that must become 0; a negative one cannot. */
const check = (left: number): Verdict =>
  left === 0 ? met : left < 0 ? failedForGood('it is too late') : waiting(`${left} left`);
const unmet = (left: number) => new StellarError('timeout', `${left} left at the end`);

test('a stage is acted on until it is met, and its wait is reported', async () => {
  let left = 2;
  const progress = recordingProgress();
  await untilMet(
    {
      check,
      name: 'x',
      read: async () => left,
      act: async (seen) => {
        left = seen - 1;
      },
      unmet,
    },
    run(5000, progress),
  );
  assert.deepEqual(progress.lines, ['waiting x 2 left', 'waiting x 1 left']);
});

test('a stage that can no longer be met, or not in time, ends with its problem', async () => {
  await assert.rejects(untilMet({ check, read: async () => -1, unmet }, run(5000)), {
    message: '-1 left at the end',
  });
  await assert.rejects(untilMet({ check, read: async () => 1, unmet }, run(0)), {
    message: '1 left at the end',
  });
});

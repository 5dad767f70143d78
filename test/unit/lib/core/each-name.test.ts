import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forName, noteWrite } from '../../../../src/lib/core/each-name.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { recordingProgress, run } from '../../support/builders.ts';

test('an expected error becomes the result of its name, and a bug does not', async () => {
  const progress = recordingProgress();
  const error = new StellarError('conflict', 'taken');
  const result = await forName({ name: 'x' }, run(0, progress), () => Promise.reject(error));
  assert.deepEqual(result, { name: 'x', error });
  assert.deepEqual(progress.lines, ['failed x']);
  const bug = new TypeError('bug');
  await assert.rejects(
    forName({ name: 'x' }, run(0), () => Promise.reject(bug)),
    bug,
  );
});

test('what was written for a name is in its result, also where the work fails, and not in that of another name', async () => {
  const late = new StellarError('timeout', 'late');
  const work = (writes: boolean, error?: StellarError) => async () => {
    await Promise.resolve();
    if (writes) noteWrite();
    if (error !== undefined) throw error;
  };
  const changed = async (name: string, ...[writes, error]: Parameters<typeof work>) =>
    (await forName({ name, changed: false }, run(0), work(writes, error))).changed;
  assert.deepEqual(
    await Promise.all([changed('a', true, late), changed('b', false, late), changed('c', true)]),
    [true, false, true],
  );
  const outer = await forName({ name: 'd', changed: false }, run(0), async () => {
    await changed('e', true);
  });
  assert.equal(outer.changed, true);
  const imagined = { ...run(0), dryRun: true };
  const dry = await forName({ name: 'f', changed: false }, imagined, work(true));
  assert.equal(dry.changed, false);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forName } from '../../../../src/lib/core/each-name.ts';
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

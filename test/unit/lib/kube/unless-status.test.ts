import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, unlessStatus } from '../../../../src/lib/kube/client/errors.ts';

test('only the given HTTP errors are ignored', async () => {
  const refused = (status: number) => Promise.reject(new ApiError(status, {}, 'api-error', 'no'));
  assert.equal(await unlessStatus(Promise.resolve('yes'), 403), 'yes');
  assert.equal(await unlessStatus(refused(403), 404, 403), undefined);
  await assert.rejects(unlessStatus(refused(500), 404, 403), { status: 500 });
  await assert.rejects(unlessStatus(Promise.reject(new TypeError('bug')), 404), TypeError);
});

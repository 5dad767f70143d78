import assert from 'node:assert/strict';
import { it } from 'node:test';
import { benchDoctor } from './doctor.ts';

it('doctor finds every fault of the bed, and what it offers helps', async () => {
  assert.deepEqual(await benchDoctor(), []);
});

import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { ClientRequest } from 'node:http';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { serving } from '../../../support/serving.ts';

test('completed requests are released, however long the run takes', async () => {
  const { kube } = await serving(() => ({}));
  const requests = () => queryObjects(ClientRequest, { format: 'count' });
  // Other tests run in this process.
  const before = requests();
  for (let count = 0; count < 50; count++) await kube.read('/version');
  await turn();
  const kept = requests() - before;
  assert.ok(kept < 10, `${kept} of 50 are kept`);
});

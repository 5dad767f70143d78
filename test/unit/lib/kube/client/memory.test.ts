import assert from 'node:assert/strict';
import { ClientRequest } from 'node:http';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { Deadline } from '../../../../../src/lib/core/deadline.ts';
import { connect } from '../../../../../src/lib/kube/client/client.ts';
import { FakeServer } from '../../../support/fake-server.ts';

test('completed requests are released, however long the run takes', async () => {
  const server = await FakeServer.start(() => ({ body: {} }));
  const run = new AbortController();
  const kube = connect(server.context(), { deadline: new Deadline(20_000), signal: run.signal });
  const requests = () => queryObjects(ClientRequest, { format: 'count' });
  // Other tests run in this process.
  const before = requests();
  try {
    for (let count = 0; count < 50; count++) await kube.read('/version');
    await turn();
    const kept = requests() - before;
    assert.ok(kept < 10, `${kept} of 50 are kept`);
  } finally {
    kube.close();
    await server.stop();
  }
});

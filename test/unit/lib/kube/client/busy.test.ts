import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFile } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Deadline } from '../../../../../src/lib/core/deadline.ts';
import { connect } from '../../../../../src/lib/kube/client/client.ts';
import { FakeServer } from '../../../support/fake-server.ts';

/**
 * Node abandons one of several addresses after 250 ms, by a timer that it checks before it checks whether the address has answered.
 */
const stallMs = 400;

test('a machine that is busy while it connects does not treat the server as silent', async (t) => {
  const server = await FakeServer.start(() => ({}));
  const context = server.context();
  // Two addresses, of which the first has a listener.
  context.server = context.server.replace('127.0.0.1', 'localhost');
  context.cluster['tls-server-name'] = 'hub.example';
  const kube = connect(context, new Deadline(20_000), new AbortController().signal);
  const stall = () =>
    setImmediate(() => {
      for (const end = Date.now() + stallMs; Date.now() < end; );
    });
  subscribe('net.client.socket', stall);
  t.after(async () => {
    unsubscribe('net.client.socket', stall);
    kube.close();
    await server.stop();
  });
  await promisify(readFile)(import.meta.filename);
  assert.deepEqual(await kube.read('/version'), {});
});

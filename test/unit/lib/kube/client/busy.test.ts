import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFile } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { FakeServer } from '../../../support/fake-server.ts';
import { clientOf, stopping } from '../../../support/serving.ts';

/**
 * Node abandons one of several addresses after 250 ms, by a timer that it checks before it checks whether the address has answered.
 */
const stallMs = 400;

test('a machine that is busy while it connects does not treat the server as silent', async (t) => {
  const server = stopping(await FakeServer.start(() => ({})));
  const context = server.context();
  // Two addresses, of which the first has a listener.
  context.server = context.server.replace('127.0.0.1', 'localhost');
  context.cluster['tls-server-name'] = 'hub.example';
  const { kube } = clientOf(context);
  const stall = () =>
    setImmediate(() => {
      for (const end = Date.now() + stallMs; Date.now() < end; );
    });
  subscribe('net.client.socket', stall);
  t.after(() => unsubscribe('net.client.socket', stall));
  await promisify(readFile)(import.meta.filename);
  assert.deepEqual(await kube.read('/version'), {});
});

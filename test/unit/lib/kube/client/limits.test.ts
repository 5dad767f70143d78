import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestLimit } from '../../../../../src/lib/kube/client/client.ts';
import { resources } from '../../../../../src/lib/kube/client/objects.ts';
import type { Limit } from '../../../../../src/lib/kube/client/transport.ts';
import { FakeServer } from '../../../support/fake-server.ts';
import { clientOf, serving, stopping } from '../../../support/serving.ts';

/** The number of connections that so many clients of one server open for a hundred concurrent requests each. */
async function connectionsOf(clients: number, limit?: Limit) {
  const server = stopping(
    await FakeServer.start(() => ({ body: { kind: 'Namespace', metadata: { name: 'n' } } })),
  );
  const kubes = Array.from({ length: clients }, () => clientOf(server.context(), { limit }).kube);
  const asking = kubes.flatMap((kube) =>
    Array.from({ length: 100 }, () => kube.get(resources.namespaces, 'n')),
  );
  await Promise.all(asking);
  assert.equal(server.requests.length, 100 * clients);
  return server.connections;
}

test('a client opens at most 32 connections', async () => {
  assert.equal(await connectionsOf(1), 32);
});

test('clients of several clusters share 32 concurrent requests, and open 4 connections each', async () => {
  assert.equal(await connectionsOf(3, requestLimit()), 3 * 4);
});

test('answers without end have connections of their own', async () => {
  let endless = 0;
  const stop = new AbortController();
  const { kube } = await serving(
    ({ path }) => {
      if (path !== '/log') return { body: { metadata: {} } };
      endless += 1;
      return undefined;
    },
    { signal: stop.signal, limit: requestLimit() },
  );
  const streams = Array.from({ length: 6 }, () => kube.stream('/log', {}).next());
  try {
    // It is answered while they are open.
    do await kube.read('/version');
    while (endless < streams.length);
  } finally {
    stop.abort();
    await Promise.allSettled(streams);
  }
});

test('an answer without end ends at the deadline', async () => {
  const { kube } = await serving(() => undefined, { timeoutMs: 100, limit: requestLimit() });
  await assert.rejects(kube.stream('/log', {}).next(), { code: 'timeout' });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline } from '../../../../../src/lib/core/deadline.ts';
import { connect, requestLimit } from '../../../../../src/lib/kube/client/client.ts';
import { resources } from '../../../../../src/lib/kube/client/objects.ts';
import type { Limit } from '../../../../../src/lib/kube/client/transport.ts';
import { FakeServer } from '../../../support/fake-server.ts';

/** The number of connections that so many clients of one server open for a hundred concurrent requests each. */
async function connectionsOf(
  clients: number,
  limitOfEach: () => Limit | undefined,
): Promise<number> {
  const server = await FakeServer.start(() => ({
    body: { kind: 'Namespace', metadata: { name: 'n' } },
  }));
  const signal = new AbortController().signal;
  const kubes = Array.from({ length: clients }, () =>
    connect(server.context(), new Deadline(20_000), signal, undefined, limitOfEach()),
  );
  try {
    const asking = kubes.flatMap((kube) =>
      Array.from({ length: 100 }, () => kube.get(resources.namespaces, 'n')),
    );
    await Promise.all(asking);
    assert.equal(server.requests.length, 100 * clients);
    return server.connections;
  } finally {
    for (const kube of kubes) kube.close();
    await server.stop();
  }
}

test('a client opens at most 32 connections', async () => {
  assert.equal(await connectionsOf(1, () => undefined), 32);
});

test('clients of several clusters share 32 concurrent requests, and open 4 connections each', async () => {
  const limit = requestLimit();
  assert.equal(await connectionsOf(3, () => limit), 3 * 4);
});

test('answers without end have connections of their own', async () => {
  let endless = 0;
  const server = await FakeServer.start(({ path }) => {
    if (path !== '/log') return { body: { metadata: {} } };
    endless += 1;
    return undefined;
  });
  const stopping = new AbortController();
  const kube = connect(
    server.context(),
    new Deadline(20_000),
    stopping.signal,
    undefined,
    requestLimit(),
  );
  const streams = Array.from({ length: 6 }, () => kube.stream('/log', {}).next());
  try {
    // It is answered while they are open.
    do await kube.read('/version');
    while (endless < streams.length);
  } finally {
    stopping.abort();
    await Promise.allSettled(streams);
    kube.close();
    await server.stop();
  }
});

test('an answer without end ends at the deadline', async () => {
  const server = await FakeServer.start(() => undefined);
  const signal = new AbortController().signal;
  const kube = connect(server.context(), new Deadline(100), signal, undefined, requestLimit());
  try {
    await assert.rejects(kube.stream('/log', {}).next(), { code: 'timeout' });
  } finally {
    kube.close();
    await server.stop();
  }
});

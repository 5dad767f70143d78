import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Deadline } from '../../../../../src/lib/engine/deadline.ts';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { connect } from '../../../../../src/lib/kube/client/live-client.ts';
import { resources } from '../../../../../src/lib/kube/resources.ts';
import { FakeServer, type ReceivedRequest } from '../../../support/fake-server.ts';

const opened: { stop: () => unknown }[] = [];
afterEach(async () => {
  for (const { stop } of opened.splice(0)) await stop();
});

interface Stored {
  data: Record<string, string>;
  /** The field manager and time of the write; unspecified if omitted. */
  by?: { manager: string; secondsAgo: number };
}

const asObject = ({ data, by }: Stored) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'a',
    namespace: 'n',
    resourceVersion: '2',
    managedFields:
      by === undefined
        ? []
        : [{ manager: by.manager, time: new Date(Date.now() - by.secondsAgo * 1000).toISOString() }],
  },
  data,
});

/** A server that loses the response to the first write, after which an object is stored; a repeated write is rejected. */
async function losingAnAnswer(stored: Stored | undefined, refusal = 409): Promise<{ kube: Kube; writes: string[] }> {
  const writes: string[] = [];
  const server: FakeServer = await FakeServer.start(({ method }: ReceivedRequest) => {
    if (method === 'GET') return stored === undefined ? { status: 404 } : { body: asObject(stored) };
    writes.push(method);
    if (writes.length > 1) return { status: refusal, body: { reason: 'Conflict', message: 'it has been written' } };
    setTimeout(() => server.cutConnections(), 10);
    return undefined;
  });
  const kube = connect(server.context(), new Deadline(20_000), new AbortController().signal);
  opened.push({ stop: () => kube.close() }, { stop: () => server.stop() });
  // Only a server that has answered before counts as restarting.
  await kube.read('/version');
  return { kube, writes };
}

const own: Stored = { data: { k: 'v' }, by: { manager: 'stellarctl', secondsAgo: 0 } };
const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } };
const kinds: [what: string, write: (kube: Kube) => Promise<unknown>][] = [
  ['an object is made', (kube) => kube.create(resources.configMaps, body, { namespace: 'n' })],
  [
    'a guarded patch is made',
    (kube) =>
      kube.merge(
        resources.configMaps,
        'a',
        { metadata: { resourceVersion: '1' }, data: { k: 'v', gone: null } },
        { namespace: 'n' },
      ),
  ],
  [
    'an object is replaced',
    (kube) =>
      kube.replace(resources.configMaps, { ...body, metadata: { name: 'a', namespace: 'n', resourceVersion: '1' } }),
  ],
];

for (const [what, write] of kinds)
  test(`if the response is lost when ${what}, it succeeds if its first attempt was applied`, async () => {
    const { kube, writes } = await losingAnAnswer(own);
    assert.deepEqual(((await write(kube)) as Stored).data, { k: 'v' });
    assert.equal(writes.length, 2);
  });

const foreign: [what: string, stored: Stored | undefined][] = [
  ['what is there has another content', { ...own, data: { k: 'other' } }],
  ['somebody else has written the same', { ...own, by: { manager: 'kubectl', secondsAgo: 0 } }],
  ['it was written so long before', { ...own, by: { manager: 'stellarctl', secondsAgo: 60 } }],
  ['nothing is there', undefined],
];
for (const [why, stored] of foreign)
  test(`if the response is lost, it fails if ${why}`, async () => {
    const { kube } = await losingAnAnswer(stored);
    await assert.rejects(kube.create(resources.configMaps, body, { namespace: 'n' }), { code: 'conflict' });
  });

test('a deletion whose response was lost succeeds if the object no longer exists', async () => {
  const { kube } = await losingAnAnswer(undefined, 404);
  assert.equal(await kube.delete(resources.configMaps, 'a', { namespace: 'n' }), true);
});

test('an error for a request that was sent once stays an error', async () => {
  const server = await FakeServer.start(({ method }) =>
    method === 'GET' ? { body: asObject(own) } : { status: 409, body: { reason: 'AlreadyExists' } },
  );
  const kube = connect(server.context(), new Deadline(20_000), new AbortController().signal);
  opened.push({ stop: () => kube.close() }, { stop: () => server.stop() });
  await assert.rejects(kube.create(resources.configMaps, body, { namespace: 'n' }), { code: 'conflict' });
});

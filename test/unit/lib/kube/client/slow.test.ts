import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, mock, test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { requestTimeoutMs } from '../../../../../src/lib/core/deadline.ts';
import { resources } from '../../../../../src/lib/kube/client/objects.ts';
import type { FakeServer } from '../../../support/fake-server.ts';
import { fakeTime, realTime } from '../../../support/fake-time.ts';
import { clientOf, serving, stopping } from '../../../support/serving.ts';

afterEach(realTime);

describe('a compressed response', () => {
  const packed = (body: string | Buffer) => ({ headers: { 'Content-Encoding': 'gzip' }, body });
  const named = (name: string) => ({ metadata: { name } });

  test('is requested and decompressed', async () => {
    const items = Array.from({ length: 500 }, (_, index) => named(`cluster${index}`));
    const { server, kube } = await serving(() => packed(gzipSync(JSON.stringify({ items }))));
    assert.deepEqual(await kube.list(resources.managedClusters), items);
    assert.equal(server.requests[0]?.headers['accept-encoding'], 'gzip');
  });
  test('is not requested if the kubeconfig says so', async () => {
    const { server, kube } = await serving(() => ({}), {
      cluster: { 'disable-compression': true },
    });
    await kube.read('/version');
    assert.equal(server.requests[0]?.headers['accept-encoding'], undefined);
  });
  const tooLong = {
    message: 'An answer of more than 256 MB, or a list of more than 1 GB, was not read.',
  };
  test('is limited by its content', async () => {
    const part = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
    const bomb = Buffer.concat(Array.from({ length: 5 }, () => part));
    const { kube } = await serving(() => packed(bomb));
    await assert.rejects(kube.read('/version'), tooLong);
  });
  test('is limited together with others, as the pages of a list are', async () => {
    const { kube } = await serving(() => ({ body: { a: 'x'.repeat(100) } }));
    const read = (within: { bytes: number }) => kube.read('/version', undefined, undefined, within);
    const within = { bytes: 150 };
    await read(within);
    await assert.rejects(read(within), tooLong);
  });
  const whole = gzipSync(randomBytes(100_000));
  const broken: [what: string, body: string | Buffer][] = [
    ['is not', '{"items":[]}'],
    ['is cut short', whole.subarray(0, 50_000)],
    ['is damaged', Buffer.concat([whole.subarray(0, 50_000), randomBytes(50_000)])],
    ['is empty', ''],
  ];
  for (const [what, body] of broken) {
    test(`and ${what} is an error`, async () => {
      const { server, kube } = await serving(() => packed(body));
      await assert.rejects(kube.read('/version'), {
        message:
          /^(Cannot reach fake \(https:\S+\): [\w /]+|fake \(https:\S+\) does not answer like a Kubernetes API server)\.$/,
      });
      assert.equal(server.requests.length, 1);
    });
  }
  test('is cut off with its connection like any other', async () => {
    const { server, kube } = await serving((_, count) => {
      if (count > 1) return undefined;
      return { headers: { 'Content-Encoding': 'gzip', 'Content-Length': '200000' }, body: whole };
    });
    const answer = kube.read('/version');
    await sleep(50);
    server.cutConnections();
    await assert.rejects(answer, { code: 'unreachable' });
  });
});

/** A server without TLS whose responses a test sends piece by piece. */
async function piecemeal(timeoutMs: number) {
  const responses: ServerResponse[] = [];
  const server = http.createServer((_, response) => responses.push(response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stopping({
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  const { kube } = clientOf(
    { name: 'its1', server: address, cluster: {}, user: {} },
    { timeoutMs },
  );
  const asked = async () => {
    while (responses.length === 0) await turn();
    return responses.shift() as ServerResponse;
  };
  return { kube, asked };
}

/** Delivers the data in transit between two sockets of this process. */
async function arrived() {
  for (let each = 0; each < 100; each += 1) await turn();
}

describe('the timeout of a request measures silence:', () => {
  const almost = requestTimeoutMs - 1000;
  /** Time passes only by ticks. */
  const timeless = () => {
    fakeTime(['setTimeout']);
    return piecemeal(600_000);
  };

  test('a response may take as long as data arrives', async () => {
    const { kube, asked } = await timeless();
    const answer = kube.read('/version');
    const response = await asked();
    for (const piece of ['{"met', 'adata":', '{}', ',"a":', '"b"']) {
      mock.timers.tick(almost);
      response.write(piece);
      await arrived();
    }
    mock.timers.tick(almost);
    response.end('}');
    assert.deepEqual(await answer, { metadata: {}, a: 'b' });
  });
  test('so may a compressed one', async () => {
    const { kube, asked } = await timeless();
    const answer = kube.read('/version');
    const response = await asked();
    response.writeHead(200, { 'Content-Encoding': 'gzip' });
    // The gzip header alone produces no output.
    for (const byte of gzipSync('{}')) {
      mock.timers.tick(almost / 2);
      response.write(Buffer.from([byte]));
      await arrived();
    }
    response.end();
    assert.deepEqual(await answer, {});
  });
  test('a server that falls silent in the middle is unreachable', async () => {
    const { kube, asked } = await timeless();
    const refused = assert.rejects(kube.read('/version'), {
      code: 'unreachable',
      message: /: no answer in time\.$/,
    });
    const response = await asked();
    response.write('{"met');
    await arrived();
    mock.timers.tick(requestTimeoutMs);
    await refused;
  });
  test('other responses of the same server may delay a response, for a minute', async () => {
    const { kube, asked } = await timeless();
    const sending = kube.read('/long');
    const long = await asked();
    const delayed = kube.read('/delayed');
    const late = await asked();
    const lost = kube.read('/lost');
    await asked();
    const send = async (pieces: number) => {
      for (let each = 0; each < pieces; each += 1) {
        mock.timers.tick(almost);
        long.write(' ');
        await arrived();
      }
    };
    await send(5);
    late.end('{}');
    assert.deepEqual(await delayed, {});
    await send(2);
    // As after a restart, the request is sent again.
    mock.timers.tick(500);
    (await asked()).end('{}');
    assert.deepEqual(await lost, {});
    long.end('{}');
    assert.deepEqual(await sending, {});
  });
  test('but the deadline of the command ends a response that never does', async () => {
    const { kube, asked } = await piecemeal(1300);
    const answer = kube.read('/version');
    const response = await asked();
    const drip = setInterval(() => response.write(' '), 20);
    await assert.rejects(answer, {
      code: 'timeout',
      message: /did not answer before the deadline\.$/,
    });
    clearInterval(drip);
  });
});

describe('a kept connection that the server has closed', () => {
  /** A server that closes all connections instead of answering some of its requests. */
  async function closing(
    when: (count: number) => boolean,
    answer: Parameters<typeof serving>[0] = () => ({}),
  ) {
    const opened: { server?: FakeServer } = {};
    const { server, kube } = await serving((request, count) => {
      if (!when(count)) return answer(request, count);
      opened.server?.cutConnections();
      return undefined;
    });
    opened.server = server;
    return { server, kube };
  }

  test('causes no error, and does not count against the server', async () => {
    const { server, kube } = await closing((count) => count % 2 === 0);
    await kube.read('/version');
    const started = Date.now();
    for (let each = 0; each < 60; each += 1) await kube.read('/version');
    // With a pause before each it would take 30 s.
    assert.ok(Date.now() - started < 15_000, `${Date.now() - started} ms`);
    assert.deepEqual([server.requests.length, server.connections], [121, 61]);
  });
  test('causes no error if there are many', async () => {
    const { server, kube } = await closing((count) => count === 17);
    const all = () => Promise.all(Array.from({ length: 16 }, () => kube.read('/version')));
    await all();
    await all();
    assert.ok(server.requests.length >= 33);
  });
  test('may have carried a write, which is sent again', async () => {
    const { server, kube } = await closing(
      (count) => count === 2,
      () => ({ body: { metadata: { name: 'a' } } }),
    );
    await kube.read('/version');
    await kube.create(resources.secrets, { metadata: { name: 'a' } });
    assert.deepEqual(
      server.requests.map(({ method }) => method),
      ['GET', 'POST', 'POST'],
    );
  });
  test('is distinguished from a new one: a server that closes that is unreachable', async () => {
    const { server, kube } = await closing((count) => count === 2 || count === 3);
    await kube.read('/version');
    await kube.read('/version');
    assert.equal(server.requests.length, 4);
  });
  test('is distinguished from one that is closed in the middle of a response', async () => {
    const { kube, asked } = await piecemeal(20_000);
    const first = kube.read('/version');
    (await asked()).end('{}');
    await first;
    const second = kube.read('/version');
    const response = await asked();
    response.write('{"met');
    await sleep(20);
    response.destroy();
    (await asked()).end('{"a":1}');
    assert.deepEqual(await second, { a: 1 });
  });
});

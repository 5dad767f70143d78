import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import net, { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, describe, mock, test } from 'node:test';
import { parse } from 'yaml';
import { checkAddresses } from '../../../../../src/commands/wec/join-options.ts';
import { bootstrapKubeconfig } from '../../../../../src/lib/ocm/agent/klusterlet-agent.ts';
import { verifyEndpoint } from '../../../../../src/lib/ocm/hub/endpoint.ts';
import { run } from '../../../support/builders.ts';
import { FakeServer } from '../../../support/fake-server.ts';
import { clientOf, stopping } from '../../../support/serving.ts';

const isThere = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

/** On a machine without IPv6, a server at 127.0.0.1 that says that it is at ::1; see `redirect`. */
async function started() {
  const server = stopping(await FakeServer.start(() => ({}), isThere ? '::1' : '127.0.0.1'));
  const url = server.url.replace('127.0.0.1', '[::1]');
  return Object.defineProperty(server, 'url', { value: url });
}

/** Where there is no IPv6, connections to ::1 are made to 127.0.0.1, and are the same above that. */
function redirect() {
  const { connect } = net.Socket.prototype;
  mock.method(
    net.Socket.prototype,
    'connect',
    function (this: net.Socket, ...args: Parameters<typeof connect>) {
      for (const each of (args as unknown[]).flat() as { host?: string }[])
        if (each?.host === '::1') each.host = '127.0.0.1';
      return connect.apply(this, args);
    },
  );
}
if (!isThere) before(redirect);
after(() => mock.restoreAll());

/** Whether another process listens at the same port of IPv4. */
const isTaken = (server: string) =>
  new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(true));
    probe.listen(Number(new URL(server).port), '127.0.0.1', () =>
      probe.close(() => resolve(false)),
    );
  });

describe('an IPv6 address', () => {
  test('is connected to, verified and shown unchanged', async () => {
    const server = await started();
    const { kube, traced } = clientOf(server.context());
    await kube.read('/version');
    assert.match(server.url, /^https:\/\/\[::1\]:\d+$/);
    assert.equal(kube.cluster.server, server.url);
    assert.match(traced.join(), /^GET https:\/\/\[::1\]:\d+\/version 200 /);
    assert.equal(server.requests[0]?.headers.host, new URL(server.url).host);
  });
  test('is verified: a certificate for another address is rejected', async () => {
    const server = await started();
    const context = server.context();
    context.cluster['tls-server-name'] = 'fd00::1';
    await assert.rejects(clientOf(context).kube.read('/version'), {
      code: 'tls-error',
      message:
        /^Cannot reach fake \(https:\/\/\[::1\]:\d+\): its certificate is for other names\.$/,
    });
  });
  test('may be the address of an ITS for agents: it is verified, and written unchanged', async () => {
    const server = await started();
    const authority = Buffer.from(
      server.context().cluster['certificate-authority-data'] ?? '',
      'base64',
    ).toString();
    const endpoint = { server: server.url, certificateAuthority: authority, proxyUrl: undefined };
    assert.equal(
      await verifyEndpoint('its1', { ...endpoint, source: '--hub-apiserver' }, run()),
      undefined,
    );
    assert.equal(server.requests.length, 1);
    assert.equal(parse(bootstrapKubeconfig(endpoint, 't')).clusters[0].cluster.server, server.url);
    assert.doesNotThrow(() => checkAddresses({ hubApiserver: 'https://[fd00::1]:6443' }));
  });
  test('is that of localhost if nothing listens on IPv4', async () => {
    let server = await started();
    while (isThere && (await isTaken(server.context().server))) server = await started();
    const context = server.context();
    context.server = context.server.replace('[::1]', 'localhost');
    context.cluster['tls-server-name'] = 'hub.example';
    assert.deepEqual(await clientOf(context).kube.read('/version'), {});
    await server.stop();
    await assert.rejects(clientOf(context).kube.read('/version'), {
      message: /: connection refused\.$/,
    });
  });
});

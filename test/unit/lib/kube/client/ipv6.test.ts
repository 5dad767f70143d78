import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { checkAddresses } from '../../../../../src/commands/wec/join-options.ts';
import { bootstrapKubeconfig } from '../../../../../src/lib/ocm/agent/klusterlet-agent.ts';
import { verifyEndpoint } from '../../../../../src/lib/ocm/hub/endpoint.ts';
import { run } from '../../../support/builders.ts';
import { FakeServer } from '../../../support/fake-server.ts';
import { clientOf, stopping } from '../../../support/serving.ts';

const started = async () => stopping(await FakeServer.start(() => ({}), '::1'));

const isThere = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

/** Whether another process listens at the same port of IPv4. */
const isTaken = (server: string) =>
  new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(true));
    probe.listen(Number(new URL(server).port), '127.0.0.1', () =>
      probe.close(() => resolve(false)),
    );
  });

describe('an IPv6 address', { skip: isThere ? false : 'this machine has none' }, () => {
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
    while (await isTaken(server.context().server)) server = await started();
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

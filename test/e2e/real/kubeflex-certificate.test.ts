import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { trustedInstead } from '../../../src/lib/kube/client/kubeflex-certificate.ts';
import { type JudgedServer, judgedServers } from '../../../testbed/index.ts';
import { base64 } from '../../unit/support/builders.ts';
import { FakeProxy } from '../../unit/support/fake-proxy.ts';
import { identity } from '../../unit/support/fake-server.ts';
import { clientOf, stopping } from '../../unit/support/serving.ts';

const made = await judgedServers();
const named = (what: string): JudgedServer => {
  const found = made.find((each) => each.what === what);
  assert.ok(found, what);
  return found;
};
/** Node accepts it by itself. */
const isCorrect = (what: string) => what === 'has the AuthorityKeyId of its authority';
/** Go does not read that field; for OpenSSL any use is not that of a server. */
const stricter = ['has another AuthorityKeyId', 'may be of any use'];
/** Dates and use of the certificate itself are left to OpenSSL. */
const isOfOpenSsl = (what: string) =>
  ['has expired', 'is not valid yet', 'may be of any use'].includes(what);

/** An API server with a certificate, and what it has received. */
async function serve({ certificate, key }: JudgedServer) {
  const received: { token: string | undefined; isOfClient: boolean }[] = [];
  const seen = { connections: 0, withCertificate: 0 };
  // Also with certificates that OpenSSL finds too weak for a server.
  const weakest = { ciphers: 'DEFAULT:@SECLEVEL=0', requestCert: true, rejectUnauthorized: false };
  const server = https.createServer({ ...weakest, cert: certificate, key }, (request, response) => {
    const isOfClient = (request.socket as TLSSocket).getPeerCertificate().subject !== undefined;
    received.push({ token: request.headers.authorization, isOfClient });
    response.end('{}');
  });
  server.on('connection', () => {
    seen.connections += 1;
  });
  server.on('secureConnection', (socket) => {
    if (socket.getPeerCertificate().subject !== undefined) seen.withCertificate += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopping({
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  const show = ({ certificate: cert, key }: JudgedServer) => {
    server.closeAllConnections();
    server.setSecureContext({ ...weakest, cert, key });
  };
  return { received, seen, show, port: (server.address() as AddressInfo).port };
}

/** A client of a server, with a token and a client certificate. */
function connected(server: string, authorities: string | undefined, cluster: object = {}) {
  const known =
    authorities === undefined ? {} : { 'certificate-authority-data': base64(authorities) };
  const user = {
    token: 'secret',
    'client-certificate-data': base64(identity.cert),
    'client-key-data': base64(identity.key),
  };
  return clientOf({ name: 'wds1', server, cluster: { server, ...known, ...cluster }, user }).kube;
}

const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => '',
    (error) => (error as { code: string }).code,
  );

describe('a server whose certificate', () => {
  for (const each of made) {
    const { what, name, authorities, certificate, refused } = each;
    const isAccepted = refused === '' && !stricter.includes(what);
    test(`${what} is ${isAccepted ? 'accepted' : 'refused'}, as by Go`, async () => {
      const { received, seen, port } = await serve(each);
      const code = await refusalOf(
        connected(`https://${name}:${port}`, authorities).read('/version'),
      );
      assert.equal(code === '', isAccepted, code);
      assert.deepEqual(received, isAccepted ? [{ token: 'Bearer secret', isOfClient: true }] : []);
      const raw = new X509Certificate(certificate).raw;
      const isTrusted = trustedInstead(raw, authorities, name) !== undefined;
      assert.equal(isTrusted, (isAccepted && !isCorrect(what)) || isOfOpenSsl(what));
      assert.ok(seen.connections <= 5, String(seen.connections));
    });
  }
  test('are many that Go refuses', () => {
    assert.ok(made.filter(({ refused }) => refused !== '').length >= 25);
  });
});

describe('the certificate that KubeFlex makes', () => {
  const own = named('KubeFlex makes');
  const at = (port: number) => `https://${own.name}:${port}`;

  test('is read once, in a handshake without credentials', async () => {
    const { received, seen, port } = await serve(own);
    const kube = connected(at(port), own.authorities);
    await Promise.all([1, 2, 3].map(() => kube.read('/version')));
    await kube.read('/version');
    assert.equal(received.length, 4);
    // Each refused connection, one that reads, and those that are used.
    assert.ok(seen.connections <= 7, String(seen.connections));
    const { seen: one, port: alone } = await serve(own);
    await connected(at(alone), own.authorities).read('/version');
    assert.deepEqual(one, { connections: 3, withCertificate: 1 });
  });

  test('counts for the name of the kubeconfig, and no other', async () => {
    const { port } = await serve(own);
    const named = (name: string) =>
      refusalOf(
        connected(`https://127.0.0.1:${port}`, own.authorities, { 'tls-server-name': name }).read(
          '/version',
        ),
      );
    assert.deepEqual([await named(own.name), await named('other.example')], ['', 'tls-error']);
  });

  test('counts only if the kubeconfig names its authority', async () => {
    const { received, seen, port } = await serve(own);
    assert.equal(await refusalOf(connected(at(port), undefined).read('/version')), 'tls-error');
    assert.deepEqual([received.length, seen.connections], [0, 1]);
  });

  test('may be renewed or corrected while the client runs; a server with another one is refused', async () => {
    const { received, show, port } = await serve(own);
    const kube = connected(at(port), own.authorities);
    await kube.read('/version');
    for (const what of [
      'has a name with a wildcard',
      'has the AuthorityKeyId of its authority',
      'KubeFlex makes',
    ]) {
      show(named(what));
      await kube.read('/version');
    }
    assert.equal(received.length, 4);
    for (const what of ['is signed by another key', 'is for another name', 'has signed itself']) {
      show(named(what));
      assert.equal(await refusalOf(kube.read('/version')), 'tls-error', what);
    }
    assert.equal(received.length, 4);
  });

  for (const kind of ['http', 'https', 'socks5'] as const)
    test(`is accepted through an ${kind} proxy, which is verified by the authorities of the kubeconfig`, async () => {
      const proxy = stopping(await FakeProxy.start({ kind }));
      const { received, port } = await serve(own);
      const through = (authorities: string) =>
        connected(at(port), authorities, { 'proxy-url': proxy.url() }).read('/version');
      await through(own.authorities + identity.cert);
      assert.equal(received.length, 1);
      if (kind === 'https') assert.equal(await refusalOf(through(own.authorities)), 'tls-error');
    });
});

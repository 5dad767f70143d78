import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { FakeProxy } from '../../../support/fake-proxy.ts';
import { FakeServer } from '../../../support/fake-server.ts';
import { clientOf, stopping } from '../../../support/serving.ts';
import { stepsOf } from '../../../support/steps.ts';

const variables = [
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'https_proxy',
  'http_proxy',
  'no_proxy',
];
const before = variables.map((name) => [name, process.env[name]] as const);
afterEach(() => {
  for (const [name, value] of before) {
    delete process.env[name];
    if (value !== undefined) process.env[name] = value;
  }
});

type Behaviour = Parameters<typeof FakeProxy.start>[0];
interface Options {
  /** In the address of the proxy: `user:password` */
  user?: string;
  /** The setting that contains the address of the proxy. */
  by?: 'proxy-url' | 'HTTPS_PROXY';
  /** The name of the server. */
  host?: string;
  cluster?: object;
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** A server behind a proxy, and a client for it. */
async function behind(behaviour: Behaviour, options: Options = {}) {
  const proxy = stopping(await FakeProxy.start(behaviour));
  const server = stopping(await FakeServer.start(() => ({})));
  const context = server.context();
  const port = new URL(server.url).port;
  const { host = 'hub.example', by = 'proxy-url' } = options;
  context.server = `https://${host}:${port}`;
  context.cluster = { ...context.cluster, ...options.cluster };
  if (by === 'proxy-url') context.cluster['proxy-url'] = proxy.url(options.user);
  else process.env[by] = proxy.url(options.user);
  return { proxy, server, port, ...clientOf(context, options) };
}

const failureOf = async (kube: Kube): Promise<Error & { code?: string; exitCode?: number }> =>
  kube.read('/version').then(
    () => assert.fail('it was answered'),
    (error) => error,
  );

describe('a server is reached through', () => {
  for (const kind of ['http', 'https', 'socks5'] as const) {
    test(`an ${kind} proxy, which resolves its name, over kept connections`, async () => {
      const { proxy, server, kube, port } = await behind({ kind });
      for (let each = 0; each < 5; each += 1) await kube.read('/version');
      assert.deepEqual(
        proxy.asked.map(({ target, user }) => [target, user]),
        [[`hub.example:${port}`, undefined]],
      );
      assert.deepEqual([server.requests.length, server.connections], [5, 1]);
      assert.equal(server.requests[0]?.headers.authorization, 'Bearer secret-token');
    });
    test(`an ${kind} proxy that needs credentials, which no one else receives`, async () => {
      const { proxy, server, kube, traced } = await behind(
        { kind, user: 'me:s3:cr%t' },
        { user: 'me:s3%3Acr%25t' },
      );
      await kube.read('/version');
      assert.deepEqual([proxy.asked[0]?.user, server.requests.length], ['me:s3:cr%t', 1]);
      assert.equal(server.requests[0]?.headers['proxy-authorization'], undefined);
      assert.doesNotMatch(traced.join(), /s3/);
    });
    test(`an ${kind} proxy, which does not replace its certificate`, async () => {
      const { server, kube } = await behind({ kind }, { host: 'other.example' });
      const { code, message } = await failureOf(kube);
      assert.equal(code, 'tls-error');
      assert.match(
        message,
        /^Cannot reach fake \(\S+\) through the proxy \S+ \(proxy-url\): its certificate is for other/,
      );
      assert.equal(server.requests.length, 0);
    });
  }
  test('the proxy of HTTPS_PROXY', async () => {
    const { proxy, server, kube } = await behind({}, { by: 'HTTPS_PROXY' });
    await kube.read('/version');
    assert.deepEqual([proxy.asked.length, server.requests.length], [1, 1]);
  });
  test('a socks5 proxy by an IPv6 address', async () => {
    const { proxy, kube, port } = await behind({ kind: 'socks5' }, { host: '[::1]' });
    await kube.read('/version');
    assert.equal(proxy.asked[0]?.target, `00000000000000000000000000000001:${port}`);
  });
  test('an http proxy, if the server has no TLS', async () => {
    const asked: http.IncomingHttpHeaders[] = [];
    const server = http.createServer((request, response) => {
      asked.push(request.headers);
      response.end('{}');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const proxy = stopping(await FakeProxy.start({ user: 'me:secret' }));
    stopping({ stop: () => server.close() });
    const { port } = server.address() as AddressInfo;
    const address = `http://hub.example:${port}`;
    process.env.HTTP_PROXY = proxy.url('me:secret');
    const context = {
      name: 'fake',
      server: address,
      cluster: { server: address },
      user: { token: 't' },
    };
    const { kube } = clientOf(context);
    await kube.read('/version');
    assert.deepEqual(proxy.asked, [
      { method: 'CONNECT', target: `hub.example:${port}`, user: 'me:secret' },
    ]);
    assert.deepEqual(
      [asked[0]?.host, asked[0]?.authorization],
      [`hub.example:${port}`, 'Bearer t'],
    );
    process.env.HTTP_PROXY = proxy.url('me:wrong');
    const refused = kube.fork({});
    stopping({ stop: () => refused.close() });
    assert.match(
      (await failureOf(refused)).message,
      /^The proxy \S+ \(HTTP_PROXY\) .*: 407 Proxy Auth/,
    );
  });
  test('many connections, without a warning', async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on('warning', warn);
    const { server, kube } = await behind({ kind: 'https' });
    await Promise.all(Array.from({ length: 12 }, () => kube.read('/version')));
    await sleep(10);
    process.off('warning', warn);
    assert.deepEqual([server.requests.length, warnings], [12, []]);
  });
});

describe('a proxy that', () => {
  const refusals: [kind: 'http' | 'https' | 'socks5', status: number, why: RegExp][] = [
    ['http', 403, /: 403 Forbidden\.$/],
    ['https', 502, /: 502 Bad Gateway\.$/],
    ['http', 407, /: 407 Proxy Authentication Required\.$/],
    ['socks5', 403, /: Socks5 proxy rejected connection - NotAllowed\.$/],
  ];
  for (const [kind, refusing, why] of refusals) {
    test(`refuses (${kind} ${refusing}) is reported`, async () => {
      const { kube, proxy } = await behind({ kind, refusing }, { user: 'me:secret' });
      const error = await failureOf(kube);
      assert.deepEqual([error.code, error.exitCode], ['unreachable', 4]);
      assert.ok(
        error.message.startsWith(
          `The proxy ${proxy.url()} (proxy-url) does not connect to fake (https://hub.example:`,
        ),
      );
      assert.match(error.message, why);
      assert.equal(
        stepsOf(error),
        'Is it the right proxy? kubectl config view --minify --context fake',
      );
      assert.doesNotMatch(`${error.message}${stepsOf(error)}`, /secret/);
    });
  }
  test('rejects its user (socks5) is reported', async () => {
    const { kube } = await behind({ kind: 'socks5', user: 'me:right' }, { user: 'me:wrong' });
    assert.match((await failureOf(kube)).message, /: Socks5 Authentication failed\.$/);
  });
  for (const kind of ['http', 'https', 'socks5'] as const) {
    test(`never answers (${kind}) is closed at the deadline without leftovers`, async () => {
      const { kube, proxy } = await behind(
        { kind, refusing: 'silent' },
        { timeoutMs: 100, by: 'HTTPS_PROXY' },
      );
      const error = await failureOf(kube);
      const { code, message } = error;
      assert.equal(code, 'unreachable');
      assert.match(
        message,
        /^Cannot reach the proxy \S+ \(HTTPS_PROXY\) of fake \(https:\/\/hub\.example:\d+\): no answer in time\.$/,
      );
      assert.match(
        stepsOf(error),
        /^If the server is reachable without it: export NO_PROXY="\$NO_PROXY,"hub\.example$/,
      );
      kube.close();
      while (proxy.connections > 0) await sleep(5);
    });
    test(`never answers (${kind}) is ended by Ctrl-C`, async () => {
      const { kube } = await behind(
        { kind, refusing: 'silent' },
        { signal: AbortSignal.timeout(200) },
      );
      assert.equal((await failureOf(kube)).code, 'interrupted');
    });
  }
  for (const kind of ['http', 'https', 'socks5'] as const)
    test(`does not run (${kind}) is reported, without its password`, async () => {
      const { kube, proxy } = await behind({ kind }, { user: 'me:secret' });
      await proxy.stop();
      const error = await failureOf(kube);
      assert.match(
        error.message,
        /^Cannot reach the proxy \S+ \(proxy-url\) of fake \(\S+\): connection refused\.$/,
      );
      assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /secret|bWU6c2VjcmV0/);
    });
  test('is not trusted (https) receives nothing, regardless of NODE_TLS_REJECT_UNAUTHORIZED', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const { kube, proxy } = await behind(
        { kind: 'https' },
        { cluster: { 'certificate-authority-data': undefined } },
      );
      const { code, message } = await failureOf(kube);
      assert.equal(code, 'tls-error');
      assert.match(
        message,
        /^Cannot reach the proxy \S+ \(proxy-url\) of \S+ \(\S+\): .*unknown authority\.$/,
      );
      assert.deepEqual(proxy.asked, []);
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });
  test('is not trusted (https) is trusted like its server if the kubeconfig says so, as in kubectl', async () => {
    const cluster = { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true };
    const { kube, server } = await behind({ kind: 'https' }, { cluster });
    await kube.read('/version');
    assert.equal(server.requests.length, 1);
  });
  test('closes its connections is reconnected to', async () => {
    const { kube, proxy, server } = await behind({});
    await kube.read('/version');
    server.cutConnections();
    await kube.read('/version');
    assert.equal(proxy.asked.length, 2);
  });
});

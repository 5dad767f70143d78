import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeProxy, proxyOf } from '../../../../../src/lib/kube/client/proxy.ts';
import { matches } from '../../../support/steps.ts';

const proxy = 'http://proxy.example:3128';
type Environment = Record<string, string>;

/** The proxy for a server, in readable form. */
function chosen(server: string, env: Environment, cluster: { 'proxy-url'?: string } = {}) {
  const found = proxyOf({ name: 'its1', server, cluster }, env);
  return found && describeProxy(found);
}

// The choice of Go: golang.org/x/net/http/httpproxy v0.49.0 below k8s.io/apimachinery v0.36.3 (NewProxierWithNoProxyCIDR).
describe('of the environment, for', () => {
  const cases: [server: string, env: Environment, expected: string | undefined][] = [
    ['https://hub.example:6443', { HTTPS_PROXY: proxy }, `${proxy} (HTTPS_PROXY)`],
    ['https://hub.example:6443', { https_proxy: proxy }, `${proxy} (https_proxy)`],
    [
      'https://hub.example',
      { HTTPS_PROXY: proxy, https_proxy: 'http://other' },
      `${proxy} (HTTPS_PROXY)`,
    ],
    ['https://hub.example', { HTTPS_PROXY: '', https_proxy: proxy }, `${proxy} (https_proxy)`],
    ['https://hub.example', { HTTP_PROXY: proxy, ALL_PROXY: proxy }, undefined],
    ['http://hub.example', { HTTPS_PROXY: proxy }, undefined],
    ['http://hub.example', { HTTP_PROXY: proxy }, `${proxy} (HTTP_PROXY)`],
    ['http://hub.example', { http_proxy: proxy }, `${proxy} (http_proxy)`],
    ['https://hub.example', { HTTPS_PROXY: 'proxy.example:3128' }, `${proxy} (HTTPS_PROXY)`],
    ['https://hub.example', { HTTPS_PROXY: 'proxy' }, 'http://proxy (HTTPS_PROXY)'],
    ['https://hub.example', { HTTPS_PROXY: '10.0.0.9:3128' }, 'http://10.0.0.9:3128 (HTTPS_PROXY)'],
    [
      'https://hub.example',
      { HTTPS_PROXY: '[fd00::9]:3128' },
      'http://[fd00::9]:3128 (HTTPS_PROXY)',
    ],
    [
      'https://hub.example',
      { HTTPS_PROXY: 'socks5h://proxy:1080' },
      'socks5h://proxy:1080 (HTTPS_PROXY)',
    ],
    [
      'https://hub.example',
      { HTTPS_PROXY: 'http://me:secret@proxy:1' },
      'http://proxy:1 (HTTPS_PROXY)',
    ],
    ...['localhost:6443', '127.0.0.1:6443', '127.9.9.9', '[::1]:6443'].map(
      (host): [string, Environment, undefined] => [
        `https://${host}`,
        { HTTPS_PROXY: proxy },
        undefined,
      ],
    ),
    ...['its1.localhost', 'localhost.', '0.0.0.0', '[::2]', 'its1.localtest.me'].map(
      (host): [string, Environment, string] => [
        `https://${host}`,
        { HTTPS_PROXY: proxy },
        `${proxy} (HTTPS_PROXY)`,
      ],
    ),
  ];
  for (const [server, env, expected] of cases) {
    test(`${server} and ${JSON.stringify(env)}: ${expected ?? 'none'}`, () =>
      assert.equal(chosen(server, env), expected));
  }
});

describe('NO_PROXY', () => {
  const cases: [noProxy: string, direct: string[], proxied: string[]][] = [
    ['*', ['hub.example', '10.0.0.1', '[fd00::1]'], []],
    ['other, *', ['hub.example'], []],
    [
      'hub.example',
      ['hub.example', 'hub.example:6443', 'a.hub.example', 'b.a.HUB.example'],
      ['myhub.example', 'example'],
    ],
    ['HUB.Example', ['hub.example'], []],
    ['.hub.example', ['a.hub.example'], ['hub.example']],
    ['*.hub.example', ['a.hub.example', 'b.a.hub.example'], ['hub.example']],
    ['*hub.example', [], ['hub.example', 'a.hub.example', 'myhub.example']],
    [
      'hub.example:6443',
      ['hub.example:6443', 'a.hub.example:6443'],
      ['hub.example', 'hub.example:443'],
    ],
    ['.hub.example:443', ['a.hub.example', 'a.hub.example:443'], ['a.hub.example:6443']],
    ['示例.com', ['xn--fsq092h.com', 'a.示例.com'], ['com']],
    ['10.0.0.0/24', ['10.0.0.1', '10.0.0.255:6443'], ['10.0.1.1', 'hub.example', '[fd00::1]']],
    ['10.0.0.7/8', ['10.255.0.1'], ['11.0.0.1']],
    ['0.0.0.0/0', ['10.0.0.1'], ['[fd00::1]', 'hub.example']],
    ['10.0.0.0/33,10.0.0.0/x,10.0.0.0/', [], ['10.0.0.0']],
    ['10.0.0.1', ['10.0.0.1', '10.0.0.1:6443'], ['10.0.0.11']],
    ['10.0.0.1:6443', ['10.0.0.1:6443'], ['10.0.0.1']],
    ['10.0.0', [], ['10.0.0.1']],
    ['fd00::/8', ['[fd00::1]:6443', '[fdff::]'], ['[fe00::1]', '10.0.0.1']],
    ['fd00:0:0::0001', ['[fd00::1]', '[fd00::1]:6443'], ['[fd00::2]']],
    ['[fd00::1]:6443', ['[fd00::1]:6443'], ['[fd00::1]']],
    // In Go, brackets require a port.
    ['[fd00::1]', [], ['[fd00::1]']],
    [':1,:,.,/,,', [], ['hub.example', '10.0.0.1']],
    ['a, hub.example ,b', ['hub.example'], ['c']],
  ];
  for (const [noProxy, direct, proxied] of cases) {
    test(noProxy, () => {
      const through = (host: string) =>
        chosen(`https://${host}`, { HTTPS_PROXY: proxy, no_proxy: noProxy }) !== undefined;
      assert.deepEqual(
        [direct.filter(through), proxied.filter((host) => !through(host))],
        [[], []],
      );
    });
  }
  test('takes precedence over no_proxy', () => {
    const env = { HTTPS_PROXY: proxy, NO_PROXY: 'a', no_proxy: 'hub' };
    assert.equal(chosen('https://hub', env), `${proxy} (HTTPS_PROXY)`);
    assert.equal(chosen('https://hub', { ...env, NO_PROXY: '' }), undefined);
  });
});

describe('of the kubeconfig', () => {
  test('takes precedence over the environment, for every server', () => {
    const env = { HTTPS_PROXY: proxy, NO_PROXY: '*' };
    for (const server of ['https://hub.example', 'https://127.0.0.1:6443', 'http://localhost'])
      assert.equal(
        chosen(server, env, { 'proxy-url': 'socks5://me:secret@p:1' }),
        'socks5://p:1 (proxy-url)',
      );
  });
  test('is ignored if empty', () =>
    assert.equal(
      chosen('https://hub', { HTTPS_PROXY: proxy }, { 'proxy-url': '' }),
      `${proxy} (HTTPS_PROXY)`,
    ));
});

describe('an invalid proxy is an error that does not show it', () => {
  for (const address of [
    'socks4://secret@p',
    'ftp://secret@p',

    'secret.p:3128',
    'http://',
    'http://secret@p:x',
    'http://me:secret%@p',
  ]) {
    test(`proxy-url ${address}`, () =>
      assert.throws(
        () => chosen('https://hub', {}, { 'proxy-url': address }),
        (error: { code?: string; message?: string }) => {
          assert.equal(error.code, 'kubeconfig-invalid');
          matches(error.message, /^The proxy-url of context its1 is not the address of a proxy/);
          assert.doesNotMatch(error.message ?? '', /secret/);
          return true;
        },
      ));
  }
  for (const address of [
    'socks4://secret@p',
    'ftp://secret@p',
    'http://me:se#cret@p:1',
    'p:secret',
    'http://',
  ]) {
    test(`HTTPS_PROXY ${address}`, () =>
      assert.throws(() => chosen('https://hub', { HTTPS_PROXY: address }), {
        code: 'usage',
        message:
          'The variable HTTPS_PROXY is not the address of a proxy: it has the form http://HOST:PORT, https://… or socks5://….',
      }));
  }
});

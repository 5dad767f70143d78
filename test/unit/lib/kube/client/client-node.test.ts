import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import type { Agent, AgentOptions } from 'node:https';
import { describe, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { Credentials } from '../../../../../src/lib/kube/client/credentials.ts';
import {
  loadKubeconfig,
  selectContext,
} from '../../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { base64, tokenWith } from '../../../support/builders.ts';
import { identity, otherAuthority } from '../../../support/fake-server.ts';
import { written } from '../../../support/folder.ts';
import { pluginHost } from '../../../support/plugin-host.ts';

/**
 * Our credentials (credentials.ts) beside KubeConfig.applyToHTTPSOptions of client-node. Where they differ on purpose, the row says
 * what differs and why; ours is as in client-go.
 */
const issue = (status: object, version = 'v1') =>
  `#!/bin/sh\ncat <<END\n${JSON.stringify({ apiVersion: `client.authentication.k8s.io/${version}`, kind: 'ExecCredential', status })}\nEND\n`;

const [certFile, keyFile] = [written('cert.pem', identity.cert), written('key.pem', identity.key)];
const [caFile, otherFile] = [
  written('ca.pem', identity.cert),
  written('other.pem', otherAuthority),
];
const [tokenFile, tokenLine] = [written('token', 'of-file'), written('token-line', 'of-file\n')];
const ofPlugin = { clientCertificateData: identity.cert, clientKeyData: identity.key };
const exec = (name: string, status: object, more: object = {}, version?: string) => ({
  command: written(name, issue(status, version), 0o700),
  apiVersion: `client.authentication.k8s.io/${version ?? 'v1'}`,
  interactiveMode: 'Never',
  ...more,
});
const idToken = tokenWith({ exp: Date.now() / 1000 + 3600 });

const ca = { 'certificate-authority-data': base64(identity.cert) };
const cert = { 'client-certificate-data': base64(identity.cert) };
const key = { 'client-key-data': base64(identity.key) };
const [insecure, named] = [
  { 'insecure-skip-tls-verify': true },
  { 'tls-server-name': 'hub.example' },
];
const token = { token: 'given' };
const password = { username: 'me', password: 'p:w' };
const tokenFiles = (file: string) => ({ tokenFile: file, 'token-file': file });

/** What they use for a request. */
interface Used {
  server?: string | undefined;
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  servername?: string | undefined;
  rejectUnauthorized?: boolean | undefined;
  authorization?: string | undefined;
  impersonation?: object | undefined;
  proxy?: string | undefined;
  /** Instead of all others. */
  error?: string;
}
type Difference = [fields: (keyof Used)[], because: string];
const [server, plain] = ['https://hub.example:6443', { server: 'http://hub.example' }];

const rows: [what: string, cluster: object, user: object, difference?: Difference][] = [
  ['no credentials', {}, {}],
  ['a token', {}, token],
  ['an empty token', {}, { token: '' }],
  ['a token that looks like a number', {}, { token: '0123' }],
  ['an authority', ca, token],
  ['a file of an authority', { 'certificate-authority': caFile }, token],
  [
    'an authority and a file',
    { ...ca, 'certificate-authority': otherFile },
    token,
    [['ca'], 'data precedes a file'],
  ],
  ['a certificate', ca, { ...cert, ...key }],
  ['files of a certificate', ca, { 'client-certificate': certFile, 'client-key': keyFile }],
  ['a certificate and the file of its key', ca, { ...cert, 'client-key': keyFile }],
  ['the file of a certificate and its key', ca, { 'client-certificate': certFile, ...key }],
  [
    'a certificate and a file of another',
    ca,
    { ...cert, ...key, 'client-certificate': otherFile },
    [['cert'], 'data precedes a file'],
  ],
  [
    'a key and a file of another',
    ca,
    { ...cert, ...key, 'client-key': otherFile },
    [['key'], 'data precedes a file'],
  ],
  ['a certificate and a token', ca, { ...cert, ...key, ...token }],
  ['a certificate and a password', ca, { ...cert, ...key, ...password }],
  [
    'a certificate without its key',
    ca,
    cert,
    [['error'], 'Node would present no certificate: we refuse it'],
  ],
  ['no verification', insecure, token],
  ['verification', { ...ca, 'insecure-skip-tls-verify': false }, token],
  [
    'no verification, and an authority',
    { ...ca, ...insecure },
    token,
    [['rejectUnauthorized'], 'the authority wins'],
  ],
  ['a TLS name', named, token],
  ['a password', {}, password],
  ['a password without a user', {}, { password: 'p' }],
  [
    'a user without a password',
    {},
    { username: 'me' },
    [['authorization'], 'client-node sends "undefined"'],
  ],
  ['a password and a token', {}, { ...password, ...token }],
  ['a token file', {}, tokenFiles(tokenFile)],
  [
    'a token file with a line break',
    {},
    tokenFiles(tokenLine),
    [['authorization'], 'client-node sends the line break'],
  ],
  [
    'a token and a token file',
    {},
    { ...tokenFiles(tokenFile), ...token },
    [['authorization'], 'the file is renewed'],
  ],
  ['a plugin with a token', {}, { exec: exec('one', { token: 'issued' }) }],
  [
    'a plugin with a token, v1beta1',
    {},
    { exec: exec('beta', { token: 'issued' }, {}, 'v1beta1') },
  ],
  [
    'a plugin with arguments and variables',
    {},
    {
      exec: exec('two', { token: '$1-$A' }, { args: ['first'], env: [{ name: 'A', value: 'b' }] }),
    },
  ],
  ['a plugin with a certificate', ca, { exec: exec('three', ofPlugin) }],
  ['a plugin with both', ca, { exec: exec('four', { ...ofPlugin, token: 'issued' }) }],
  ['a plugin and a token', {}, { exec: exec('five', { token: 'issued' }), ...token }],
  [
    'an OpenID provider',
    {},
    { 'auth-provider': { name: 'oidc', config: { 'id-token': idToken } } },
  ],
  ['impersonation', {}, { as: 'alice', ...token }],
  [
    'impersonation with groups',
    {},
    { as: 'alice', 'as-groups': ['a', 'b'], 'as-uid': 'u', 'as-user-extra': { x: ['y'] } },
    [['impersonation'], 'client-node knows only the user'],
  ],
  ['an http proxy', { ...ca, 'proxy-url': 'http://proxy.example:3128' }, token],
  ['an https proxy', { ...ca, 'proxy-url': 'https://proxy.example' }, { ...cert, ...key }],
  ['a proxy with a password', { ...ca, 'proxy-url': 'http://me:p%40w@proxy.example:3128' }, token],
  ['a SOCKS proxy', { ...ca, 'proxy-url': 'socks5://proxy.example:1080' }, token],
  ['a SOCKS proxy with a password', { 'proxy-url': 'socks5://me:pw@proxy.example' }, token],
  ['a server without TLS, and no verification', { ...plain, ...insecure }, token],
  [
    'a server without TLS',
    plain,
    token,
    [['error'], 'client-node refuses it; kubectl proxy is such a server'],
  ],
];

const kubeconfigOf = (cluster: object, user: object) =>
  written(
    'kubeconfig',
    JSON.stringify({
      clusters: [
        { name: 'other', cluster: { server: 'https://other' } },
        { name: 'c', cluster: { server, ...cluster } },
      ],
      users: [
        { name: 'other', user: { token: 'other' } },
        { name: 'u', user },
      ],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );

const pem = (value: unknown) => (value ? String(value) : undefined);
const tlsOf = ({ ca, cert, key, servername, rejectUnauthorized = true }: AgentOptions): Used => ({
  ca: pem(ca),
  cert: pem(cert),
  key: pem(key),
  rejectUnauthorized,
  servername: servername || undefined,
});
/** Accept-Encoding: we ask for compressed answers. */
const headersOf = ({
  Authorization,
  'Accept-Encoding': _,
  ...impersonation
}: Record<string, unknown>): Used => ({
  authorization: Authorization as string | undefined,
  impersonation,
});
const proxyOf = (url: URL | undefined) => url && new URL(url.href).href;

async function ours(file: string): Promise<Used> {
  const context = selectContext(await loadKubeconfig(file), 'x');
  const used = await new Credentials(context, pluginHost()).server();
  const { options } = used.agent as Agent;
  return {
    server: context.server,
    ...tlsOf(options),
    ...headersOf(used.headers),
    proxy: proxyOf(used.proxy?.url),
  };
}

async function theirs(file: string): Promise<Used> {
  const config = new KubeConfig();
  config.loadFromFile(file);
  const used: AgentOptions & { headers?: Record<string, unknown>; auth?: string; agent?: unknown } =
    {};
  await config.applyToHTTPSOptions(used as never);
  const { agent, auth, headers = {} } = used;
  const { options, proxy, proxyUrl } = agent as Agent & { proxy?: URL; proxyUrl?: string };
  // Node's rule for a request with both.
  if (auth !== undefined) headers.Authorization ??= `Basic ${base64(auth)}`;
  return {
    server: config.getCurrentCluster()?.server,
    ...tlsOf(options),
    ...headersOf(headers),
    proxy: proxyOf(proxyUrl === undefined ? proxy : new URL(proxyUrl)),
  };
}

const orError = (used: Promise<Used>): Promise<Used> =>
  used.catch((error: Error) => ({ error: error.message }));

describe('for a request, client-node uses the same:', () => {
  for (const [what, cluster, user, difference] of rows) {
    const [fields, because] = difference ?? [[], ''];
    test(`${what}${because && `, except ${fields.join()}: ${because}`}`, async () => {
      const file = kubeconfigOf(cluster, user);
      const [we, they] = [await orError(ours(file)), await orError(theirs(file))];
      if (fields.includes('error'))
        return assert.notEqual(we.error === undefined, they.error === undefined);
      for (const field of fields) assert.notDeepEqual(we[field], they[field], field);
      const same = (used: Used) =>
        Object.fromEntries(
          Object.entries(used).filter(([name]) => !fields.includes(name as never)),
        );
      assert.deepEqual(same(we), same(they));
      assert.equal(we.error, undefined);
    });
  }
});

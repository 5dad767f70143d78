import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Provider } from 'oidc-provider';
import { parse, stringify } from 'yaml';
import { Deadline } from '../../../../../src/lib/engine/deadline.ts';
import { connect } from '../../../../../src/lib/kube/client/client.ts';
import { loadKubeconfig, selectContext } from '../../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { stellarctl } from '../../../../stellarctl.ts';
import { FakeServer, identity, otherAuthority } from '../../../support/fake-server.ts';
import { pluginHost } from '../../../support/plugin-host.ts';
import { stepsOf } from '../../../support/steps.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'stellarctl-oidc-'));
const encoded = (text: string) => Buffer.from(text).toString('base64');
const secret = 'a-client-secret';
let api: FakeServer;
/** A real OpenID provider whose refresh tokens are valid once. */
let provider: Provider;
let idp: https.Server;
let issuer = '';
/** The requests to the provider, as `METHOD /path`. */
const asked: string[] = [];

before(async () => {
  api = await FakeServer.start(() => ({ body: { items: [] } }));
  idp = https.createServer(identity, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    return provider.callback()(request, response);
  });
  await new Promise<void>((resolve) => idp.listen(0, '127.0.0.1', resolve));
  issuer = `https://127.0.0.1:${(idp.address() as AddressInfo).port}`;
  const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const client = {
    client_secret: secret,
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: ['https://login.example/done'],
  };
  provider = new Provider(issuer, {
    jwks: { keys: [{ ...signing, use: 'sig' }] } as never,
    clients: [
      { ...client, client_id: 'by-header' },
      { ...client, client_id: 'by-form', token_endpoint_auth_method: 'client_secret_post' },
      {
        ...client,
        client_id: 'public',
        client_secret: undefined,
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        redirect_uris: ['http://127.0.0.1/done'],
      } as never,
    ],
    cookies: { keys: ['a'] },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    rotateRefreshToken: true,
    features: { devInteractions: { enabled: false } },
    ttl: { IdToken: 3600, RefreshToken: 3600, Grant: 3600, AccessToken: 3600 },
  });
});
after(async () => {
  await api.stop();
  idp.closeAllConnections();
  idp.close();
  rmSync(folder, { recursive: true });
});

/** A refresh token, as a login gives it. */
async function loggedIn(clientId: string): Promise<string> {
  const grant = new provider.Grant({ accountId: 'me', clientId });
  grant.addOIDCScope('openid offline_access');
  const grantId = await grant.save();
  const client = await provider.Client.find(clientId);
  assert.ok(client);
  return new provider.RefreshToken({
    ...{ accountId: 'me', client, grantId, scope: 'openid offline_access', gty: 'authorization_code' },
    ...{ expiresWithSession: false, rotations: 0, authTime: 1, claims: {}, sessionUid: 'none' },
  } as never).save();
}

const tokenOf = (exp: number) => `${encoded('{}')}.${encoded(JSON.stringify({ exp }))}.${encoded('signature')}`;
const expired = tokenOf(Date.now() / 1000 - 60);

type Config = Record<string, string>;
let count = 0;

/** A kubeconfig in two files, of which the second one defines the user. */
async function kubeconfigOf(name: string, config: Config) {
  count += 1;
  const [first, second] = ['first', 'second'].map((each) => path.join(folder, `${each}-${count}`)) as [string, string];
  const { cluster } = api.context();
  writeFileSync(
    first,
    stringify({
      clusters: [{ name: 'its1', cluster }],
      contexts: [{ name: 'its1', context: { cluster: 'its1', user: 'me' } }],
      users: [{ name: 'other', user: { token: 'x' } }],
    }),
  );
  writeFileSync(
    second,
    stringify({ kept: true, users: [{ name: 'me', user: { 'auth-provider': { name, config } } }] }),
  );
  const load = async () => selectContext(await loadKubeconfig(undefined, { KUBECONFIG: `${first}:${second}` }), 'its1');
  const saved = () =>
    (parse(readFileSync(second, 'utf8')) as { users: { user: { 'auth-provider': { config: Config } } }[] }).users[0]
      ?.user['auth-provider'].config as Config;
  return { first, second, load, saved, context: await load() };
}

async function login(client = 'by-header', more: Config = {}) {
  return kubeconfigOf('oidc', {
    'idp-issuer-url': issuer,
    'idp-certificate-authority-data': encoded(identity.cert),
    'client-id': client,
    ...(client === 'public' ? {} : { 'client-secret': secret }),
    'id-token': expired,
    'refresh-token': await loggedIn(client),
    'extra-scopes': 'kept',
    ...more,
  });
}

type Context = Awaited<ReturnType<typeof login>>['context'];

async function sent(
  context: Context,
  { timeoutMs = 20_000, signal = new AbortController().signal, host = pluginHost() } = {},
) {
  const deadline = new Deadline(timeoutMs);
  const kube = connect(context, deadline, signal, undefined, undefined, { ...host, deadline, signal });
  try {
    await kube.read('/version');
    return api.requests.at(-1)?.headers.authorization?.replace('Bearer ', '') ?? '';
  } finally {
    kube.close();
  }
}

const subjectOf = (token: string) =>
  (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: string }).sub;

describe('an OpenID provider', () => {
  test('is not asked while the token is valid', async () => {
    const valid = tokenOf(Date.now() / 1000 + 600);
    const { context } = await login('by-header', { 'id-token': valid });
    const before = asked.length;
    assert.equal(await sent(context), valid);
    assert.equal(asked.length, before);
  });
  for (const client of ['by-header', 'public'])
    test(`renews an expired token (client ${client}), which is saved in the file that defines the user`, async () => {
      const { context, first, second, saved } = await login(client);
      const [before, other] = [saved(), readFileSync(first, 'utf8')];
      const token = await sent(context);
      assert.equal(subjectOf(token), 'me');
      const after = saved();
      assert.equal(after['id-token'], token);
      assert.notEqual(after['refresh-token'], before['refresh-token']);
      const rest = ({ 'id-token': _, 'refresh-token': __, ...kept }: Config) => kept;
      assert.deepEqual(rest(after), rest(before));
      assert.match(readFileSync(second, 'utf8'), /^kept: true\n/);
      assert.equal(readFileSync(first, 'utf8'), other);
      assert.equal(existsSync(`${second}.lock`), false);
    });
  test('is asked again with the refresh token that it gave, which is valid once', async () => {
    const { load, second, saved } = await login();
    const seen = new Set<string>();
    for (let each = 0; each < 3; each += 1) {
      assert.equal(subjectOf(await sent(await load())), 'me');
      seen.add(saved()['refresh-token'] as string);
      writeFileSync(second, readFileSync(second, 'utf8').replace(saved()['id-token'] as string, expired));
    }
    assert.equal(seen.size, 3);
  });
  test('is asked once for all clients of a command', async () => {
    const { context } = await login();
    const before = asked.length;
    const host = pluginHost();
    const tokens = await Promise.all([1, 2, 3].map(() => sent(context, { host })));
    assert.equal(new Set(tokens).size, 1);
    assert.deepEqual(asked.slice(before), ['GET /.well-known/openid-configuration', 'POST /token']);
  });
  test('is asked by what is shipped', async () => {
    const { first, second, saved } = await login();
    const words = ['wec', 'list', '--its', 'its1', '-o', 'json'];
    const { exitCode, stderr } = await stellarctl(words, { env: { KUBECONFIG: `${first}:${second}` } });
    assert.equal(exitCode, 0, String(stderr));
    assert.equal(api.requests.at(-1)?.headers.authorization, `Bearer ${saved()['id-token']}`);
    assert.equal(subjectOf(saved()['id-token'] as string), 'me');
  });
  test('is not asked if another program has renewed the token since the kubeconfig was read', async () => {
    const { context, load } = await login();
    const token = await sent(await load());
    const before = asked.length;
    assert.equal(await sent(context), token);
    assert.equal(asked.length, before);
  });
  test('that is not asked because the token is missing, and nothing can renew it, is named with what is missing', async () => {
    const { context } = await login('by-header', { 'refresh-token': '' });
    await assert.rejects(sent(context), {
      code: 'credentials-failed',
      message: /its ID token has expired, and it has no refresh-token to renew it\.$/,
    });
  });
  test('that refuses the refresh token is quoted, without the token', async () => {
    const { context, saved } = await login('by-header', { 'refresh-token': 'revoked-token' });
    await assert.rejects(sent(context), (error: Error & { code: string }) => {
      assert.equal(error.code, 'credentials-failed');
      assert.match(error.message, /^The token of context its1 was not renewed by https:\S+: invalid_grant, /);
      assert.doesNotMatch(error.message, /revoked-token/);
      assert.equal(stepsOf(error), 'Log in again');
      return true;
    });
    assert.equal(saved()['refresh-token'], 'revoked-token');
  });
  test('with a certificate of another authority gets no token', async () => {
    const { context, saved } = await login('by-header', { 'idp-certificate-authority-data': encoded(otherAuthority) });
    const before = asked.length;
    await assert.rejects(sent(context), { code: 'tls-error', exitCode: 4, message: /unknown authority/ });
    assert.equal(asked.length, before);
    assert.equal(saved()['id-token'], expired);
  });
  test('without a certificate authority is verified by those of the system', async () => {
    const { context } = await login('by-header', { 'idp-certificate-authority-data': '' });
    await assert.rejects(sent(context), { code: 'tls-error' });
  });
  test('that is named by a file with its certificate authority is verified by that', async () => {
    const file = path.join(folder, 'idp.crt');
    writeFileSync(file, identity.cert);
    const { context } = await login('by-header', {
      'idp-certificate-authority-data': '',
      'idp-certificate-authority': file,
    });
    assert.equal(subjectOf(await sent(context)), 'me');
  });
  test('that does not run is unreachable', async () => {
    const { context } = await login('by-header', { 'idp-issuer-url': 'https://127.0.0.1:1' });
    await assert.rejects(sent(context), {
      code: 'unreachable',
      message: 'Cannot reach its1 (https://127.0.0.1:1): connection refused.',
    });
  });
  test('that never answers ends at the deadline, and with Ctrl-C', async () => {
    const silent = await FakeServer.start(() => undefined);
    const { context } = await login('by-header', { 'idp-issuer-url': silent.url });
    const started = performance.now();
    await assert.rejects(sent(context, { timeoutMs: 1500 }), { exitCode: 4 });
    assert.ok(performance.now() - started < 20_000);
    await assert.rejects(sent(context, { signal: AbortSignal.timeout(200) }), { code: 'interrupted' });
    assert.ok(performance.now() - started < 20_000);
    await silent.stop();
  });
  test('without TLS gets no token', async () => {
    const { context } = await login('by-header', { 'idp-issuer-url': issuer.replace('https', 'http') });
    const before = asked.length;
    await assert.rejects(sent(context), { code: 'credentials-failed', message: /only requests to HTTPS are allowed/ });
    assert.equal(asked.length, before);
  });
});

describe('an auth provider that kubectl no longer supports is refused with what replaced it, and runs nothing:', () => {
  const ran = path.join(folder, 'ran');
  const command = { 'cmd-path': 'touch', 'cmd-args': ran };
  const refused: [name: string, step: RegExp][] = [
    ['gcp', /gke-gcloud-auth-plugin/],
    ['azure', /kubelogin convert-kubeconfig/],
    ['exec', /exec plugin/],
    ['openstack', /exec plugin/],
  ];
  for (const [name, step] of refused)
    test(name, async () => {
      const { context } = await kubeconfigOf(name, { ...command, 'access-token': 'a', expiry: '2020-01-01' });
      const before = api.requests.length;
      await assert.rejects(sent(context), (error: Error & { code: string }) => {
        assert.equal(error.code, 'kubeconfig-invalid');
        assert.equal(
          error.message,
          `Context its1 has a user with the auth provider "${name}", which kubectl no longer supports.`,
        );
        assert.match(stepsOf(error), step);
        return true;
      });
      assert.equal(api.requests.length, before);
      assert.equal(existsSync(ran), false);
    });
});

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Deadline } from '../../../../../src/lib/core/deadline.ts';
import { connect } from '../../../../../src/lib/kube/client/client.ts';
import type { SelectedContext } from '../../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { FakeServer } from '../../../support/fake-server.ts';
import { pluginHost } from '../../../support/plugin-host.ts';
import { stepsOf } from '../../../support/steps.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'stellarctl-oidc-'));
let api: FakeServer;

before(async () => {
  api = await FakeServer.start(() => ({ body: { items: [] } }));
});
after(async () => {
  await api.stop();
  rmSync(folder, { recursive: true });
});

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** @param seconds until it expires */
const tokenOf = (seconds: number) =>
  `${encoded({})}.${encoded({ exp: Math.floor(Date.now() / 1000) + seconds })}.signature`;

const contextOf = (name: string, config: Record<string, string>): SelectedContext => ({
  ...api.context(),
  name: 'its1',
  user: { 'auth-provider': { name, config } },
});

/** The token that the server gets. */
async function sent(context: SelectedContext): Promise<string> {
  const [deadline, { signal }] = [new Deadline(20_000), new AbortController()];
  const kube = connect(context, deadline, signal, undefined, undefined, {
    ...pluginHost(),
    deadline,
    signal,
  });
  try {
    await kube.read('/version');
    return api.requests.at(-1)?.headers.authorization?.replace('Bearer ', '') ?? '';
  } finally {
    kube.close();
  }
}

describe('the token of an OpenID provider', () => {
  test('is sent while it is valid', async () => {
    const token = tokenOf(600);
    assert.equal(await sent(contextOf('oidc', { 'id-token': token })), token);
  });
  const others = {
    expired: tokenOf(-60),
    'about to expire': tokenOf(5),
    'no token': 'secret',
    missing: '',
  };
  for (const [what, token] of Object.entries(others))
    test(`is renewed by kubectl: ${what}`, async () => {
      const before = api.requests.length;
      await assert.rejects(
        sent(contextOf('oidc', { 'id-token': token })),
        (error: Error & { code: string }) => {
          assert.equal(error.code, 'credentials-failed');
          assert.match(error.message, /The ID token of context its1 has expired\.$/);
          assert.match(stepsOf(error), /kubectl --context its1 version/);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
      assert.equal(api.requests.length, before);
    });
});

describe('an auth provider that kubectl no longer supports is refused, and runs nothing:', () => {
  const ran = path.join(folder, 'ran');
  const command = { 'cmd-path': 'touch', 'cmd-args': ran };
  for (const name of ['gcp', 'azure', 'exec', 'openstack'])
    test(name, async () => {
      const context = contextOf(name, { ...command, 'access-token': 'a', expiry: '2020-01-01' });
      const before = api.requests.length;
      await assert.rejects(sent(context), (error: Error & { code: string }) => {
        assert.equal(error.code, 'kubeconfig-invalid');
        assert.equal(
          error.message,
          `Context its1 has a user with the auth provider "${name}", which kubectl no longer supports.`,
        );
        assert.match(stepsOf(error), /exec plugin/);
        return true;
      });
      assert.equal(api.requests.length, before);
      assert.equal(existsSync(ran), false);
    });
});

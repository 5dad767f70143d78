import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { SelectedContext } from '../../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { tokenWith } from '../../../support/builders.ts';
import { FakeServer } from '../../../support/fake-server.ts';
import { newPath } from '../../../support/folder.ts';
import { clientOf } from '../../../support/serving.ts';
import { stepsOf } from '../../../support/steps.ts';

let api: FakeServer;

before(async () => {
  api = await FakeServer.start(() => ({ body: { items: [] } }));
});
after(() => api.stop());

/** @param seconds until it expires */
const tokenOf = (seconds: number) => tokenWith({ exp: Math.floor(Date.now() / 1000) + seconds });

const contextOf = (name: string, config: Record<string, string>): SelectedContext => ({
  ...api.context(),
  name: 'its1',
  user: { 'auth-provider': { name, config } },
});

/** The token that the server gets. */
async function sent(context: SelectedContext) {
  await clientOf(context).kube.read('/version');
  return api.requests.at(-1)?.headers.authorization?.replace('Bearer ', '') ?? '';
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
  const ran = newPath();
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

import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { KubeConfig, VersionApi } from '@kubernetes/client-node';
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js';
import { base64 } from '../../../support/builders.ts';
import { FakeProxy } from '../../../support/fake-proxy.ts';
import { FakeServer, identity } from '../../../support/fake-server.ts';
import { newPath, written } from '../../../support/folder.ts';
import { oneContext } from '../../../support/one-context.ts';
import { stopping } from '../../../support/serving.ts';

/**
 * Why stellarctl does not send its requests with client-node, nor reads kubeconfigs with it: docs/development.md, "Decisions". A test
 * that fails here says that client-node does better now. Then look at that decision again.
 */

const caData = base64(identity.cert);
const configFor = (user: object, server = 'https://hub.example:6443') =>
  oneContext({ server, 'certificate-authority-data': caData }, user);
function loaded(config: object): KubeConfig {
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromString(JSON.stringify(config));
  return kubeconfig;
}
async function headersFor(user: object): Promise<Record<string, unknown>> {
  const used: { headers?: Record<string, unknown> } = {};
  await loaded(configFor(user)).applyToHTTPSOptions(used as never);
  return used.headers ?? {};
}
async function serving(status = 200) {
  const headers = { 'Content-Type': 'application/json' };
  return stopping(await FakeServer.start(() => ({ status, headers })));
}

describe('client-node', () => {
  test('makes an agent, hence a connection, for each request', async () => {
    const server = await serving();
    const api = loaded(configFor({ token: 't' }, server.url)).makeApiClient(VersionApi);
    for (let each = 0; each < 3; each += 1) await api.getCode();
    assert.deepEqual([server.requests.length, server.connections], [3, 3]);
  });

  describe('reading KUBECONFIG', () => {
    const before = process.env.KUBECONFIG;
    const one = written('one', JSON.stringify(configFor({ token: 'first' })));
    const two = written('two', JSON.stringify(configFor({ token: 'second' })));
    const load = (...files: string[]) => {
      process.env.KUBECONFIG = files.join(path.delimiter);
      new KubeConfig().loadFromDefault();
    };
    after(() => {
      if (before === undefined) delete process.env.KUBECONFIG;
      else process.env.KUBECONFIG = before;
    });
    test('throws on a file that is missing', () =>
      assert.throws(() => load(one, newPath()), { code: 'ENOENT' }));
    test('throws on a name that is in two files', () =>
      assert.throws(() => load(one, two), /Duplicate cluster: c/));
  });

  test('reads token-file, which kubectl does not know, and not tokenFile', async () => {
    const file = written('token', 'of-file');
    assert.equal((await headersFor({ tokenFile: file })).Authorization, undefined);
    assert.equal((await headersFor({ 'token-file': file })).Authorization, 'Bearer of-file');
  });

  test('reads a token file once, when it reads the kubeconfig', async () => {
    const file = written('renewed', 'old');
    const config = loaded(configFor({ 'token-file': file }));
    written('renewed', 'new');
    assert.equal(config.getCurrentUser()?.token, 'old');
  });

  test('impersonates a user without groups, UID and extra fields', async () => {
    const user = {
      as: 'alice',
      'as-groups': ['g'],
      'as-uid': 'u',
      'as-user-extra': { scope: ['s'] },
    };
    assert.deepEqual(await headersFor(user), { 'Impersonate-User': 'alice' });
  });

  describe('runs an exec plugin', () => {
    const count = newPath();
    const plugin = written(
      'plugin',
      `#!/bin/sh
echo x >> ${count}
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "info=$KUBERNETES_EXEC_INFO"
`,
      0o700,
    );
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: plugin,
      interactiveMode: 'IfAvailable',
      provideClusterInfo: true,
    };
    const runs = () => readFileSync(count, 'utf8').length / 2;

    test('without KUBERNETES_EXEC_INFO', async () =>
      assert.equal((await headersFor({ exec })).Authorization, 'Bearer info='));

    test('without the terminal, a deadline, or a way to end it', async () => {
      const auth = new ExecAuth() as unknown as {
        execFn: unknown;
        getCredential(user: object): Promise<unknown>;
      };
      let given: unknown[] = [];
      auth.execFn = (...args: unknown[]) => {
        given = args;
        throw new Error('seen');
      };
      await assert.rejects(auth.getCredential({ name: 'u', exec }), /seen/);
      assert.deepEqual(given, [plugin, undefined, {}]);
      assert.equal(auth.getCredential.length, 1);
    });

    test('not again when the server refuses its credentials', async () => {
      const server = await serving(401);
      const api = loaded(configFor({ exec }, server.url)).makeApiClient(VersionApi);
      rmSync(count, { force: true });
      for (let each = 0; each < 2; each += 1) await assert.rejects(api.getCode(), { code: 401 });
      assert.equal(runs(), 1);
    });
  });

  test('ignores HTTPS_PROXY', async () => {
    const proxy = stopping(await FakeProxy.start());
    const before = process.env.HTTPS_PROXY;
    process.env.HTTPS_PROXY = proxy.url();
    try {
      // Only the proxy resolves such a host.
      await assert.rejects(
        loaded(configFor({ token: 't' }))
          .makeApiClient(VersionApi)
          .getCode(),
      );
    } finally {
      if (before === undefined) delete process.env.HTTPS_PROXY;
      else process.env.HTTPS_PROXY = before;
    }
    assert.deepEqual(proxy.asked, []);
  });
});

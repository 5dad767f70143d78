import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { FakeProxy } from '../../unit/support/fake-proxy.ts';
import { FakeServer } from '../../unit/support/fake-server.ts';
import { contextsOf } from '../../unit/support/one-context.ts';
import { Cli } from '../support/harness.ts';

const wec = {
  metadata: { name: 'cluster1', uid: 'u', creationTimestamp: new Date().toISOString() },
  spec: {},
};

let cli: Cli;
let server: FakeServer;
let kubeconfig: string;

before(async () => {
  cli = await Cli.create('');
  server = await FakeServer.start(({ path: at }) => ({
    body: { items: /managedclusters$/.test(at) ? [wec] : [] },
  }));
  kubeconfig = path.join(cli.home, 'kubeconfig');
});

after(async () => {
  await server?.stop();
  await cli?.remove();
});

// The kinds of proxies, and those of kubeconfigs: test/unit/lib/kube/client/proxied.test.ts.
it('a proxy of HTTPS_PROXY is used to reach the ITS, and its password is not shown', async (t) => {
  const proxy = await FakeProxy.start({ kind: 'https', user: 'me:s3cret' });
  t.after(() => proxy.stop());
  const { cluster, user } = server.context();
  const url = `https://hub.example:${new URL(server.url).port}`;
  const config = contextsOf({ ...cluster, server: url }, user, 'its1');
  await writeFile(kubeconfig, JSON.stringify(config));
  const env = { HTTPS_PROXY: proxy.url('me:s3cret') };
  const line = 'wec list --its its1 -o json -v';
  const { json, stdout, stderr } = await cli.type(line, { kubeconfig, env });
  assert.doesNotMatch(stdout + stderr, /s3cret/);
  assert.equal(json().items[0]?.name, 'cluster1');
  assert.ok(proxy.asked.length > 0);
});

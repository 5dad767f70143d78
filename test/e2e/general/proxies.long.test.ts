import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { FakeProxy } from '../../unit/support/fake-proxy.ts';
import { FakeServer } from '../../unit/support/fake-server.ts';
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

async function writeContext(proxyUrl?: string): Promise<void> {
  const { cluster, user } = server.context();
  const url = `https://hub.example:${new URL(server.url).port}`;
  const entry = {
    ...cluster,
    server: url,
    ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
  };
  const context = { name: 'its1', context: { cluster: 'its1', user: 'its1' } };
  const config = {
    clusters: [{ name: 'its1', cluster: entry }],
    users: [{ name: 'its1', user }],
    contexts: [context],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
}

/** No output contains a proxy password, whatever the outcome. */
async function list(options: Parameters<Cli['run']>[1] = {}, ...more: string[]) {
  const line = ['wec', 'list', '--its', 'its1', '-o', 'json', ...more];
  const run = await cli.run(line, { kubeconfig, ...options });
  assert.doesNotMatch(`${run.stdout}${run.stderr}`, /s3cret/);
  return run;
}

for (const [kind, by] of [
  ['http', 'proxy-url'],
  ['https', 'HTTPS_PROXY'],
  ['socks5', 'proxy-url'],
] as const)
  it(`an ${kind} proxy from ${by} is used to reach the ITS`, async (t) => {
    const proxy = await FakeProxy.start({ kind, user: 'me:s3cret' });
    t.after(() => proxy.stop());
    await writeContext(by === 'proxy-url' ? proxy.url('me:s3cret') : undefined);
    const env = by === 'proxy-url' ? {} : { HTTPS_PROXY: proxy.url('me:s3cret') };
    const { exitCode, json, stderr } = await list({ env }, '-v');
    assert.equal(exitCode, 0, stderr);
    assert.equal(json().items[0]?.name, 'cluster1');
    assert.ok(proxy.asked.length > 0);
  });

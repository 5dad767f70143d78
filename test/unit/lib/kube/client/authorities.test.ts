import '../../../support/environment.ts';
import '../../../support/dist.ts';
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import type { SelectedContext } from '../../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { stellarctl } from '../../../../stellarctl.ts';
import { base64 } from '../../../support/builders.ts';
import { FakeProxy } from '../../../support/fake-proxy.ts';
import { FakeServer, identity, otherAuthority } from '../../../support/fake-server.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { clientOf, stopping } from '../../../support/serving.ts';

const folder = temporaryFolder();
let server: FakeServer;
const file = (name: string) => path.join(folder, name);

before(async () => {
  server = await FakeServer.start(() => ({ body: { items: [] } }));
  await writeFile(file('ca.crt'), identity.cert);
  await writeFile(file('other.crt'), otherAuthority);
});
after(() => server.stop());

describe('a context without a certificate authority', () => {
  const list = async (env: NodeJS.ProcessEnv) => {
    const config = {
      clusters: [{ name: 'hub', cluster: { server: server.url } }],
      contexts: [{ name: 'hub', context: { cluster: 'hub' } }],
    };
    await writeFile(file('kubeconfig'), JSON.stringify(config));
    const words = ['wec', 'list', '--its', 'hub', '--kubeconfig', file('kubeconfig'), '-o', 'json'];
    const { stdout, stderr } = await stellarctl(words, {
      env: { NODE_EXTRA_CA_CERTS: undefined, ...env },
    });
    assert.doesNotMatch(String(stderr), /NODE_TLS_REJECT_UNAUTHORIZED/);
    return (JSON.parse(String(stdout)) as { error?: { code: string } }).error?.code;
  };
  test('trusts those of the system, as kubectl does', async () => {
    assert.equal(await list({ SSL_CERT_FILE: file('ca.crt') }), undefined);
  });
  test('trusts no other, not even those of NODE_EXTRA_CA_CERTS, which kubectl does not know', async () => {
    assert.equal(await list({ SSL_CERT_FILE: file('other.crt') }), 'tls-error');
    assert.equal(await list({ NODE_EXTRA_CA_CERTS: file('ca.crt') }), 'tls-error');
  });
  test('trusts no other if NODE_TLS_REJECT_UNAUTHORIZED is 0, and Node does not warn about it', async () => {
    assert.equal(await list({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }), 'tls-error');
    assert.equal(
      await list({ NODE_TLS_REJECT_UNAUTHORIZED: '0', SSL_CERT_FILE: file('ca.crt') }),
      undefined,
    );
  });
  test('trusts none of those that Node brings', async () => {
    const lines = [
      `import { trustMachine } from '${path.resolve('src/lib/kube/client/proxy.ts')}'`,
      "import tls from 'node:tls'",
      'trustMachine()',
      "console.log(tls.getCACertificates('default').length)",
    ];
    const env = { ...process.env, SSL_CERT_FILE: file('ca.crt'), SSL_CERT_DIR: folder };
    const { stdout } = await execa(
      process.execPath,
      ['--input-type=module', '-e', lines.join(';')],
      { env },
    );
    assert.equal(stdout, '2');
  });
});

test('a context with a certificate authority trusts no other, before and after one that trusts the system', async () => {
  const version = (context: SelectedContext) =>
    clientOf(context)
      .kube.read('/version')
      .then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
  const named = server.context();
  const data = base64(otherAuthority);
  const wrong = { ...named, cluster: { server: named.server, 'certificate-authority-data': data } };
  const unnamed = server.context(undefined, { trusted: false });
  process.env.SSL_CERT_FILE = file('ca.crt');
  const seen: string[] = [];
  for (const context of [named, wrong, unnamed, named, wrong]) seen.push(await version(context));
  assert.deepEqual(seen, ['done', 'tls-error', 'done', 'done', 'tls-error']);

  const proxy = stopping(await FakeProxy.start({ kind: 'https' }));
  const behind = {
    ...wrong,
    server: 'https://hub.example',
    cluster: { ...wrong.cluster, 'proxy-url': proxy.url() },
  };
  assert.deepEqual(
    [await version(behind), proxy.asked],
    ['tls-error', []],
    'an https proxy is verified like the server',
  );
});

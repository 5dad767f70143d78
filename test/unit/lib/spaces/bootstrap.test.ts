import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Secret } from '../../../../src/lib/kube/client/objects.ts';
import type { ClusterEntry } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { externalBootstrapSecret, prepareBootstrap } from '../../../../src/lib/spaces/bootstrap.ts';
import { base64 } from '../../support/builders.ts';
import { written } from '../../support/folder.ts';
import { MemoryCluster } from '../../support/space-builders.ts';
import { failsWith } from '../../support/steps.ts';

interface Given {
  cluster?: ClusterEntry;
  address?: string;
  /** What the cluster publishes in kube-public/cluster-info. */
  published?: string;
}

function external({ cluster = { server: 'https://10.0.0.7:6443' }, address, published }: Given) {
  const info = published && {
    kind: 'ConfigMap',
    metadata: { name: 'cluster-info', namespace: 'kube-public' },
    data: {
      kubeconfig: JSON.stringify({
        clusters: [
          {
            cluster: {
              server: published,
              'certificate-authority-data': base64('published authority'),
            },
          },
        ],
      }),
    },
  };
  const memory = new MemoryCluster(info ? [info] : []);
  const context = { name: 'ext', server: cluster.server ?? '', cluster, user: { token: 't' } };
  return { memory, given: { context, kube: memory.kube, address, isOwnContext: true } };
}

/** The kubeconfig for KubeFlex, and what was written into the external cluster. */
async function bootstrapped(what: Given) {
  const { memory, given } = external(what);
  const bootstrap = await prepareBootstrap(given, 'kind-kubeflex');
  const secret = (await externalBootstrapSecret('ext1', memory.kube, bootstrap)) as Secret;
  const config = JSON.parse(
    Buffer.from(secret.data?.['kubeconfig-incluster'] ?? '', 'base64').toString(),
  ) as {
    clusters: { name: string; cluster: ClusterEntry }[];
    users: { name: string; user: object }[];
    contexts: { name: string; context: object }[];
    'current-context': string;
  };
  return { secret, config, cluster: config.clusters[0]?.cluster, writes: memory.writes };
}

describe('the kubeconfig with which KubeFlex accesses an external cluster', () => {
  test('has one context, and is stored where the control plane expects it', async () => {
    const { secret, config } = await bootstrapped({});
    assert.deepEqual(
      [secret.metadata.name, secret.metadata.namespace, secret.type],
      ['ext1-bootstrap', 'kubeflex-system', 'Opaque'],
    );
    assert.deepEqual(config.contexts, [
      { name: 'ext1', context: { cluster: 'ext1', user: 'ext1' } },
    ]);
    assert.deepEqual(
      [config['current-context'], config.clusters.length, config.users.length],
      ['ext1', 1, 1],
    );
  });

  test('contains the contents of a file of this machine', async () => {
    const cluster = {
      server: 'https://10.0.0.7:6443',
      'certificate-authority': written('ca', 'authority'),
    };
    assert.deepEqual((await bootstrapped({ cluster })).cluster, {
      server: 'https://10.0.0.7:6443',
      'certificate-authority-data': base64('authority'),
    });
    const missing = { ...cluster, 'certificate-authority': '/no/such.crt' };
    await assert.rejects(bootstrapped({ cluster: missing }), {
      code: 'kubeconfig-invalid',
      message: /^Context ext names the file \/no\/such\.crt, which cannot be read: ENOENT\.$/,
    });
  });

  test('has a token of its own account, and nothing of the user', async () => {
    const { config, writes } = await bootstrapped({});
    assert.deepEqual(config.users, [{ name: 'ext1', user: { token: 'minted-token' } }]);
    assert.deepEqual(writes, [
      'apply ServiceAccount kubeflex',
      'apply ClusterRoleBinding kubeflex-clusterrolebinding',
      'create ServiceAccount/token kubeflex',
    ]);
  });
});

describe('the address at which KubeFlex reaches an external cluster', () => {
  const local = 'https://127.0.0.1:41234';
  const published = 'https://ext-control-plane:6443';
  test("is the user's own if other machines can use it", async () =>
    assert.equal((await bootstrapped({ published })).cluster?.server, 'https://10.0.0.7:6443'));
  test('is the given one', async () => {
    const given = await bootstrapped({
      cluster: { server: local },
      address: 'https://ext:6443',
      published,
    });
    assert.equal(given.cluster?.server, 'https://ext:6443');
  });
  test('is the published one, with its authority, if the own is local', async () => {
    const cluster = { server: local, 'insecure-skip-tls-verify': true };
    assert.deepEqual((await bootstrapped({ cluster, published })).cluster, {
      server: published,
      'certificate-authority-data': base64('published authority'),
    });
  });
  test('is refused before any write if there is only a local one', async () => {
    const { memory, given } = external({ cluster: { server: local } });
    await assert.rejects(
      prepareBootstrap(given, 'kind-kubeflex'),
      failsWith({
        code: 'endpoint-unusable',
        message: /127\.0\.0\.1:41234, which the hosting cluster kind-kubeflex cannot use/,
        steps: /the address that kind-kubeflex reaches: --hub-apiserver/,
      }),
    );
    assert.deepEqual(memory.writes, []);
  });
});

import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import { stepLines } from '../../../../../src/lib/core/next-step.ts';
import type { Helm } from '../../../../../src/lib/spaces/install/helm.ts';
import { ensureIngress } from '../../../../../src/lib/spaces/install/local-ingress.ts';
import { LeaseCluster, leasePath } from '../../../support/lease-cluster.ts';

describe('Traefik is not installed', () => {
  let cluster: LeaseCluster;
  beforeEach(async () => {
    cluster = await LeaseCluster.start();
    cluster.put('/api/v1/namespaces/traefik', { kind: 'Namespace', metadata: { name: 'traefik' } });
  });
  afterEach(() => cluster.stop());

  async function install(helm: Partial<Helm>, chart?: string) {
    const { kube, run } = cluster.run();
    try {
      return await ensureIngress(
        { provider: 'kind', port: 1, chart },
        { kube, helm: helm as Helm, run },
      );
    } finally {
      kube.close();
    }
  }

  test('and nothing is written, if its chart cannot be had', async () => {
    const missing = new StellarError('chart-unusable', 'no such file');
    const local = () => Promise.reject(missing);
    await assert.rejects(install({ local }, 'nowhere.tgz'), {
      code: 'chart-unusable',
      message: 'no such file',
    });
    await assert.rejects(install({ download: () => Promise.reject(missing) }), /no such file/);
    assert.deepEqual(cluster.writes, []);
  });

  test('while its release is pending, and the step is shown that ends that', async () => {
    const download = async () => './traefik';
    const upgrade = () =>
      Promise.reject(new StellarError('release-pending', 'another operation is in progress'));
    const error = (await install({ download, upgrade }).catch(
      (reason: unknown) => reason,
    )) as StellarError;
    assert.equal(error.code, 'release-pending');
    assert.match(
      stepLines(error.next).join('\n'),
      /helm uninstall traefik --namespace traefik --kube-context \S+\n.*rerun the command/,
    );
    assert.equal(cluster.objects.has(leasePath), false);
  });

  test('or touched, if the class belongs to another ingress', async () => {
    const metadata = {
      name: 'nginx',
      annotations: { 'meta.helm.sh/release-name': 'ingress-nginx' },
    };
    cluster.put('/apis/networking.k8s.io/v1/ingressclasses/nginx', {
      kind: 'IngressClass',
      metadata,
    });
    assert.equal(await install({}), false);
    assert.deepEqual(cluster.writes, []);
  });
});

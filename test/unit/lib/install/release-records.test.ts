import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { forgetRevisions, recoverRelease } from '../../../../src/lib/install/release-records.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import type { Helm } from '../../../../src/lib/programs/helm/helm.ts';
import { LeaseCluster, leasePath } from '../../support/lease-cluster.ts';
import { failsWith } from '../../support/steps.ts';

const release = { name: 'ks-core', namespace: 'default' };
const chart = { name: 'core-chart', version: '0.30.0' };
const record = 'sh.helm.release.v1.ks-core.v2';
const recordPath = `/api/v1/namespaces/default/secrets/${record}`;

describe('a pending revision', () => {
  let cluster: LeaseCluster;
  beforeEach(async () => {
    cluster = await LeaseCluster.start();
  });
  afterEach(() => cluster.stop());

  const secret = (status: string, idleS: number) => ({
    metadata: {
      name: record,
      uid: 'r2',
      labels: { status, modifiedAt: String(Math.floor(Date.now() / 1000) - idleS) },
    },
  });

  /** A Lease whose end has passed. */
  const abandoned = (helm?: string) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: 'stellarctl',
      ...(helm === undefined ? {} : { annotations: { 'stellarctl.kubestellar.io/helm': helm } }),
    },
    spec: {
      holderIdentity: 'bob@desk, init, process 1',
      renewTime: new Date(0).toISOString(),
      leaseDurationSeconds: 1,
    },
  });

  async function recover(
    status: string,
    { idleS = 1, timeoutMs = 1200, ended = new Set<string>() } = {},
  ): Promise<boolean> {
    cluster.put(recordPath, secret(status, idleS));
    const { kube, run } = cluster.run(timeoutMs);
    const helm = { history: async () => [{ revision: 2, status: 'deployed', chart }] } as unknown as Helm;
    try {
      return await recoverRelease(kube, helm, { release, revisions: [{ revision: 2, status, chart }] }, ended, run);
    } finally {
      kube.close();
    }
  }

  test('of an upgrade is deleted at once if its Lease shows that helm has ended', async () => {
    cluster.put(leasePath, abandoned(`${record} process 1 started 2 on desk-1 boot`));
    assert.equal(await recover('pending-upgrade'), true);
    assert.equal(cluster.objects.size, 0);
  });

  test('of an installation is kept with its values, for the next installation', async () => {
    cluster.put(leasePath, abandoned(record));
    assert.equal(await recover('pending-install'), true);
    assert.deepEqual([...cluster.objects.keys()], [recordPath]);
  });

  test('of a helm that has ended is not waited for when the release is read again, without that Lease', async () => {
    const ended = new Set<string>();
    cluster.put(leasePath, abandoned(record));
    assert.equal(await recover('pending-install', { ended }), true);
    assert.equal(await recover('pending-install', { ended }), true);
    await assert.rejects(recover('pending-install'), { code: 'timeout' });
  });

  const unknown: [name: string, lease: ReturnType<typeof abandoned> | undefined][] = [
    ['without a Lease', undefined],
    ['whose Lease notes no helm', abandoned()],
    ['whose Lease notes the helm of another revision', abandoned('sh.helm.release.v1.ks-core.v1')],
  ];
  for (const [name, lease] of unknown)
    test(`${name} is never deleted: what to check is said when helm's usual timeout has passed`, async () => {
      if (lease !== undefined) cluster.put(leasePath, lease);
      for (const status of ['pending-upgrade', 'pending-install'])
        await assert.rejects(
          recover(status, { idleS: 302 }),
          failsWith({
            code: 'hosting-busy',
            exitCode: 1,
            message: `Another helm operation is in progress on fake: release ks-core in namespace default is at ${status}.`,
            steps:
              /^Check whether helm still runs, on every machine.*\n.*kubectl --context fake -n default delete secret sh\.helm/,
          }),
        );
      assert.deepEqual([...cluster.objects.keys()], [recordPath]);
    });

  test('is waited for before, until the deadline', async () => {
    await assert.rejects(recover('pending-upgrade', { idleS: 290 }), { code: 'timeout', exitCode: 3 });
    assert.deepEqual([...cluster.objects.keys()], [recordPath]);
  });

  test('is waited for until helm records its outcome', async () => {
    const recovered = recover('pending-upgrade', { timeoutMs: 5000 });
    await sleep(300);
    cluster.put(recordPath, secret('deployed', 0));
    assert.equal(await recovered, true);
  });
});

/** Deletes the record of a release with one revision. @param seen its status when read @param now its status afterwards */
async function forget(seen: string, now: string | undefined): Promise<string[]> {
  const deleted: string[] = [];
  const kube = {
    cluster: { context: 'host1' },
    get: async () => now && { metadata: { uid: 'u1', labels: { status: now } } },
    delete: async (_: unknown, name: string, { uid }: { uid: string }) => deleted.push(`${name} ${uid}`) > 0,
  } as unknown as Kube;
  await forgetRevisions(kube, release, [{ revision: 1, status: seen, chart }]);
  return deleted;
}

test('the record of a release that was never deployed is deleted, unless another helm has started meanwhile', async () => {
  const gone = ['sh.helm.release.v1.ks-core.v1 u1'];
  assert.deepEqual(await forget('failed', 'failed'), gone);
  assert.deepEqual(await forget('pending-install', 'pending-install'), gone);
  assert.deepEqual(await forget('failed', undefined), []);
  for (const now of ['pending-install', 'deployed'])
    await assert.rejects(forget('failed', now), { code: 'release-pending', message: /^Another helm operation on/ });
});

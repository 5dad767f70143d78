import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { forgetRevisions, waitForHelm } from '../../../../src/lib/spaces/release-records.ts';
import { LeaseCluster } from '../../support/lease-cluster.ts';
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

  async function wait(status: string, { idleS = 1, timeoutMs = 1200 } = {}): Promise<boolean> {
    cluster.put(recordPath, secret(status, idleS));
    const { kube, run } = cluster.run(timeoutMs);
    try {
      return await waitForHelm(kube, { release, revisions: [{ revision: 2, status, chart }] }, run);
    } finally {
      kube.close();
    }
  }

  test("is never deleted: what to check is said when helm's usual timeout has passed", async () => {
    for (const status of ['pending-upgrade', 'pending-install'])
      await assert.rejects(
        wait(status, { idleS: 302 }),
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
    await assert.rejects(wait('pending-upgrade', { idleS: 290 }), { code: 'timeout', exitCode: 3 });
    assert.deepEqual([...cluster.objects.keys()], [recordPath]);
  });

  test('is waited for until helm records its outcome', async () => {
    const waited = wait('pending-upgrade', { timeoutMs: 5000 });
    await sleep(300);
    cluster.put(recordPath, secret('deployed', 0));
    assert.equal(await waited, true);
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
  assert.deepEqual(await forget('failed', undefined), []);
  for (const [seen, now] of [
    ['failed', 'pending-install'],
    ['failed', 'deployed'],
    ['pending-install', 'pending-install'],
  ] as const)
    await assert.rejects(forget(seen, now), { code: 'release-pending', message: /^Another helm operation on/ });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetRevisions } from '../../../../../src/lib/hosting/install/release-records.ts';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';

const release = { name: 'ks-core', namespace: 'default' };
const now = 1_000_000_000_000;
const chart = { name: 'core-chart', version: '0.30.0' };

/**
 * Deletes the record of a release with one revision. @param seen its status when read @param idleS seconds since its record last
 * changed
 */
async function forget(seen: string, record: { status: string; idleS: number } | undefined): Promise<string[]> {
  const deleted: string[] = [];
  const modifiedAt = String(now / 1000 - (record?.idleS ?? 0));
  const kube = {
    cluster: { context: 'host1' },
    now: () => now,
    get: async () => record && { metadata: { uid: 'u1', labels: { status: record.status, modifiedAt } } },
    delete: async (_: unknown, name: string, { uid }: { uid: string }) => deleted.push(`${name} ${uid}`) > 0,
  } as unknown as Kube;
  await forgetRevisions(kube, release, [{ revision: 1, status: seen, chart }]);
  return deleted;
}

test('the record of a release that was never deployed is deleted, unless another helm has started meanwhile', async () => {
  const gone = ['sh.helm.release.v1.ks-core.v1 u1'];
  assert.deepEqual(await forget('failed', { status: 'failed', idleS: 0 }), gone);
  assert.deepEqual(await forget('pending-install', { status: 'pending-install', idleS: 301 }), gone);
  assert.deepEqual(await forget('failed', undefined), []);
  const begun: [seen: string, record: { status: string; idleS: number }][] = [
    ['failed', { status: 'pending-install', idleS: 1 }],
    ['pending-install', { status: 'pending-install', idleS: 1 }],
    ['failed', { status: 'deployed', idleS: 1 }],
  ];
  for (const [seen, record] of begun)
    await assert.rejects(forget(seen, record), { code: 'release-pending', message: /^Another helm operation on/ });
});

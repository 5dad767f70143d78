import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { forgetRevisions, refusePending } from '../../../../src/lib/spaces/install/init.ts';
import { failsWith } from '../../support/steps.ts';

const release = { name: 'ks-core', namespace: 'default' };
const chart = { name: 'core-chart', version: '0.30.0' };

test('a pending revision is neither deleted nor waited for: what to check is said', () => {
  const at = (status: string) =>
    refusePending('fake', { release, revisions: [{ revision: 2, status, chart }] });
  for (const status of ['pending-upgrade', 'pending-install'])
    assert.throws(
      () => at(status),
      failsWith({
        code: 'release-pending',
        exitCode: 1,
        message: `Another helm operation is in progress on fake: release ks-core in namespace default is at ${status}.`,
        steps:
          /^When it has ended, rerun the command\nIf helm runs on no machine.*delete secret sh\.helm\.release\.v1\.ks-core\.v2$/,
      }),
    );
  at('deployed');
});

/** Deletes the record of a release with one revision. @param seen its status when read @param now its status afterwards */
async function forget(seen: string, now: string | undefined) {
  const deleted: string[] = [];
  const kube = {
    cluster: { context: 'host1' },
    get: async (_: unknown, name: string) =>
      now && { metadata: { name, uid: 'u1', labels: { status: now } } },
    delete: async (_: unknown, { metadata: { name, uid } }: KubeObject) =>
      deleted.push(`${name} ${uid}`) > 0,
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
    await assert.rejects(forget(seen, now), {
      code: 'release-pending',
      message: /^Another helm operation is in progress/,
    });
});

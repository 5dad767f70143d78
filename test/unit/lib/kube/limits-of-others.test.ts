/** What a wait says of the limit of what it waits for. */
import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { resources } from '../../../../src/lib/kube/client/objects.ts';
import { stop } from '../../../../src/lib/kube/scaling.ts';
import { untilGone } from '../../../../src/lib/kube/until-gone.ts';
import { fakeKube, recordingProgress, run } from '../../support/builders.ts';

test('pods that end have their grace period', async () => {
  const progress = recordingProgress();
  const kube = fakeKube({
    get: async () => ({ metadata: { name: 'web', uid: 'u1' }, spec: { replicas: 0 } }),
    list: async () => [{ metadata: { name: 'web-5d9f-x7k', deletionGracePeriodSeconds: 10 } }],
  });
  const late = (why: string) => new StellarError('timeout', why);
  const stopped = stop(
    { kube, namespace: 'shop' },
    'web',
    { late, subject: 'wds1' },
    run(0, progress),
  );
  await assert.rejects(stopped, { message: 'the pods of web have not ended' });
  assert.match(progress.lines.join(), /stopping web; its pods have 10s to end/);
});

test('a Namespace names what it still has', async () => {
  const progress = recordingProgress();
  const message = 'Some resources are remaining: pods. has 2 resource instances';
  const conditions = [{ type: 'NamespaceContentRemaining', status: 'True', message }];
  const object = { metadata: { name: 'wds1-system', uid: 'u1' }, status: { conditions } };
  const kube = fakeKube({ get: async () => object });
  const gone = untilGone(kube, resources.namespaces, object, { ...run(0, progress), name: 'wds1' });
  await assert.rejects(gone, { code: 'timeout' });
  assert.match(progress.lines.join(), /it is being deleted: Some resources are remaining: pods\./);
});

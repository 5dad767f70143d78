import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textOf } from '../../../../src/lib/core/next-step.ts';
import type { AnySpace } from '../../../../src/lib/spaces/space/space-watcher.ts';
import { failureOfStage } from '../../../../src/lib/spaces/space/space-watcher.ts';
import { fakeKube } from '../../support/builders.ts';
import { pod } from '../../support/space-builders.ts';

const unpullable = pod('p', {
  namespace: 'open-cluster-management-hub',
  waiting: { reason: 'ImagePullBackOff' },
});
const cluster = (context: string) =>
  fakeKube({ cluster: { context, server: 'https://x' } as never, logTail: async () => [] });

const nextOf = async (type: string) => {
  const space = { type, inside: { state: 'seen', value: undefined } } as unknown as AnySpace;
  const stages = [
    { id: 'x', title: 'x', check: () => assert.fail('not judged'), podsInside: () => [unpullable] },
  ];
  const { next } = await failureOfStage(
    'x',
    { space, stages, kube: cluster('its1') },
    cluster('hosting'),
  );
  return next.map(textOf).join();
};

test('a pod in a space of type host is shown by the context of its hosting cluster: the space has none', async () => {
  assert.match(
    await nextOf('host'),
    /^Correct .*: kubectl --context hosting -n open-cluster-management-hub describe/,
  );
  assert.match(await nextOf('vcluster'), /kubectl --context its1 /);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PostCreateHook } from '../../../../src/lib/ocm/kubeflex-objects.ts';
import { unreachedSpaces } from '../../../../src/lib/spaces/unreached-spaces.ts';
import { MemoryCluster, transportHook, wds } from '../../support/space-builders.ts';

test('the controllers of a WDS are upgraded by a command that keeps its workloads', async () => {
  const transport = { ...transportHook('0.30'), kind: 'PostCreateHook' };
  const controller: PostCreateHook = { kind: 'PostCreateHook', metadata: { name: 'kubestellar-controller' }, spec: {} };
  const applied = ['kubestellar-controller', 'transport-controller'];
  const { kube } = new MemoryCluster([wds('wds1', '', { applied }), transport, controller]);
  const [found, ...others] = await unreachedSpaces(kube, true);
  assert.deepEqual(others, []);
  assert.deepEqual(found?.next, [
    {
      command: 'stellarctl wds upgrade wds1 --hosting-context kind-kubeflex',
      lead: 'Recreate its controllers',
    },
  ]);
});

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { hidden } from '../../../../src/lib/kube/access.ts';
import type { OpenWds } from '../../../../src/lib/spaces/open-wds.ts';
import { readDelivery } from '../../../../src/lib/workloads/delivery-evidence.ts';
import { MemoryCluster } from '../../support/space-builders.ts';

/** The Bindings that are read twice. @param grows, reads by how many generations between the readings */
async function outrun(generation: number, grows: number, reads: number): Promise<string[]> {
  let lists = 0;
  const { kube } = new MemoryCluster([], {
    list: async ({ kind }) => {
      if (kind !== 'Binding') return [] as never;
      lists += 1;
      const more = lists - 1;
      const status = { observedGeneration: 1 + more * reads };
      return [{ metadata: { name: 'shop', generation: generation + more * grows }, status }] as never;
    },
  });
  const wds = {
    name: 'wds1',
    kube,
    context: 'wds1',
    type: 'host',
    apiGroups: [],
    isGiven: true,
    its: hidden('unknown'),
  };
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    let found: string[] | undefined;
    const reading = readDelivery(wds as unknown as OpenWds).then(({ outrun: names }) => (found = [...names]));
    while (found === undefined) {
      await setImmediate();
      mock.timers.tick(3000);
    }
    await reading;
    return found;
  } finally {
    mock.timers.reset();
  }
}

test('a transport is outrun if a Binding far ahead of it goes on growing while it reads nothing', async () => {
  assert.deepEqual(await outrun(233, 3, 0), ['shop']);
  assert.deepEqual(await outrun(233, 3, 1), [], 'it reads');
  assert.deepEqual(
    await outrun(233, 0, 0),
    [],
    'a single change that it has not read is late, which is judged by its time',
  );
  assert.deepEqual(await outrun(5, 3, 0), [], 'it is not far behind');
});

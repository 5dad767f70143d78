import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followForecast } from '../../../../src/lib/forecast/follow-forecast.ts';
import type { WorkEffect } from '../../../../src/lib/forecast/forecast.ts';
import { ApiError } from '../../../../src/lib/kube/client/errors.ts';
import { hurry } from '../../support/fake-time.ts';
import { workOf } from '../../support/policy-builders.ts';
import { MemoryCluster, soon } from '../../support/space-builders.ts';

const work = (policy: string, wec: string, goes: boolean): WorkEffect => {
  const { name, uid } = present(policy, wec).metadata;
  return { wec, name, uid, policy, wds: 'wds1', goes };
};
const present = (policy: string, wec: string) => ({
  kind: 'ManifestWork',
  metadata: { ...workOf(policy, 'wds1', wec).metadata, uid: `${policy}-${wec}` },
});

/** Follows while the works become, reading by reading, what is given. The last one stays. */
async function follow(works: WorkEffect[], ...readings: ReturnType<typeof present>[][]) {
  let index = 0;
  const { kube } = new MemoryCluster([]);
  const its = {
    ...kube,
    list: async (...of: Parameters<typeof kube.list>) => {
      const all = readings[Math.min(index, readings.length - 1)] ?? [];
      index += 1;
      return new MemoryCluster(all).kube.list(...of);
    },
  };
  return followForecast(its as typeof kube, { works }, soon());
}

test('a change is followed once the works that go are gone', async (t) => {
  hurry(t);
  const [shop, pay] = [present('shop', 'w1'), present('pay', 'w1')];
  const works = [work('shop', 'w1', true), work('pay', 'w1', false)];
  assert.deepEqual(await follow(works, [shop, pay], [shop, pay], [pay]), {});
  const leaving = {
    ...shop,
    metadata: { ...shop.metadata, deletionTimestamp: '2026-12-01T00:00:00Z' },
  };
  assert.deepEqual(await follow(works, [leaving, pay]), {});
  // Where nothing goes, and in a dry run, nothing is read.
  assert.deepEqual(await follow([work('pay', 'w1', false)], []), {});
  const { kube } = new MemoryCluster([]);
  const its = { ...kube, list: () => assert.fail('a request') };
  const dryRun = { ...soon(), dryRun: true };
  assert.deepEqual(await followForecast(its as never, { works }, dryRun), {});
});

test('works that should stay, and go or come anew, are an error', async (t) => {
  hurry(t);
  const pay = present('pay', 'w1');
  const works = [work('shop', 'w1', true), work('pay', 'w1', false)];
  const errorOf = async (...of: Parameters<typeof follow>) => (await follow(...of)).error;
  const missing = await errorOf(works, [present('shop', 'w1')]);
  assert.equal(missing?.code, 'forecast-wrong');
  assert.match(missing?.message ?? '', /that the forecast did not show: \S+ of w1\.$/);
  const another = { ...pay, metadata: { ...pay.metadata, uid: 'another' } };
  assert.equal((await errorOf(works, [another]))?.code, 'forecast-wrong');
});

test('a KubeStellar that does not follow, or works that cannot be read, are no error', async (t) => {
  hurry(t);
  const shop = present('shop', 'w1');
  const works = [work('shop', 'w1', true)];
  assert.match((await follow(works, [shop])).why ?? '', /^1 work that should go are still on /);
  const { kube } = new MemoryCluster([]);
  const list = async () => {
    throw new ApiError(403, {}, 'forbidden', 'Not allowed');
  };
  assert.match(
    (await followForecast({ ...kube, list } as never, { works }, soon())).why ?? '',
    /could not be read/,
  );
});

import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { noForecast } from '../../../../src/lib/forecast/read-forecast.ts';
import { wecChange } from '../../../../src/lib/forecast/wec-change.ts';
import { foreseen } from '../../../../src/lib/kube/client/foreseen.ts';
import { resources } from '../../../../src/lib/kube/client/objects.ts';
import {
  endRehearsals,
  planRehearsal,
  rehearse,
} from '../../../../src/lib/maintenance/rehearse.ts';
import { transportPaused } from '../../../../src/lib/spaces/space/controllers-run.ts';
import { RestartWorld, waitingTime } from '../../support/restart-world.ts';
import { stepsOf } from '../../support/steps.ts';

let time: ReturnType<typeof waitingTime>;
before(() => {
  time = waitingTime();
});
after(() => time.restore());

const prod = { env: 'prod' };
const world = (options: ConstructorParameters<typeof RestartWorld>[1] = {}) =>
  new RestartWorld(time.clock, { clusters: { cluster1: prod, cluster2: prod }, ...options });

/** Removes the label of cluster2 by which both policies select it. */
async function rehearsed(of: RestartWorld, afterwards = () => {}) {
  const labels = { env: null };
  const cluster = { metadata: { name: 'cluster2', labels: prod } };
  const wecs = [wecChange({ cluster, configMap: undefined }, { labels })];
  const bindings = ['shop', 'web'].map((policy) => ({ wds: 'wds1', policy, wecs: ['cluster1'] }));
  const plans = await planRehearsal(bindings, of.tools());
  const its = foreseen(of.tools().connect({ name: 'its1' } as never), noForecast);
  const write = async () => {
    await its.merge(resources.managedClusters, 'cluster2', { metadata: { labels } });
    assert.equal(of.replicas('transport-controller'), 0, 'nothing is sent');
    afterwards();
    return 'written';
  };
  return rehearse(
    plans,
    { what: 'label cluster2', subject: 'its1', wecs, bindings, write },
    of.run(120_000),
  );
}

const worksOn = (of: RestartWorld, wec: string) =>
  [...of.works].filter(([key]) => key.startsWith(`${wec} `)).sort();

/** Reads once, so that controllers do what is due. */
const tick = (of: RestartWorld) => of.tools().hosting.list(resources.pods);

function assertOver(of: RestartWorld) {
  assert.equal(of.note, undefined);
  assert.deepEqual(of.probes, []);
  assert.equal(of.replicas('transport-controller'), 1);
}

test('a change that KubeStellar makes as foreseen is sent once all its Bindings are written', async () => {
  const of = world();
  const kept = worksOn(of, 'cluster1');
  assert.equal(await rehearsed(of), 'written');
  await tick(of);
  assert.deepEqual([worksOn(of, 'cluster1'), worksOn(of, 'cluster2')], [kept, []]);
  assertOver(of);
});

test('what keeps it from being tried is said before anything is written', async () => {
  for (const right of ['create leases', 'patch deployments', 'patch controlplanes']) {
    const of = world();
    of.denied.push(right);
    await assert.rejects(rehearsed(of), { code: 'forbidden' }, right);
    assert.deepEqual(of.writes, []);
  }
});

describe('a change is taken back, and nothing has left,', () => {
  const takenBack = async (of: RestartWorld, afterwards?: () => void) => {
    const sent = [...of.works].sort();
    const error: StellarError = await rehearsed(of, afterwards).then(
      () => assert.fail('written'),
      (thrown) => thrown,
    );
    await tick(of);
    assert.deepEqual([...of.works].sort(), sent);
    assert.deepEqual(of.clusters.get('cluster2'), prod);
    assertOver(of);
    assert.match(error.details.join(), /taken back; nothing has changed on any WEC/);
    return error;
  };
  test('if a Binding becomes another one', async () => {
    const of = world();
    of.stuck.add('web');
    const { code, message } = await takenBack(of);
    assert.equal(code, 'forecast-wrong');
    assert.match(message, /: Binding web names cluster1, cluster2, instead of cluster1\.$/);
  });
  test('if the controller manager crashes', async () => {
    const of = world();
    const { code, message } = await takenBack(of, () => {
      of.crashes = true;
    });
    assert.equal(code, 'forecast-wrong');
    assert.match(message, /the controller manager of wds1 crashes/);
  });
  test('if it cannot be written, or is interrupted', async () => {
    for (const code of ['forbidden', 'interrupted'] as const) {
      const error = await takenBack(world(), () => {
        throw new StellarError(code, 'no');
      });
      assert.equal(error.code, code);
    }
  });
});

test('a rehearsal that is killed after any write is taken back by the next one', async () => {
  for (let interruptAt = 1; ; interruptAt += 1) {
    const of = world();
    const sent = [...of.works].sort();
    // A kill: nothing is written any more.
    of.killedAt = interruptAt;
    const isOver = await rehearsed(of).then(
      () => true,
      () => false,
    );
    of.killedAt = undefined;
    if (isOver) {
      assert.ok(interruptAt > 8, `only ${interruptAt} writes`);
      return;
    }
    await tick(of);
    time.clock.ms += 60_000;
    await endRehearsals(of.tools(), of.run());
    assertOver(of);
    const isKept = of.clusters.get('cluster2')?.env === 'prod';
    const left = [...of.works].sort();
    if (isKept) assert.deepEqual(left, sent, `after write ${interruptAt}`);
    assert.deepEqual(
      worksOn(of, 'cluster1'),
      sent.filter(([key]) => key.startsWith('cluster1')),
    );
  }
});

test('a transport that a killed rehearsal has stopped says why, and what takes it back', async () => {
  const of = world();
  of.killedAt = 3;
  await rehearsed(of).catch(() => {});
  const verdict = transportPaused(of.controlPlane, undefined, 'hosting');
  assert.match(verdict?.why ?? '', /by a change of cluster2 that ann on .* has begun/);
  assert.deepEqual(
    stepsOf(verdict as never),
    'Take it back: stellarctl wds restart wds1 --hosting-context hosting',
  );
});

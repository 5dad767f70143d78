import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { wecChange } from '../../../../src/lib/forecast/wec-change.ts';
import { resources } from '../../../../src/lib/kube/client/objects.ts';
import {
  endRehearsals,
  planRehearsal,
  type Rehearsal,
  rehearse,
  tryOut,
} from '../../../../src/lib/maintenance/rehearse.ts';
import { setTried, triedLabels, triedPolicy } from '../../../../src/lib/maintenance/tried.ts';
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

type Expected = Rehearsal['bindings'][number];

const binding = (policy: string, wecs: readonly string[], more: Partial<Expected> = {}) => ({
  ...{ wds: 'wds1', policy, wecs, isKnown: true },
  ...more,
});

/** Tries a change. @param write false to take it back in any case */
async function rehearsal(
  of: RestartWorld,
  { tried, bindings }: Pick<Rehearsal, 'tried' | 'bindings'>,
  write: false | (() => void) = () => {},
) {
  const plans = await planRehearsal(['wds1'], of.tools());
  const what = { what: 'label cluster2', subject: 'its1', tried, bindings };
  const run = of.run(120_000);
  if (write === false) return tryOut(plans, what, run);
  const writing = async () => {
    const [plan] = plans;
    if (plan) await setTried(plan, tried, 'after');
    assert.equal(of.replicas('transport-controller'), 0, 'nothing is sent');
    write();
    return 'written';
  };
  return rehearse(plans, what, writing, run);
}

/** Both policies stop selecting cluster2. */
const removesLabel = () => {
  const cluster = { metadata: { name: 'cluster2', labels: prod } };
  const change = wecChange({ cluster, configMap: undefined }, { labels: { env: null } });
  const bindings = ['shop', 'web'].map((policy) => binding(policy, ['cluster1']));
  return { tried: [triedLabels('cluster2', prod, change.after)], bindings };
};

const rehearsed = (of: RestartWorld, afterwards?: () => void) =>
  rehearsal(of, removesLabel(), afterwards);

const both = ['cluster1', 'cluster2'];
const keysOf = (app: string) =>
  Array.from({ length: 3 }, (_, index) => `/configmaps/shop/${app}-${index}`);

/** Policy web sends the objects of shop instead of its own. */
const changesPolicy = (of: RestartWorld) => {
  const web = of.policies.find(({ metadata }) => metadata.name === 'web');
  const spec = { ...web?.spec, downsync: of.policy('shop').spec?.downsync ?? [] };
  return {
    tried: [triedPolicy('web', 'wds1', web?.spec, spec)],
    bindings: [binding('web', both, { objects: keysOf('shop') })],
  };
};

const createsPolicy = (of: RestartWorld) => ({
  tried: [triedPolicy('new', 'wds1', undefined, of.policy('web').spec ?? {})],
  bindings: [binding('new', both, { objects: keysOf('web') })],
});

/** A WEC that is not registered. */
const joins = () => ({
  tried: [triedLabels('cluster3', undefined, prod)],
  bindings: ['shop', 'web'].map((policy) => binding(policy, [...both, 'cluster3'])),
});

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

test('a policy that KubeStellar makes a Binding for as foreseen is sent', async () => {
  for (const change of [changesPolicy, createsPolicy]) {
    const of = world();
    assert.equal(await rehearsal(of, change(of)), 'written');
    assertOver(of);
  }
  const of = world();
  const missing = { type: 'StatusCollectorsAvailable', status: 'False', message: 'missing c' };
  Object.assign(of.policies[0] ?? {}, { status: { conditions: [missing] } });
  assert.equal(await rehearsed(of), 'written');
});

test('a change that is only tried is taken back, also if KubeStellar does what was foreseen', async () => {
  for (const change of [removesLabel, changesPolicy, createsPolicy, joins]) {
    const of = world();
    const before = { works: [...of.works].sort(), policies: of.policies.map(({ spec }) => spec) };
    await rehearsal(of, change(of), false);
    await tick(of);
    const after = { works: [...of.works].sort(), policies: of.policies.map(({ spec }) => spec) };
    assert.deepEqual(after, before);
    assert.deepEqual([...of.clusters.keys()], both);
    assertOver(of);
  }
});

test('what a fleet owns of a WEC is its own again, but for what others have changed meanwhile', async () => {
  const of = world();
  const applied = { manager: 'fleet', labels: { env: 'prod', tier: 'web' }, annotations: {} };
  const tried = [triedLabels('cluster2', prod, {}, applied)];
  await rehearsal(of, { ...removesLabel(), tried }, false);
  assert.ok(of.writes.includes('apply ManagedCluster cluster2 as fleet: {"env":"prod"}'));
  assert.deepEqual(of.clusters.get('cluster2'), prod);
});

test('what is not known of a Binding is not compared', async () => {
  const of = world();
  const change = changesPolicy(of);
  const bindings = [binding('web', [], { isKnown: false, objects: [] })];
  assert.equal(await rehearsal(of, { ...change, bindings }), 'written');
});

test('a second run is refused by name while a change is tried', async () => {
  const of = world();
  let refused: StellarError | undefined;
  of.killedAt = 3;
  await rehearsed(of).catch(() => {});
  of.killedAt = undefined;
  await rehearsed(of).catch((error) => {
    refused = error;
  });
  assert.equal(refused?.code, 'hosting-busy');
  assert.match(
    refused?.message ?? '',
    /KubeStellar tries a change in wds1 that ann on .* has begun/,
  );
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
  const takenBack = async (
    of: RestartWorld,
    afterwards?: () => void,
    change: Parameters<typeof rehearsal>[1] = removesLabel(),
  ) => {
    const sent = [...of.works].sort();
    const error: StellarError = await rehearsal(of, change, afterwards).then(
      () => assert.fail('written'),
      (thrown) => thrown,
    );
    await tick(of);
    assert.deepEqual([...of.works].sort(), sent);
    assert.deepEqual(of.clusters.get('cluster2'), prod);
    assertOver(of);
    assert.match(error.details.join(), /taken back/);
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
  test('if a policy comes to send other objects', async () => {
    const of = world();
    const change = changesPolicy(of);
    const [expected] = change.bindings;
    const bindings = [{ ...(expected as Expected), objects: keysOf('shop').slice(1) }];
    const { message } = await takenBack(of, undefined, { ...change, bindings });
    assert.match(message, /: Binding web lists configmaps\/shop\/shop-0\.$/);
    assert.deepEqual(
      of.policies.map(({ spec }) => spec),
      world().policies.map(({ spec }) => spec),
    );
  });
  test('if a new policy makes the controller manager crash: it is deleted', async () => {
    const of = world();
    const crash = () => {
      of.crashes = true;
    };
    await takenBack(of, crash, createsPolicy(of));
    assert.deepEqual(
      of.policies.map(({ metadata }) => metadata.name),
      ['shop', 'web'],
    );
  });
  test('if another program starts the transport: it is not said that nothing has changed', async () => {
    const of = world();
    const error: StellarError = await rehearsed(of, () => of.scaleTransport(1)).then(
      () => assert.fail('written'),
      (thrown) => thrown,
    );
    assert.match(error.message, /: another program has started its transport meanwhile\.$/);
    assert.deepEqual(error.details, ['The change was taken back.']);
    assertOver(of);
  });
  test('where others change a policy meanwhile: its Binding is right if it is as that selects', async () => {
    const of = world();
    const error = await rehearsed(of, () => {
      Object.assign(of.policies[0]?.spec ?? {}, { clusterSelectors: [] });
    }).then(
      () => assert.fail('written'),
      (thrown: StellarError) => thrown,
    );
    assert.match(error.message, /Binding shop names no WEC, instead of cluster1/);
    assert.match(error.details.join(), /taken back; nothing has changed/);
    await tick(of);
    assertOver(of);
    assert.deepEqual(
      worksOn(of, 'cluster2').map(([key]) => key.split(' ')[1]),
      ['web', 'web', 'web'],
    );
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

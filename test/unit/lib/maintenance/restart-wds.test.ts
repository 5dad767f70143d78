import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { type KubeObject, resources } from '../../../../src/lib/kube/client/objects.ts';
import { planRestart } from '../../../../src/lib/maintenance/restart-plan.ts';
import { restartControllers, restartWds } from '../../../../src/lib/maintenance/restart-wds.ts';
import {
  noteBinding,
  readNote,
  transportPaused,
} from '../../../../src/lib/spaces/space/controllers-run.ts';
import { RestartWorld, waitingTime } from '../../support/restart-world.ts';
import { its, transportHook, wds } from '../../support/space-builders.ts';
import { failsWith, stepsOf } from '../../support/steps.ts';

let time: ReturnType<typeof waitingTime>;
before(() => {
  time = waitingTime();
});
after(() => time.restore());

const world = (options: ConstructorParameters<typeof RestartWorld>[1] = {}) =>
  new RestartWorld(time.clock, options);
const restart = (of: RestartWorld, timeoutMs?: number, recreates = false) =>
  restartWds('wds1', recreates, of.tools(), of.run(timeoutMs));
const works = (of: RestartWorld) => [...of.works].sort();

/** The tools of a world of which some lists are answered otherwise. */
function toolsListing(
  of: RestartWorld,
  answer: (kind: string, context: string) => KubeObject[] | undefined,
): ReturnType<RestartWorld['tools']> {
  const tools = of.tools();
  const connect: typeof tools.connect = (context) => {
    const kube = tools.connect(context);
    const list: Kube['list'] = async (resource, selection) =>
      (answer(resource.kind, context.name) as never) ?? kube.list(resource, selection);
    return { ...kube, list };
  };
  return { ...tools, connect };
}

const scaleTransport = (of: RestartWorld, replicas: number) =>
  of.tools().hosting.merge(resources.deployments, 'transport-controller', { spec: { replicas } });

/** Controllers do what is due at each reading. */
const tick = (of: RestartWorld) => of.tools().hosting.list(resources.pods);

/** The controller manager crashes while the transport is down, and empties the Bindings at its next start. */
const crash = async (of: RestartWorld) => {
  await scaleTransport(of, 0);
  of.killManager();
  time.clock.ms += 6_500;
  await tick(of);
};

const assertDone = (of: RestartWorld) => {
  assert.deepEqual(of.probes, []);
  assert.equal(of.note, undefined);
  assert.deepEqual(
    [of.replicas('transport-controller'), of.replicas('kubestellar-controller-manager')],
    [1, 1],
  );
};

/** Every work is kept, and nothing is left behind. */
const assertKept = (of: RestartWorld, sent: ReturnType<typeof works>, after?: string) => {
  assert.deepEqual(works(of), sent, after);
  assertDone(of);
};
const completes = async (of: RestartWorld, sent = works(of), after?: string) => {
  assert.equal((await restart(of)).error, undefined, after);
  assertKept(of, sent, after);
};

describe('a restart of the controller manager', () => {
  test('keeps every work, and leaves nothing behind', async () => {
    for (const start of [
      {},
      { fillsAfter: 90_000 },
      { emptiesAfter: 30_000, fillsAfter: 180_000 },
    ]) {
      const of = world(start);
      const [pod] = of.pods;
      await completes(of);
      assert.ok(
        of.pods.every(({ metadata }) => metadata.uid !== pod?.metadata.uid),
        'the pod is another one',
      );
    }
  });

  test('stops the transport before the controller manager, and starts it last', async () => {
    const of = world();
    await restart(of);
    const order = of.writes.filter((write) => write.startsWith('merge'));
    assert.deepEqual(order, [
      'merge ControlPlane wds1',
      'merge Deployment transport-controller',
      'merge ControlPlane wds1',
      'merge Deployment kubestellar-controller-manager',
      'merge Deployment kubestellar-controller-manager',
      'merge Deployment transport-controller',
      'merge ControlPlane wds1',
    ]);
    const last = of.writes.lastIndexOf('merge Deployment transport-controller');
    assert.ok(
      of.writes.findLastIndex((write) => write.startsWith('delete')) < last,
      'no probe when it starts',
    );
  });

  test('can be interrupted after each write, and rerun', async () => {
    for (let interruptAt = 1; ; interruptAt += 1) {
      const of = world({ interruptAt });
      const sent = works(of);
      const { error } = await restart(of);
      if (error === undefined) {
        assert.ok(interruptAt > 8, `only ${interruptAt} writes`);
        break;
      }
      assert.equal(error.code, 'interrupted');
      of.interruptAt = undefined;
      time.clock.ms += 60_000;
      await completes(of, sent, `after write ${interruptAt}`);
    }
  });

  test('does not restart a controller manager twice: it may need longer than one run', async () => {
    const of = world({ fillsAfter: 500_000 });
    const sent = works(of);
    const { error } = await restart(of, 120_000);
    assert.equal(error?.code, 'timeout');
    const { length } = of.writes;
    await completes(of, sent);
    assert.ok(!of.writes.slice(length).includes('merge Deployment kubestellar-controller-manager'));
  });

  test('starts a transport that is scaled to zero, once the Bindings are right', async () => {
    const of = world();
    const sent = works(of);
    await scaleTransport(of, 0);
    await completes(of, sent);
  });

  test('of a repair or a guard leaves a transport at zero', async () => {
    const of = world();
    await scaleTransport(of, 0);
    await restartControllers(await planRestart('wds1', of.tools()), of.run());
    assert.equal(of.replicas('transport-controller'), 0);
  });

  test('with --recreate, lets KubeFlex create both anew, the transport last', async () => {
    const hook = transportHook('0.30');
    const ofManager = structuredClone(hook);
    ofManager.metadata.name = 'kubestellar-controller';
    for (const template of ofManager.spec?.templates ?? [])
      if (template.kind === 'Deployment') template.metadata.name = 'kubestellar-controller-manager';
    for (let interruptAt = 1; interruptAt < 20; interruptAt += 1) {
      const of = world({ hooks: [hook, ofManager], interruptAt });
      const sent = works(of);
      const uids = [...of.deployments.values()].map(({ metadata }) => metadata.uid);
      const { error } = await restart(of, undefined, true);
      of.interruptAt = undefined;
      if (error !== undefined)
        assert.equal((await restart(of)).error, undefined, `after write ${interruptAt}`);
      assertKept(of, sent, `after write ${interruptAt}`);
      const left = [...of.deployments.values()].filter(({ metadata }) =>
        uids.includes(metadata.uid),
      );
      assert.deepEqual(left, [], `after write ${interruptAt}`);
    }
  });

  test('proves it by a CustomResourceDefinition where ConfigMaps are not watched', async () => {
    const of = world({ apiGroups: 'apps' });
    await completes(of);
    assert.match(
      of.writes.join('\n'),
      /apply CustomResourceDefinition stellarctl-restart-probe-\S+\.stellarctl\.kubestellar\.io/,
    );
  });
});

describe('Bindings after the start', () => {
  test('that stay smaller keep the transport stopped; the error names the object and the command', async () => {
    const of = world();
    const sent = works(of);
    of.start.leavesOut = 'shop-1';
    for (let runs = 0; runs < 2; runs += 1) {
      const { error } = await restart(of, 120_000);
      assert.equal(error?.code, 'restart-unproven');
      assert.match(String(error?.message), /Binding shop lacks configmaps\/shop\/shop-1/);
      assert.match(stepsOf(error), /stellarctl wds restart wds1 --hosting-context kind-kubeflex/);
      assert.equal(of.replicas('transport-controller'), 0);
      assert.deepEqual(of.probes, []);
      assert.ok(of.note);
    }
    of.start.leavesOut = undefined;
    await completes(of, sent);
  });

  test('that differ because the user has changed the WDS are right', async () => {
    const of = world({ fillsAfter: 200_000 });
    await restart(of, 60_000);
    of.objects = of.objects.filter(({ metadata }) => metadata.name !== 'shop-0');
    of.objects.push(of.object('web', 'web-new'));
    of.policies = of.policies.filter(({ metadata }) => metadata.name !== 'shop');
    assert.equal((await restart(of)).error, undefined);
    assert.deepEqual(
      works(of).map(([key]) => key),
      ['cluster1 web web-0', 'cluster1 web web-1', 'cluster1 web web-2', 'cluster1 web web-new'],
    );
  });

  test('at the deadline leave the transport stopped, and say how to finish', async () => {
    const of = world({ fillsAfter: 400_000 });
    const { error } = await restart(of, 30_000);
    assert.equal(error?.code, 'timeout');
    assert.match(String(error?.message), /not finished its initial sync/);
    assert.match(String(error?.details), /transport of wds1 stays stopped/);
    assert.match(stepsOf(error), /Finish the restart: stellarctl wds restart wds1/);
    assert.equal(of.replicas('transport-controller'), 0);
  });
});

describe('whatever the note lists, the workloads are kept', () => {
  const emptied = (of: RestartWorld) =>
    assert.deepEqual(
      [...of.bindings.values()].map(({ spec }) => spec?.workload),
      [{}, {}],
    );
  /** The works once the controller manager has done what its start does. */
  const settled = async (of: RestartWorld) => {
    for (const ms of [6_500, 1_000, 120_000]) {
      time.clock.ms += ms;
      await tick(of);
    }
    return works(of);
  };
  test('by a note from before there were policies, whose run has never stopped the transport', async () => {
    const of = world({ interruptAt: 1 });
    const { policies } = of;
    of.policies = [];
    of.bindings.clear();
    of.works.clear();
    assert.equal((await restart(of)).error?.code, 'interrupted');
    Object.assign(of, { policies, interruptAt: undefined });
    time.clock.ms += 3_600_000;
    await tick(of);
    const sent = works(of);
    assert.equal(sent.length, 6);
    await completes(of, sent);
    assert.deepEqual(await settled(of), sent);
  });
  test('after a crash of the controller manager while the transport is down', async () => {
    const of = world({ fillsAfter: 90_000 });
    const sent = works(of);
    await crash(of);
    emptied(of);
    await completes(of, sent);
    assert.deepEqual(await settled(of), sent);
  });
  test('if the list of Bindings is empty at first', async () => {
    const of = world();
    const sent = works(of);
    let answers = 0;
    const tools = toolsListing(of, (kind) =>
      kind === 'Binding' && answers++ < 2 ? [] : undefined,
    );
    assert.equal((await restartWds('wds1', false, tools, of.run())).error, undefined);
    assert.deepEqual(await settled(of), sent);
    assertDone(of);
  });
  test('while a policy that the note does not list is not evaluated, which no probe shows', async () => {
    const of = world({ objects: 1 });
    const sent = works(of);
    of.start.leavesOut = 'shop-0';
    await crash(of);
    const { error } = await restart(of, 120_000);
    assert.equal(error?.code, 'restart-unproven');
    assert.match(String(error?.message), /Binding shop lacks configmaps\/shop\/shop-0/);
    assert.deepEqual(await settled(of), sent);
  });
  test('without works of it on its ITS there is nothing to keep', async () => {
    const of = world();
    of.policies = [];
    of.bindings.clear();
    of.works.clear();
    assert.equal((await restart(of)).error, undefined);
    assert.ok(!of.writes.some((write) => write.includes('probe')), of.writes.join());
  });
  test('a transport that could not be stopped is not said to be', async () => {
    const of = world({ interruptAt: 2 });
    assert.deepEqual((await restart(of)).error?.details ?? [], []);
  });
  test('credentials that end before the pods of the transport have ended: the error says that it is at zero', async () => {
    const of = world();
    const tools = of.tools();
    const { list } = tools.hosting;
    tools.hosting.list = async (...selection) => {
      if (of.replicas('transport-controller') === 0)
        throw new StellarError('unauthorized', 'expired');
      return list(...selection);
    };
    const { error } = await restartWds('wds1', false, tools, of.run());
    assert.equal(error?.code, 'unauthorized');
    assert.match(String(error?.details), /transport of wds1 is scaled to zero/);
  });
});

describe('is refused before any write', () => {
  const refused = async (
    of: RestartWorld,
    expected: object,
    { name = 'wds1', tools = of.tools() } = {},
  ) => {
    await assert.rejects(restartWds(name, false, tools, of.run()), expected);
    assert.deepEqual(of.writes, []);
  };
  const ofPolicy = (status: object) => (of: RestartWorld) =>
    void Object.assign(of.policies[0] ?? assert.fail(), { status });
  const cases: [why: string, change: (of: RestartWorld) => void, expected: object][] = [
    [
      'while discovery of the WDS is incomplete',
      (of) => of.unseen.push('metrics.k8s.io'),
      { code: 'api-error', message: /metrics\.k8s\.io\/v1beta1/ },
    ],
    [
      'while a policy is in error',
      ofPolicy({ errors: ['singleton is wrong'] }),
      failsWith({
        code: 'conflict',
        message: /Policy shop of wds1 is in error: singleton is wrong/,
        steps: /policy get shop --wds wds1/,
      }),
    ],
    [
      'while a condition of a policy is not met',
      ofPolicy({ conditions: [{ type: 'Synced', status: 'False', message: 'not synced' }] }),
      { code: 'conflict', message: /not synced/ },
    ],
    ...[
      'patch deployments',
      'list pods',
      'patch controlplanes',
      'create bindingpolicies',
      'delete configmaps',
    ].map((right): (typeof cases)[number] => [
      `without the right to ${right}`,
      (of) => of.denied.push(right),
      { code: 'forbidden', message: new RegExp(right) },
    ]),
    [
      'while the controllers would find no ITS',
      (of) => of.controlPlanes.push(its('its2')),
      failsWith({ code: 'conflict', steps: /wds repair wds1 --hosting-context \S+ --its ITS/ }),
    ],
    [
      'with hooks of another version',
      ({ controlPlane }) => {
        controlPlane.spec = { ...controlPlane.spec, postCreateHooks: [{ hookName: 'wds' }] };
      },
      { code: 'conflict', message: /hooks of another version/ },
    ],
    [
      'without its Deployments',
      (of) => of.deployments.delete('kubestellar-controller-manager'),
      { code: 'conflict', message: /KubeFlex has not created them/ },
    ],
    [
      'while the transport of another WDS on the same API server runs',
      (of) => {
        of.controlPlanes.push(wds('wds2'));
        of.deployments.set('other', {
          metadata: { name: 'transport-controller', namespace: 'wds2-system' },
          spec: { replicas: 1 },
        });
      },
      failsWith({
        code: 'conflict',
        steps: /-n wds2-system scale deployment transport-controller --replicas 0/,
      }),
    ],
  ];
  for (const [why, change, expected] of cases)
    test(why, () => {
      const of = world();
      change(of);
      return refused(of, expected);
    });
  test('while a Binding has no policy', () => {
    const of = world();
    const kept = of.bindings.get('shop') ?? assert.fail();
    of.policies = of.policies.slice(1);
    const tools = toolsListing(of, (kind) => (kind === 'Binding' ? [kept] : undefined));
    return refused(of, { code: 'conflict', message: /its Binding is not/ }, { tools });
  });
  test('while nothing shows what it has sent', () => {
    const of = world();
    const tools = toolsListing(of, (_, context) => {
      if (context === 'its1') throw new StellarError('unreachable', 'its1 does not answer');
      return undefined;
    });
    const why = /cannot be read: its1 does not answer/;
    return refused(of, { code: 'conflict', message: why }, { tools });
  });
  test('without such a WDS', async () => {
    await refused(world(), { code: 'not-found' }, { name: 'wds2' });
    const why = { code: 'not-found', message: /its1 is an ITS/ };
    await refused(world(), why, { name: 'its1' });
  });
});

describe('the note', () => {
  test('holds 500 Bindings', async () => {
    const of = world();
    const name = 'n'.repeat(60);
    of.policies = Array.from({ length: 500 }, (_, index) => of.policy(`${name}${index}`));
    of.objects = of.policies.map(({ metadata }) => of.object(metadata.name, metadata.name));
    time.clock.ms += 1_000;
    of.interruptAt = 1;
    await restart(of);
    const note = readNote(of.controlPlane);
    assert.equal(Object.keys(note?.bindings ?? {}).length, 500);
    assert.ok(Buffer.byteLength(of.note ?? '') < 128 * 1024, `${of.note?.length} bytes`);
    assert.match(String(note?.by), /^ann on /);
  });
  test('does not depend on the order or the versions of objects', () => {
    const objects = ['a', 'b'].map((name) => ({
      resource: 'configmaps',
      name,
      resourceVersion: name,
    }));
    const other = [...objects].reverse().map((object) => ({ ...object, resourceVersion: '7' }));
    assert.deepEqual(noteBinding(['w1', 'w2'], objects), noteBinding(['w2', 'w1'], other));
    assert.notDeepEqual(noteBinding([], objects), noteBinding([], objects.slice(1)));
  });
  test('explains a stopped transport', async () => {
    const of = world({ fillsAfter: 400_000 });
    await restart(of, 30_000);
    const verdict = transportPaused(
      of.controlPlane,
      of.deployments.get('transport-controller'),
      'kind-kubeflex',
    );
    assert.match(
      JSON.stringify(verdict),
      /transport-paused.*wds restart wds1 --hosting-context kind-kubeflex/,
    );
    assert.match(JSON.stringify(verdict), /paused since 2026-11-20T\S+Z by a restart that ann on /);
    assert.equal(transportPaused(wds('wds1'), undefined, 'x'), undefined);
  });
  test('of hand-made text counts as none', () => {
    const controlPlane = wds('wds1');
    controlPlane.metadata.annotations = { 'stellarctl.kubestellar.io/restart': 'nonsense' };
    assert.equal(readNote(controlPlane), undefined);
  });
});

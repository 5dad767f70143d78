import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { describeReturned } from '../../../../src/commands/workload/status.ts';
import { noForecast } from '../../../../src/lib/forecast/read-forecast.ts';
import { hidden } from '../../../../src/lib/kube/access.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import type { Wds } from '../../../../src/lib/spaces/choose/open-wds.ts';
import { getReturned } from '../../../../src/lib/workloads/delivery/returned.ts';
import { createReported } from '../../../../src/lib/workloads/selection/create-object.ts';
import {
  type CollectorRequest,
  collectorSpec,
  deleteCollector,
  listCollectors,
} from '../../../../src/lib/workloads/status/change-collector.ts';
import type { CollectorSpec } from '../../../../src/lib/workloads/status/returned-status.ts';
import { hurry } from '../../support/fake-time.ts';
import { soon } from '../../support/space-builders.ts';
import { stepsOf } from '../../support/steps.ts';
import { WorkloadCluster } from '../../support/workload-cluster.ts';
import { openWds } from './open-wds.ts';

type Typed = KubeObject & { kind?: string };

/**
 * The result of KubeStellar 0.30's controllers for three collectors, one of them broken, and a policy that names a fourth, after 14
 * s.
 */
const record = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'fixtures/collectors.json'), 'utf8'),
) as Record<'policies' | 'collectors' | 'combined' | 'workStatuses', Typed[]>;

const as = (kind: string, objects: Typed[]): Typed[] =>
  objects.map((object) => ({ ...object, kind }));

function wdsWith(objects: Typed[], its: Typed[] | null = []): Wds & { cluster: WorkloadCluster } {
  const cluster = new WorkloadCluster(objects);
  const changes: Partial<Wds> = { name: 'wdsh', context: 'wdsh', type: 'host' };
  if (its === null) changes.its = hidden('no access');
  return { ...openWds(cluster.kube, new WorkloadCluster(its ?? []).kube, changes), cluster };
}

const recorded = (): Typed[] => [
  ...as('BindingPolicy', record.policies),
  ...as('StatusCollector', record.collectors),
  ...as('CombinedStatus', record.combined),
];

const harmless = async () => noForecast;

describe('returned status', () => {
  const now = Date.parse('2026-11-20T15:20:00Z');
  const web = { kind: 'deployments', namespace: 't4', name: 'web' };
  const deployed: Typed = { kind: 'Deployment', metadata: { name: 'web', namespace: 't4' } };

  test('is shown by WEC, and as the tables of collectors', async () => {
    const { view, errors } = await getReturned(
      web,
      wdsWith([...recorded(), deployed], as('WorkStatus', record.workStatuses)),
    );
    assert.deepEqual(
      view.wecs?.map(({ wec, status }) => [wec, status?.availableReplicas]),
      [
        ['cluster1', 1],
        ['cluster2', 1],
      ],
    );
    assert.deepEqual(view.combined, [
      {
        ...{ policy: 't4', collector: 't4-list', columns: ['wec', 'replicas'] },
        rows: [
          ['cluster1', 1],
          ['cluster2', 1],
        ],
      },
      { policy: 't4', collector: 't4-sum', columns: ['sum', 'count'], rows: [[2, 2]] },
    ]);
    assert.deepEqual(errors, []);
    const lines = describeReturned(view, now);
    assert.match(lines[1] ?? '', /cluster1 +1\/1 available/);
    assert.ok(lines.includes('t4-sum (policy t4)'), lines.join('\n'));
  });

  test('names the WECs of its Binding that have returned nothing', async () => {
    const binding = {
      ...{ kind: 'Binding', metadata: { name: 't4' } },
      spec: {
        destinations: ['cluster1', 'cluster2', 'cluster3'].map((clusterId) => ({ clusterId })),
        workload: {
          namespaceScope: [
            { group: 'apps', version: 'v1', resource: 'deployments', namespace: 't4', name: 'web' },
          ],
        },
      },
    } as Typed;
    const objects = [...recorded(), deployed, binding];
    const { view } = await getReturned(
      web,
      wdsWith(objects, as('WorkStatus', record.workStatuses)),
    );
    assert.deepEqual(view.wecs?.at(-1), { wec: 'cluster3', status: null, unavailableSince: null });
    assert.match(describeReturned(view, now).join('\n'), /^ +cluster3 +no status yet$/m);
  });

  test('of a WEC that is not available may be old', async () => {
    const lastTransitionTime = '2026-11-20T15:00:00Z';
    const conditions = [
      { type: 'ManagedClusterConditionAvailable', status: 'Unknown', lastTransitionTime },
    ];
    const dead = {
      kind: 'ManagedCluster',
      metadata: { name: 'cluster1' },
      status: { conditions },
    } as Typed;
    const inIts = [...as('WorkStatus', record.workStatuses), dead];
    const { view } = await getReturned(web, wdsWith([...recorded(), deployed], inIts));
    assert.deepEqual(
      view.wecs?.map(({ unavailableSince }) => unavailableSince),
      [lastTransitionTime, null],
    );
    assert.match(
      describeReturned(view, now)[1] ?? '',
      /1\/1 available\b.* may be old: not available for 20m$/,
    );
  });

  test('is unseen, and not absent, without the ITS', async () => {
    const { view, errors } = await getReturned(web, wdsWith([...recorded(), deployed], null));
    assert.deepEqual([view.wecs, view.why, view.combined.length], [null, 'no access', 2]);
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['unreachable'],
    );
  });

  test('of another object of that name is separate', async () => {
    const other = { ...web, namespace: 'other' };
    const { view, errors } = await getReturned(
      other,
      wdsWith([], as('WorkStatus', record.workStatuses)),
    );
    assert.deepEqual(
      [view.wecs, view.combined, errors.map(({ code }) => code)],
      [[], [], ['not-found']],
    );
    assert.match(describeReturned(view, now).join('\n'), /no WEC has returned/);
  });
});

describe('status collectors', () => {
  test('are listed with their users and errors', async () => {
    const items = await listCollectors(wdsWith(recorded()));
    assert.deepEqual(
      items.map(({ name, usedBy, columns, errors }) => [name, usedBy, columns, errors.length]),
      [
        ['t4-bad', [], [], 1],
        ['t4-list', ['t4'], ['wec', 'replicas'], 0],
        ['t4-sum', ['t4'], ['sum', 'count'], 0],
      ],
    );
  });

  const spec = (changes: Partial<CollectorRequest>) =>
    collectorSpec({ column: [], groupBy: [], combine: [], ...changes });

  test('are written as requested', () => {
    assert.deepEqual(spec({ column: ['a=inventory.name', 'b=obj.x == "y"'], limit: 3 }), {
      select: [
        { name: 'a', def: 'inventory.name' },
        { name: 'b', def: 'obj.x == "y"' },
      ],
      limit: 3,
    });
    assert.deepEqual(spec({ combine: ['n=COUNT', 's=SUM:returned.status.x'] }).combinedFields, [
      { name: 'n', type: 'COUNT' },
      { name: 's', type: 'SUM', subject: 'returned.status.x' },
    ]);
    assert.equal(spec({ preset: 'replicas' }).select?.length, 3);
  });

  test('but rejected if that is impossible', () => {
    const wrong = [
      {},
      { column: ['x'] },
      { combine: ['n=COUNT:x'] },
      { combine: ['n=MEDIAN:x'] },
      { combine: ['n=SUM'] },
      { preset: 'replicas', groupBy: ['a=b'] },
      { preset: 'replicas', limit: Number.NaN },
      { preset: 'replicas', limit: 0 },
    ];
    for (const changes of [
      ...wrong,
      { preset: 'replicas', column: ['a=b'] },
      { column: ['a=b'], combine: ['n=COUNT'] },
    ])
      assert.throws(
        () => spec(changes as Partial<CollectorRequest>),
        { code: 'usage' },
        JSON.stringify(changes),
      );
  });

  test('are created once, and do not replace another one', async (t) => {
    hurry(t);
    const wds = wdsWith(recorded());
    const list = {
      select:
        record.collectors.map((each) => each as { spec?: { select?: [] } })[1]?.spec?.select ?? [],
    };
    const create = (name: string, given: CollectorSpec) =>
      createReported('collector', { name, spec: given }, wds, harmless, soon());
    assert.equal((await create('t4-list', { ...list, limit: 20 })).changed, false);
    assert.deepEqual(wds.cluster.writes, []);
    const other = spec({ preset: 'conditions' });
    await assert.rejects(create('t4-list', other), { code: 'name-taken' });
    assert.equal((await create('new', other)).changed, true);
  });

  test('are reported as broken once KubeStellar has said so', async () => {
    const wds = wdsWith(recorded());
    const bad = (record.collectors as { metadata: { name: string }; spec?: CollectorSpec }[])[0];
    const { error, changed } = await createReported(
      'collector',
      { name: 't4-bad', spec: bad?.spec ?? {} },
      wds,
      harmless,
      soon(),
    );
    assert.deepEqual(
      [error?.code, changed, stepsOf(error)],
      [
        'expression-invalid',
        false,
        'Delete it, then create it again: stellarctl collector delete t4-bad --wds wdsh',
      ],
    );
    assert.match(error?.details.join('\n') ?? '', /^filter expression invalid: failed to parse/);
  });

  test('are not deleted while policies name them', async () => {
    const wds = wdsWith(recorded());
    await assert.rejects(deleteCollector('t4-sum', {}, wds, noForecast, soon()), {
      code: 'has-dependents',
      message: /: t4\./,
    });
    await assert.rejects(deleteCollector('nosuch', {}, wds, noForecast, soon()), {
      code: 'not-found',
    });
    assert.deepEqual(wds.cluster.writes, []);
    assert.equal((await deleteCollector('t4-bad', {}, wds, noForecast, soon())).changed, true);
  });
});

/** What is shown as arrived is so on the WEC, and what differs there is not shown as arrived: each command beside the WEC's own API. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { WorkloadDifference } from '../../../src/lib/workloads/delivery/difference.ts';
import { type AnyObject, crd, type Plane, resources, until } from '../../../testbed/index.ts';
import { resourceOf } from '../support/golden/workload-acts.ts';
import type { Cli } from '../support/harness.ts';
import { deployment } from '../support/trap-scenes.ts';
import { startWds, type WdsBed } from '../support/wds-bed.ts';

let all: WdsBed;
let cli: Cli;
let wds1: Plane;
let w1: Plane;
const at = ['--wds', 'wds1', '--its', 'its1'];
const labels = { app: 'shop' };

const object = (kind: string, name: string, fields: object, apiVersion = 'v1') => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'shop', labels },
  ...fields,
});
const template = (image: string, restartPolicy = 'Always') => ({
  metadata: { labels },
  spec: { restartPolicy, containers: [{ name: 'c', image }] },
});
const named = (of: AnyObject, name: string) => ({
  ...of,
  metadata: { name, namespace: 'shop', labels },
});
const objects: AnyObject[] = [
  object('ConfigMap', 'conf', { data: { a: 'b' } }),
  object('ConfigMap', 'hand', { data: { a: 'b' } }),
  object('ConfigMap', 'theirs', { data: { a: 'b' } }),
  object('ServiceAccount', 'robot', { imagePullSecrets: [{ name: 'old' }] }),
  object('Widget', 'w', { spec: { a: 'b' } }, 'example.com/v1'),
  object(
    'StatefulSet',
    'db',
    { spec: { serviceName: 'db', selector: { matchLabels: labels }, template: template('nginx') } },
    'apps/v1',
  ),
  named(deployment('broken', {}, 'nowhere.example.com/none:1'), 'broken'),
  named(deployment('scaled', {}), 'scaled'),
];
const job = object(
  'Job',
  'run',
  { spec: { template: template('example.com/workloads/done:1', 'Never') } },
  'batch/v1',
);

/** What the commands say of an object, and what is on the WEC. */
interface Row {
  object: string;
  /** `workload get`: done, or the stage, state and code of what blocks it. */
  get: string;
  diff: WorkloadDifference['state'];
  /** The exit code of one look of `workload wait --for equal`. */
  wait: number;
  /** Whether doctor names it. */
  doctor?: true;
  /** A field on the WEC. */
  there: (live: never) => unknown;
  is: unknown;
}

const json = async (line: string) =>
  (await cli.run([...line.split(' '), '-o', 'json', ...at])).json();

async function told({ object: name, there }: Row): Promise<Omit<Row, 'there'>> {
  const [{ done, blockedAt, code }] = (await json(`workload get ${name} -n shop`)).deliveries;
  const [{ state }] = (await json(`workload diff ${name} -n shop`)).items;
  const wait = `workload wait ${name} -n shop --for equal --timeout 0`;
  const { exitCode } = await cli.run([...wait.split(' '), ...at]);
  const { json: report } = await cli.run(['doctor', 'w1', '--its', 'its1', '-o', 'json']);
  const finding = report().items.find(({ id }: { id: string }) => id === 'wec-equal');
  const [kind = '', own = ''] = name.split('/');
  const plural = `${kind}s`;
  const of = [...objects, job].find((each) => each.kind?.toLowerCase() === kind);
  const live = await w1.admin.get({ ...resourceOf(of ?? assert.fail()), plural }, `shop/${own}`);
  return {
    object: name,
    get: done ? 'done' : `${blockedAt.stage} ${blockedAt.state} ${code}`,
    diff: state,
    wait: exitCode,
    ...(finding.cause?.includes(` shop/${own}:`) && { doctor: true }),
    is: there(live as never),
  };
}

before(async () => {
  all = await startWds(['w1'], { type: 'host', hasAddon: true });
  ({ cli, wds1 } = all);
  w1 = all.bed.plane('w1');
  const widgets = crd({ group: 'example.com', versions: ['v1'], kind: 'Widget' });
  await wds1.admin.create(resources.customResourceDefinitions, {
    ...widgets,
    metadata: { ...widgets.metadata, labels },
  });
  // Somebody else's.
  await w1.admin.create(resources.namespaces, { metadata: { name: 'shop' } });
  await w1.admin.create(resources.configMaps, {
    metadata: { name: 'theirs', namespace: 'shop' },
    data: { a: 'mine', own: 'yes' },
  } as never);
  await wds1.admin.create(resources.namespaces, { metadata: { name: 'shop', labels } });
  for (const each of [...objects, job]) await wds1.admin.create(resourceOf(each), each);
});

after(() => all?.stop());

describe('what is shown as arrived', { concurrency: 1 }, () => {
  it('is asked for, where it is an object of somebody else', async () => {
    // As for an autoscaler: an API server writes replicas into what the WDS has.
    const transform = ['transform', 'create', 'scaled', '--select', 'deploy'];
    await cli.succeed([...transform, '--remove', '$.spec.replicas', ...at]);
    const kinds = 'namespaces,crd,configmaps,serviceaccounts,widgets,deployments,statefulsets';
    const { exitCode, stderr } = await cli.run(
      `policy create shop --clusters tier=web --select ${kinds} -l app=shop --yes --allow-errors --wds wds1 --its its1`.split(
        ' ',
      ),
    );
    assert.match(stderr, /ConfigMap shop\/theirs/);
    assert.equal(exitCode, 0, stderr);
    await cli.succeed([
      ...['policy', 'create', 'jobs', '--clusters', 'tier=web', '--select', 'jobs'],
      ...['-l', 'app=shop', '--create-only', '--yes', ...at],
    ]);
    await until(
      async () => (await json('workload get widget/w -n shop')).deliveries[0].code !== null,
      'the agent lacks a right',
    );
    await until(async () => {
      const grant = ['wec', 'grant', 'w1', '--from-errors', '--its', 'its1', '--yes'];
      const { stdout: said } = await cli.run(grant);
      return /has the rights/.test(said);
    }, 'the rights');
    for (const policy of ['shop', 'jobs'])
      await cli.succeed(['policy', 'wait', policy, '--timeout', '2m', ...at]);
  });

  const data = ({ data: of }: { data: object }) => of;
  const well = { get: 'done', diff: 'equal', wait: 0 } as const;
  const healthy: Row[] = [
    { ...well, object: 'configmap/conf', there: data, is: { a: 'b' } },
    { ...well, object: 'configmap/theirs', there: data, is: { a: 'b' } },
    { ...well, object: 'widget/w', there: ({ spec }) => spec, is: { a: 'b' } },
    {
      ...well,
      object: 'serviceaccount/robot',
      there: ({ imagePullSecrets: of }) => of,
      is: [{ name: 'old' }],
    },
    {
      ...well,
      object: 'statefulset/db',
      there: ({ spec: { podManagementPolicy: of } }) => of,
      is: 'OrderedReady',
    },
    { ...well, object: 'job/run', there: ({ status: { succeeded } }) => succeeded, is: 1 },
    { ...well, object: 'deployment/scaled', there: ({ spec: { replicas } }) => replicas, is: 1 },
    {
      object: 'deployment/broken',
      ...{ get: 'available waiting replicas-missing', diff: 'equal', wait: 3 },
      there: ({ status: { availableReplicas = 0 } }) => availableReplicas,
      is: 0,
    },
  ];
  for (const row of healthy)
    it(`is there: ${row.object}`, async () => {
      const { there, ...expected } = row;
      await until(async () => {
        const { get, is } = await told(row);
        return get === row.get && JSON.stringify(is) === JSON.stringify(row.is);
      }, row.object).catch(() => undefined);
      assert.deepEqual(await told(row), expected);
    });

  const differing: (Row & { change: () => Promise<unknown> })[] = [
    {
      object: 'deployment/scaled',
      change: () => w1.admin.patch(resources.deployments, 'shop/scaled', { spec: { replicas: 2 } }),
      ...well,
      there: ({ spec: { replicas } }) => replicas,
      is: 2,
    },
    {
      object: 'configmap/hand',
      change: () => w1.admin.patch(resources.configMaps, 'shop/hand', { data: { a: 'hand' } }),
      ...{ get: 'equal waiting differs-on-wec', diff: 'different', wait: 3 },
      there: data,
      is: { a: 'hand' },
    },
  ];
  for (const { change, ...row } of differing)
    it(`is as it is on the WEC: ${row.object}`, async () => {
      const { there, ...expected } = row;
      await change();
      await until(async () => (await told(row)).get === row.get, row.object).catch(() => undefined);
      assert.deepEqual(await told(row), expected);
    });

  it('is equal again, once the agent has written it', { timeout: 600_000 }, async () => {
    const wait = 'workload wait configmap/hand -n shop --for equal --timeout 7m';
    await cli.succeed([...wait.split(' '), ...at]);
    const { data: now } = await w1.admin.get<AnyObject & { data: object }>(
      resources.configMaps,
      'shop/hand',
    );
    assert.deepEqual(now, { a: 'b' });
  });
});

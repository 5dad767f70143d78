/** What is applied is compared with what is on the WEC: no difference where there is none, and each that OCM's agent leaves. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { WorkloadDifference } from '../../../src/lib/workloads/delivery/difference.ts';
import { type AnyObject, type Plane, resources, until } from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { startWds, type WdsBed } from '../support/wds-bed.ts';
import { typeIn } from '../support/workload-traps.ts';

let all: WdsBed;
let cli: Cli;
let wds1: Plane;
let w1: Plane;
const at = ['--wds', 'wds1', '--its', 'its1'];
const labels = { app: 'shop' };
const inShop = { namespace: 'shop', labels };

const objects: AnyObject[] = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'conf', ...inShop, labels: { ...labels, tracked: 'yes' } },
    data: { a: 'b' },
  },
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'robot', ...inShop },
    imagePullSecrets: [{ name: 'old' }],
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'key', ...inShop },
    stringData: { password: 'first' },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', ...inShop },
    spec: { selector: labels, ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', ...inShop },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: 'web',
              image: 'registry.k8s.io/pause:3.10',
              resources: { requests: { cpu: '1000m', memory: '1024Mi' } },
            },
          ],
        },
      },
    },
  },
] as never;

before(async () => {
  all = await startWds(['w1'], { type: 'host', hasAddon: true });
  ({ cli, wds1 } = all);
  w1 = all.bed.plane('w1');
  await wds1.admin.create(resources.namespaces, { metadata: { name: 'shop', labels } });
  for (const object of objects) await wds1.admin.create(resources.resourceOf(object), object);
  await cli.type('policy create shop --clusters tier=web -l app=shop --wds wds1 --its its1');
  await cli.type('policy wait shop --timeout 2m --wds wds1 --its its1');
});

after(() => all?.stop());

async function diff(...words: string[]) {
  const run = await cli.run(['workload', 'diff', ...words, '-o', 'json', ...at]);
  const { items } = JSON.parse(run.stdout) as { items: WorkloadDifference[] };
  return { run, items, differing: items.filter(({ state }) => state !== 'equal') };
}

describe('what is applied', () => {
  it('is equal: defaults, quantities and what servers set are no differences', async () => {
    const { run, items, differing } = await diff('--exit-code');
    assert.deepEqual(differing, []);
    assert.equal(run.exitCode, 0);
    const kinds = new Set(items.map(({ kind }) => kind));
    assert.ok(objects.every(({ kind = '' }) => kinds.has(kind)));
    await cli.type('workload wait deployment/web -n shop --for equal --wds wds1 --its its1');
  });

  it('differs where somebody changes it on the WEC, with who did', async () => {
    await w1.admin.patch(resources.deployments, 'shop/web', { spec: { replicas: 3 } });
    const { run, differing } = await diff('deployment/web', '-n', 'shop', '--exit-code');
    const [{ state, differs } = assert.fail()] = differing;
    const [{ field, work, wec, by } = assert.fail()] = differs;
    assert.deepEqual([state, field, work, wec], ['different', 'spec.replicas', 1, 3]);
    assert.ok(by);
    assert.equal(run.exitCode, 5);
    const { json } = await cli.run(
      'workload get deployment/web -n shop -o json --wds wds1 --its its1'.split(' '),
    );
    const [{ code, blockedAt }] = json().deliveries;
    assert.deepEqual(
      [code, blockedAt.stage, blockedAt.state],
      ['differs-on-wec', 'equal', 'waiting'],
    );
  });

  it('shows no value of a Secret', async () => {
    await w1.admin.patch(resources.secrets, 'shop/key', { stringData: { password: 'mine' } });
    const { run, differing } = await diff('secret/key', '-n', 'shop');
    assert.deepEqual(
      differing[0]?.differs.map(({ field }) => field),
      ['data.password'],
    );
    assert.doesNotMatch(run.stdout, /first|mine|Zmlyc3Q|bWluZQ/);
  });

  it('is missing where it was deleted', async () => {
    await w1.admin.delete(resources.services, 'shop/web');
    const { differing } = await diff('service/web', '-n', 'shop');
    assert.equal(differing[0]?.state, 'missing');
  });

  it('keeps a label that the work no longer has, and the pull secret from before', async () => {
    const gone = { metadata: { labels: { tracked: null } } };
    await wds1.admin.patch(resources.configMaps, 'shop/conf', gone as never);
    const pull = { imagePullSecrets: [{ name: 'new' }] };
    await wds1.admin.patch(resources.serviceAccounts, 'shop/robot', pull as never);
    await until(
      async () => (await diff('serviceaccount/robot', '-n', 'shop')).differing.length > 0,
      'the work says so',
    );
    await cli.type('policy wait shop --timeout 2m --wds wds1 --its its1');
    await until(
      async () => (await diff('configmap/conf', '-n', 'shop')).differing.length > 0,
      'the label is left over',
    );
    const { differing } = await diff('configmap/conf', '-n', 'shop');
    assert.deepEqual(
      [differing[0]?.left, differing[0]?.differs],
      [['metadata.labels.tracked'], []],
    );
    const robot = (await diff('serviceaccount/robot', '-n', 'shop')).differing[0];
    assert.match(robot?.differs.map(({ field }) => field).join() ?? '', /imagePullSecrets/);
    const wait = ['workload', 'wait', 'serviceaccount/robot', '-n', 'shop', '--for', 'equal'];
    const { exitCode, stderr } = await cli.run([...wait, '--timeout', '0', ...at]);
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, /kubectl --context w1 -n shop patch serviceaccounts robot --patch/);
  });

  it('is found by doctor, and corrected by what is printed', async () => {
    const equality = async () => {
      const { json } = await cli.run(['doctor', 'w1', '--its', 'its1', '-o', 'json']);
      return json().items.find(({ id }: { id: string }) => id === 'wec-equal');
    };
    const { code, cause, command } = await equality();
    assert.equal(code, 'differs-on-wec');
    assert.match(cause, /ConfigMap shop\/conf: it differs there: metadata\.labels\.tracked/);
    assert.match(command, /^kubectl --context w1 -n shop /);
    for (const { next } of (await diff()).differing) if (next !== null) await typeIn(cli, next);
    assert.equal((await equality()).status, 'pass');
    const names = (await diff()).differing.map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => name === 'conf' || name === 'robot'),
      [],
    );
  });
});

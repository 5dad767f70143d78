/** What would take workloads away by a label, a property or a collector is refused, on KubeStellar's own controllers. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyObject, type Plane, resources, until } from '../../../testbed/index.ts';
import { startWds, type WdsBed } from '../support/wds-bed.ts';
import { web } from '../support/workloads.ts';

let all: WdsBed;
let wds1: Plane;
const at = '--wds wds1 --its its1';

before(async () => {
  all = await startWds(['w1', 'w2', 'w3'], { hasAddon: true, wecs: ['w1', 'w2'] });
  ({ wds1 } = all);
});

after(() => all?.stop());

const type = (line: string) => all.cli.type(line);
const run = (line: string) => all.cli.run(line.split(' '));

/** A Namespace with objects in the WDS, which a policy sends. */
async function send(name: string, clusters: string, objects: AnyObject[], more = '') {
  const labels = { app: name };
  await wds1.admin.create(resources.namespaces, { metadata: { name, labels } });
  for (const { metadata, ...rest } of objects)
    await wds1.admin.create(resources.resourceOf(rest as AnyObject), {
      ...rest,
      metadata: { ...metadata, namespace: name, labels },
    } as AnyObject);
  await all.cli.succeed([
    ...['policy', 'create', name, '--clusters', clusters, '-l', `app=${name}`],
    ...`${more} ${at} --yes`.trim().split(' '),
  ]);
}

const configMap = (data: object, annotations = {}): AnyObject =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'conf', annotations }, data }) as never;
const templated = { 'control.kubestellar.io/expand-templates': 'true' };

/** The UIDs of a Namespace on a WEC, of what is in it, and of an object of somebody else there. */
async function uidsOn(wec: string, namespace: string): Promise<string[]> {
  const { admin } = all.bed.plane(wec);
  const space = await admin.find<AnyObject>(resources.namespaces, namespace);
  const lists = await Promise.all(
    [resources.configMaps, resources.deployments].map((kind) =>
      admin.list<AnyObject>(kind, { namespace }),
    ),
  );
  return [space, ...lists.flatMap(({ items }) => items)].flatMap((each) =>
    each === undefined || each.metadata.deletionTimestamp !== undefined
      ? []
      : `${each.metadata.name} ${each.metadata.uid}`,
  );
}

/** Waits until a policy has arrived, then somebody else writes an object into its Namespace. */
async function arrived(wec: string, namespace: string) {
  const isThere = async () =>
    (await uidsOn(wec, namespace)).some((line) => /^(api|conf|web) /.test(line));
  await until(isThere, `${namespace} on ${wec}`);
  await all.bed
    .plane(wec)
    .admin.create(resources.configMaps, { metadata: { namespace, name: 'of-somebody-else' } });
  return uidsOn(wec, namespace);
}

/** What KubeStellar and the agents would have done by then, they have done. */
const settled = () => sleep(20_000);

describe('what is on the WECs stays where a command is refused:', () => {
  it('a label by whose absence a policy selects', async () => {
    await send('pay', '!quarantine', [configMap({ a: 'b' })]);
    const before = [await arrived('w1', 'pay'), await arrived('w2', 'pay')];
    const asked = await run('label --all quarantine=true --its its1');
    assert.equal(asked.exitCode, 1, asked.stderr);
    assert.match(asked.stderr, /pay \(wds1\) will stop selecting w1, w2/);
    const limited = await run('label --all quarantine=true --its its1 --yes');
    assert.match(limited.stderr, /2 WECs would lose objects, more than 1/);
    await settled();
    assert.deepEqual([await uidsOn('w1', 'pay'), await uidsOn('w2', 'pay')], before);
  });

  it('a label by which a WEC is selected that lacks a property, also of a WEC that joins', async () => {
    await type('wec properties w1 region=eu --its its1');
    await type('label w1 env=prod --its its1');
    await send('conf', 'env=prod', [configMap({ region: '{{.region}}' }, templated)]);
    const before = await arrived('w1', 'conf');
    const labelled = await run('label w2 env=prod --its its1');
    assert.equal(labelled.exitCode, 1, labelled.stderr);
    assert.match(labelled.stderr, /conf \(wds1\) will lack region of w2/);
    const joined = await run('wec join w3 --its its1 --accept --label env=prod');
    assert.equal(joined.exitCode, 4, joined.stderr);
    assert.match(joined.stderr, /WECs would lose .*conf.* on w1/);
    await settled();
    assert.deepEqual(await uidsOn('w1', 'conf'), before);
    assert.equal(await all.its1.admin.find(resources.managedClusters, 'w3'), undefined);
    await type('wec properties w2 region=us --its its1');
    await type('label w2 env=prod --its its1');
    await until(async () => (await uidsOn('w2', 'conf')).length > 1, 'conf on w2');
  });

  it('a WEC without labels that lacks a property, selected by absence', async () => {
    for (const wec of ['w1', 'w2']) await type(`wec properties ${wec} zone=z --its its1`);
    await send('zones', '!quarantine', [configMap({ zone: '{{.zone}}' }, templated)]);
    const before = [await arrived('w1', 'zones'), await arrived('w2', 'zones')];
    // Already without a mailbox it would stop the policy.
    const refused = await run('wec join w3 --its its1');
    assert.equal(refused.exitCode, 4, refused.stderr);
    assert.match(refused.stderr, /WECs would lose .*zones.* on w1/);
    await settled();
    assert.deepEqual([await uidsOn('w1', 'zones'), await uidsOn('w2', 'zones')], before);
    await all.its1.admin.create(resources.configMaps, {
      metadata: { namespace: 'customization-properties', name: 'w3' },
      data: { zone: 'z' },
    } as AnyObject);
    await type('wec join w3 --its its1');
    await type('accept w3 --its its1');
    await until(async () => (await uidsOn('w3', 'zones')).length > 1, 'zones on w3');
    assert.deepEqual([await uidsOn('w1', 'zones'), await uidsOn('w2', 'zones')], before);
  });

  it('a label that brings namesakes together whose statuses KubeStellar confuses', async () => {
    await type('label w1 a=1 --its its1');
    await type('label w2 b=1 --its its1');
    await type(`collector create replicas --preset replicas ${at}`);
    await send('s1', 'a=1', [web()], '--status replicas');
    await send('s2', 'b=1', [web()]);
    const before = [await arrived('w1', 's1'), await arrived('w2', 's2')];
    const refused = await run('label w2 a=1 --its its1');
    assert.equal(refused.exitCode, 4, refused.stderr);
    assert.match(
      refused.stderr,
      /on w2, KubeStellar would confuse the statuses of Deployment s1\/web and Deployment s2\/web, and crash/,
    );
    await settled();
    assert.deepEqual([await uidsOn('w1', 's1'), await uidsOn('w2', 's2')], before);
  });

  it('a collector that a policy names already, and that would confuse the statuses of namesakes', async () => {
    const api = () => ({ ...web(), metadata: { name: 'api' } });
    await type('label w1 c=1 --its its1');
    await send('n1', 'c=1', [api()]);
    await send('n2', 'c=1', [api()]);
    await wds1.admin.patch(resources.bindingPolicies, 'n1', {
      spec: {
        downsync: [
          { objectSelectors: [{ matchLabels: { app: 'n1' } }], statusCollectors: ['later'] },
        ],
      },
    });
    const isNamed = async () => {
      const { items } = await wds1.admin.list<AnyObject>(resources.bindings);
      return JSON.stringify(items).includes('"later"');
    };
    await until(isNamed, 'a Binding that names the collector');
    const before = [await arrived('w1', 'n1'), await arrived('w1', 'n2')];
    const refused = await run(`collector create later --preset replicas ${at}`);
    assert.equal(refused.exitCode, 4, refused.stderr);
    assert.match(
      refused.stderr,
      /on w1, KubeStellar would confuse the statuses of Deployment n1\/api and Deployment n2\/api, and crash/,
    );
    const document = await run(`collector create later --preset replicas ${at} -o json`);
    assert.equal(document.json().error.code, 'loss-unknown');
    await settled();
    assert.deepEqual([await uidsOn('w1', 'n1'), await uidsOn('w1', 'n2')], before);
    const { items } = await wds1.admin.list<AnyObject>(resources.statusCollectors);
    assert.ok(!items.some(({ metadata: { name } }) => name === 'later'));
  });

  it('a label by which an agent would overwrite what somebody else has created', async () => {
    await type('label w2 team=x --its its1');
    await send('team', 'team=x', [configMap({ of: 'wds1' })]);
    await until(async () => (await uidsOn('w2', 'team')).length > 1, 'team on w2');
    const { admin } = all.bed.plane('w1');
    await admin.create(resources.namespaces, { metadata: { name: 'team' } });
    await admin.create(resources.configMaps, {
      metadata: { namespace: 'team', name: 'conf' },
      data: { of: 'somebody else' },
    } as AnyObject);
    const refused = await run('label w1 team=x --its its1');
    assert.equal(refused.exitCode, 4, refused.stderr);
    assert.match(refused.stderr, /team \(wds1\) would overwrite .*ConfigMap team\/conf on w1/);
    await settled();
    const { data } = await admin.get<AnyObject>(resources.configMaps, 'team/conf');
    assert.deepEqual(data, { of: 'somebody else' });
  });
});

it('a refresh ends with the present value, although the transport may have read the earlier one', async () => {
  const { admin } = all.its1;
  const worksOf = async () =>
    (await admin.list<AnyObject>(resources.manifestWorks, { namespace: 'w1' })).items.filter(
      ({ metadata }) =>
        metadata.labels?.['transport.kubestellar.io/originOwnerReferenceBindingKey'] === 'conf',
    );
  const annotation = 'transport.kubestellar.io/originOwnerReferenceBindingGeneration';
  for (let round = 1; round <= 200; round += 1) {
    const works = await worksOf();
    await Promise.all([
      admin.patch(resources.configMaps, 'customization-properties/w1', {
        data: { region: `eu-${round}` },
      }),
      ...works.map(({ metadata: { namespace, name } }) =>
        admin.patch(resources.manifestWorks, `${namespace}/${name}`, {
          metadata: { annotations: { [annotation]: null } },
        }),
      ),
    ]);
    await type(`policy refresh conf ${at}`);
    assert.match(JSON.stringify(await worksOf()), new RegExp(`"region":"eu-${round}"`));
  }
});

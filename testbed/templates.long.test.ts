/** How KubeStellar uses cluster labels: in cluster selectors, and as properties in templates. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bed, bindWorkload, type Plane, type RunningWds, runWds, startBed, until } from './index.ts';
import { Informer } from './kube/informer.ts';
import type { LabelSelector } from './kube/label-selector.ts';
import type { ConfigMap, ManagedCluster, ManifestWork } from './kube/objects.ts';
import { bindingPolicies, bindings, configMaps, managedClusters, manifestWorks, namespaces } from './kube/resources.ts';
import type { Binding, BindingPolicy } from './kubestellar/bindings.ts';

const expanding = { 'control.kubestellar.io/expand-templates': 'true' };
const missingRegion =
  'template: m1/ConfigMap(shop/settings).data.region:1:2: executing "m1/ConfigMap(shop/settings).data.region" ' +
  'at <.region>: map has no entry for key "region"';

/** Nothing may happen in this time. */
const settling = 2_000;

let bed: Bed;
let its: Plane;
let wds: Plane;
let controllers: RunningWds;

before(async () => {
  bed = await startBed({ planes: [{ name: 'its1', hub: true }, { name: 'wds1' }], log: console.error });
  [its, wds] = [bed.plane('its1'), bed.plane('wds1')];
  controllers = await runWds(wds, its);
  for (const [name, labels] of Object.entries(recordedClusters)) {
    await its.admin.create<ManagedCluster>(managedClusters, {
      metadata: { name, labels, ...(name === 'm4' && { finalizers: ['example.com/hold'] }) },
      spec: { hubAcceptsClient: true },
    });
  }
  for (const name of Object.keys(recordedClusters))
    await until(async () => (await its.admin.find(namespaces, name)) !== undefined, `there is a mailbox of ${name}`);
});

after(() => bed?.stop());

/** m4 is being deleted. */
const recordedClusters: Record<string, Record<string, string>> = {
  m1: { env: 'prod', region: 'eu' },
  m2: { env: 'dev' },
  m3: { other: 'z' },
  m4: { env: 'prod', gone: 'soon' },
};

describe('the selectors of clusters', () => {
  const cases: [string, LabelSelector[], string[]][] = [
    ['none', [], []],
    ['empty-selector', [{}], ['m1', 'm2', 'm3', 'm4']],
    ['or', [{ matchLabels: { env: 'dev' } }, { matchLabels: { region: 'eu' } }], ['m1', 'm2']],
    ['and-in-one', [{ matchLabels: { env: 'prod', region: 'eu' } }], ['m1']],
    ['in', [{ matchExpressions: [{ key: 'env', operator: 'In', values: ['prod', 'dev'] }] }], ['m1', 'm2', 'm4']],
    ['notin', [{ matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['prod'] }] }], ['m2', 'm3']],
    ['exists', [{ matchExpressions: [{ key: 'env', operator: 'Exists' }] }], ['m1', 'm2', 'm4']],
    ['doesnotexist', [{ matchExpressions: [{ key: 'env', operator: 'DoesNotExist' }] }], ['m3']],
    ['name-label', [{ matchLabels: { name: 'm1' } }], []],
  ];

  it('select as recorded, including clusters that are being deleted or unreachable', async () => {
    await its.admin.delete(managedClusters, 'm4');
    for (const [name, selectors] of cases) await createPolicy(name, selectors);
    for (const [name, , wanted] of cases) {
      const policy = () => wds.admin.get<BindingPolicy>(bindingPolicies, name);
      await until(async () => (await policy()).status?.observedGeneration !== undefined, `${name} is observed`);
      // Without a WEC, and here without objects, there is no Binding.
      const isBound = (await wds.admin.find(bindings, name)) !== undefined;
      assert.deepEqual(isBound ? await destinationsOf(name) : [], wanted, name);
      await wds.admin.delete(bindingPolicies, name);
    }
  });

  it('are rejected with an invalid operator or value', async () => {
    const near = { key: 'env', operator: 'Near' as 'In', values: ['x'] };
    await assert.rejects(createPolicy('near', [{ matchExpressions: [near] }]), /should match '\^\(In\|NotIn\|Exists/);
    await assert.rejects(createPolicy('value', [{ matchLabels: { env: 'not valid!' } }]), /should match/);
  });
});

describe('a template', () => {
  const settings = {
    metadata: { name: 'settings', namespace: 'shop', labels: { app: 'shop' }, annotations: expanding },
    data: { region: '{{.region}}', cluster: 'is {{ .clusterName }}' },
  };

  before(async () => {
    await wds.admin.create(namespaces, { metadata: { name: 'shop', labels: { app: 'shop' } } });
    await wds.admin.create<ConfigMap>(configMaps, settings);
  });

  /** As recorded: a policy over two clusters by one label, and an object that expands another. */
  beforeEach(async () => {
    for (const name of ['m1', 'm2'])
      await patch(name, { labels: { tier: 'web', region: `eu-${name}` }, annotations: { region: null, tier: null } });
    await wds.admin.ensure<BindingPolicy>(bindingPolicies, {
      metadata: { name: 'shop' },
      spec: {
        clusterSelectors: [{ matchLabels: { tier: 'web' } }],
        downsync: [{ resources: ['configmaps'], objectSelectors: [{ matchLabels: { app: 'shop' } }] }],
      },
    });
    await until(async () => (await works('m1')).length + (await works('m2')).length === 2, 'both have it');
    await until(async () => (await destinationsOf('shop')).join() === 'm1,m2', 'the Binding names both');
  });

  it('has values from the ConfigMap, the annotations, the labels, in that order, and the name of the cluster', async () => {
    assert.deepEqual(await expandedOn('m1'), { region: 'eu-m1', cluster: 'is m1' });
    const before = await uidOn('m2');
    await patch('m2', { annotations: { region: 'annotated', 'not.an.identifier': 'x', type: 'y' } });
    await wds.admin.patch(configMaps, 'shop/settings', { data: { region: '{{.region}}!' } });
    await until(async () => (await expandedOn('m2')).region === 'annotated!', 'm2 has the annotation');
    await its.admin.ensure<ConfigMap>(configMaps, {
      metadata: { name: 'm2', namespace: 'customization-properties' },
      data: { region: 'configured' },
    });
    await wds.admin.patch(configMaps, 'shop/settings', { data: { region: '{{.region}}' } });
    await until(async () => (await expandedOn('m2')).region === 'configured', 'm2 has the ConfigMap');
    assert.equal(await uidOn('m2'), before);
    await its.admin.delete(configMaps, 'customization-properties/m2');
  });

  it('that loses a property with the label of the policy removes the works of every cluster', async () => {
    const before = await uidOn('m2');
    const seen: string[] = [];
    const watching = new AbortController();
    const onChange = ({ status }: Binding) => seen.push(...(status?.errors ?? []));
    await new Informer<Binding>(wds.admin, bindings, { onChange }, watching.signal).synced;
    await patch('m1', { labels: { region: null, tier: null } });
    await until(async () => {
      const uid = await uidOn('m2');
      return uid !== undefined && uid !== before;
    }, 'm2 has another work');
    watching.abort();
    assert.deepEqual([...new Set(seen)], [missingRegion]);
    assert.deepEqual(await works('m1'), []);
    await until(async () => (await bindingErrors()).length === 0, 'all is well');
  });

  it('that finds the property in an annotation keeps the works of other clusters', async () => {
    const before = await uidOn('m2');
    const annotations = { region: 'eu-m1', tier: 'web' };
    await patch('m1', { labels: { region: null, tier: null }, annotations });
    await until(async () => (await works('m1')).length === 0, 'm1 has no work');
    await sleep(settling);
    assert.equal(await uidOn('m2'), before);
  });

  it('that no transport controller sees keeps every work', async () => {
    controllers.stopTransport();
    const before = [await uidOn('m1'), await uidOn('m2')];
    await patch('m1', { labels: { region: null, tier: null } });
    await until(async () => (await destinationsOf('shop')).join() === 'm2', 'the Binding names m2 only');
    await sleep(settling);
    assert.deepEqual([await uidOn('m1'), await uidOn('m2')], before);
    controllers.stop();
    controllers = await runWds(wds, its);
    await until(async () => (await works('m1')).length === 0, 'm1 has no work');
  });

  it('with a missing property blocks the whole policy, which reports it', async () => {
    await patch('m1', { labels: { region: null } });
    await until(async () => (await works('m1')).length + (await works('m2')).length === 0, 'nothing is left');
    await until(async () => {
      const { status } = await wds.admin.get<BindingPolicy>(bindingPolicies, 'shop');
      return status?.errors?.join() === missingRegion;
    }, 'the policy says so');
  });

  it('does the same if the test bed provides the WDS as well', async () => {
    const manifests = [{ apiVersion: 'v1', kind: 'ConfigMap', ...settings }];
    const transport = bindWorkload(its, { policy: 'played', matchLabels: { tier: 'web' }, manifests });
    await until(async () => (await works('m1', 'played')).length === 1, 'both have it');
    const before = await uidOn('m2', 'played');
    await patch('m1', { labels: { region: null, tier: null } });
    await until(async () => ![undefined, before].includes(await uidOn('m2', 'played')), 'm2 has another work');
    assert.deepEqual(await works('m1', 'played'), []);
    transport.stop();
  });
});

async function createPolicy(name: string, clusterSelectors: LabelSelector[]): Promise<void> {
  const downsync = [{ objectSelectors: [{ matchLabels: { app: 'one' } }] }];
  await wds.admin.create<BindingPolicy>(bindingPolicies, { metadata: { name }, spec: { clusterSelectors, downsync } });
}

async function patch(cluster: string, metadata: object): Promise<void> {
  await its.admin.patch(managedClusters, cluster, { metadata });
}

async function destinationsOf(policy: string): Promise<string[]> {
  const { spec } = await wds.admin.get<Binding>(bindings, policy);
  return (spec.destinations ?? []).map(({ clusterId }) => clusterId).sort();
}

async function bindingErrors(): Promise<string[]> {
  return (await wds.admin.get<Binding>(bindings, 'shop')).status?.errors ?? [];
}

async function works(cluster: string, policy = 'shop'): Promise<ManifestWork[]> {
  const labelSelector = `transport.kubestellar.io/originOwnerReferenceBindingKey=${policy}`;
  return (await its.admin.list<ManifestWork>(manifestWorks, { namespace: cluster, labelSelector })).items;
}

async function uidOn(cluster: string, policy?: string): Promise<string | undefined> {
  return (await works(cluster, policy))[0]?.metadata.uid;
}

async function expandedOn(cluster: string): Promise<Record<string, string>> {
  const manifest = (await works(cluster))[0]?.spec.workload.manifests[0];
  return (manifest?.data ?? {}) as Record<string, string>;
}

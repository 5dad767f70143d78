/** What KubeStellar's controllers do, and say nowhere: seen on the real ones, or read in their source. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bed, type Plane, type RunningWds, runWds, startBed, until } from './index.ts';
import { isTrue } from './kube/conditions.ts';
import type { AnyObject, Condition, ConfigMap, KubeObject, ManagedCluster, ManifestWork } from './kube/objects.ts';
import {
  bindingPolicies,
  bindings,
  configMaps,
  customResourceDefinitions,
  managedClusters,
  manifestWorks,
  namespaces,
} from './kube/resources.ts';
import type { Binding, BindingPolicy } from './kubestellar/bindings.ts';
import { crd } from './ocm/crds.ts';

/** Nothing may happen in this time. */
const settling = 2_000;

let bed: Bed;
let its: Plane;
let wds: Plane;
let controllers: RunningWds;

before(async () => {
  bed = await startBed({ planes: [{ name: 'its1', hub: true }, { name: 'wds1' }], log: console.error });
  [its, wds] = [bed.plane('its1'), bed.plane('wds1')];
  await its.admin.create<ManagedCluster>(managedClusters, {
    metadata: { name: 'm1', labels: { env: 'test' } },
    spec: { hubAcceptsClient: true },
  });
  await until(async () => (await its.admin.find(namespaces, 'm1')) !== undefined, 'm1 has a mailbox');
  controllers = await runWds(wds, its);
});

after(() => bed?.stop());

describe('a policy', () => {
  it('gets no Binding, and no message, if a kind is served in two versions', async () => {
    const definition = crd({ group: 'example.com', versions: ['v1', 'v2'], kind: 'Gadget' });
    await wds.admin.create(customResourceDefinitions, definition);
    await until(async () => {
      const { status } = await wds.admin.get<KubeObject & { status?: { conditions?: Condition[] } }>(
        customResourceDefinitions,
        definition.metadata.name,
      );
      return isTrue(status?.conditions, 'Established');
    }, 'the kind is served');
    await namespace('twice');
    const gadgets = { apiVersion: 'example.com/v1', kind: 'Gadget', plural: 'gadgets' };
    await until(
      () =>
        wds.admin
          .create<AnyObject>(gadgets, { metadata: { name: 'g', namespace: 'twice', labels: { app: 'twice' } } })
          .catch(() => undefined),
      'there is a gadget',
    );
    await policy('twice');
    await sleep(settling);
    assert.equal(await wds.admin.find(bindings, 'twice'), undefined);
    assert.equal((await wds.admin.get<BindingPolicy>(bindingPolicies, 'twice')).status, undefined);
    await wds.admin.delete(customResourceDefinitions, definition.metadata.name);
    await until(async () => (await wds.admin.find(bindings, 'twice')) !== undefined, 'it is bound without the kind');
  });

  it('is not observed while an object is too large, and nothing of it is sent', async () => {
    await namespace('large');
    await configMap('large', 'small', 'x');
    await configMap('large', 'large', 'x'.repeat(600_000));
    await policy('large');
    await until(async () => (await wds.admin.find(bindings, 'large')) !== undefined, 'it is bound');
    await sleep(settling);
    const { status } = await wds.admin.get<Binding>(bindings, 'large');
    assert.equal(status?.observedGeneration ?? 0, 0);
    assert.deepEqual(await works('large'), []);
    await wds.admin.patch(configMaps, 'large/large', { data: { a: 'y' } });
    await until(async () => (await works('large')).length === 3, 'all of it is sent');
  });

  it('that is deleted without its Binding leaves that unchanged', async () => {
    // A garbage collector that does not know Bindings yet leaves the owner, and deletes the Binding later.
    await wds.admin.delete(bindingPolicies, 'large');
    await until(async () => (await wds.admin.find(bindings, 'large')) === undefined, 'Bindings are collected');
    await namespace('kept');
    await configMap('kept', 'c', '1');
    await policy('kept');
    await until(async () => (await works('kept')).length === 2, 'it is sent');
    await wds.admin.delete(bindingPolicies, 'kept', { propagationPolicy: 'Orphan' });
    await until(async () => (await wds.admin.find(bindingPolicies, 'kept')) === undefined, 'it is gone');
    const { metadata } = await wds.admin.get<Binding>(bindings, 'kept');
    assert.deepEqual(metadata.ownerReferences ?? [], []);
    await configMap('kept', 'c', '2');
    await sleep(settling);
    assert.equal((await wds.admin.get<Binding>(bindings, 'kept')).metadata.generation, metadata.generation);
    assert.equal((await works('kept')).length, 2);
    await wds.admin.delete(bindings, 'kept');
    await until(async () => (await works('kept')).length === 0, 'the works go with the Binding');
  });

  it('is not sent to clusters after one without a mailbox', async () => {
    const metadata = { name: 'm0', labels: { env: 'test' } };
    await its.admin.create<ManagedCluster>(managedClusters, { metadata, spec: { hubAcceptsClient: false } });
    await namespace('held');
    await policy('held');
    const binding = () => wds.admin.find<Binding>(bindings, 'held');
    await until(async () => (await binding())?.status?.observedGeneration !== undefined, 'it is observed');
    await sleep(settling);
    assert.deepEqual((await binding())?.spec.destinations, [{ clusterId: 'm0' }, { clusterId: 'm1' }]);
    assert.deepEqual((await binding())?.status?.errors ?? [], []);
    assert.deepEqual(await works('held'), []);
    await its.admin.delete(managedClusters, 'm0');
    await until(async () => (await works('held')).length === 1, 'it is sent');
  });

  it('leaves works behind in the mailbox of a cluster that it lost while its transport was down', async () => {
    const metadata = { name: 'm2', labels: { env: 'test' } };
    await its.admin.create<ManagedCluster>(managedClusters, { metadata, spec: { hubAcceptsClient: true } });
    await namespace('left');
    await policy('left');
    const sent = async (mailbox: string) => (await works('left', mailbox)).length;
    await until(async () => (await sent('m1')) + (await sent('m2')) === 2, 'it is sent');
    controllers.stopTransport();
    // What it has begun, it ends.
    await sleep(settling);
    await its.admin.patch(managedClusters, 'm2', { metadata: { labels: { env: null } } });
    const isLost = async () => (await wds.admin.get<Binding>(bindings, 'left')).spec.destinations?.length === 1;
    await until(isLost, 'its Binding names one cluster');
    await wds.admin.delete(bindingPolicies, 'left');
    // Otherwise the next transport removes the work of the lost cluster before it sees the deletion.
    const isEnding = async () =>
      (await wds.admin.get<Binding>(bindings, 'left')).metadata.deletionTimestamp !== undefined;
    await until(isEnding, 'its Binding is being deleted');
    controllers.stop();
    controllers = await runWds(wds, its);
    await until(async () => (await wds.admin.find(bindings, 'left')) === undefined, 'its Binding is gone');
    await sleep(settling);
    assert.deepEqual([await sent('m1'), await sent('m2')], [0, 1]);
  });

  it('has several objects in one numbered work, if the limits allow it', async () => {
    controllers.stop();
    controllers = await runWds(wds, its, { objects: 2, bytes: 512_000 });
    await namespace('packed');
    await configMap('packed', 'a', '1');
    await configMap('packed', 'b', '1');
    await policy('packed');
    await until(async () => (await works('packed')).length === 2, 'it is sent');
    const sent = (await works('packed')).map(({ metadata, spec }) => [
      metadata.name,
      spec.workload.manifests.map((manifest) => manifest.metadata.name),
    ]);
    assert.deepEqual(sent, [
      ['packed-wds1-0', ['packed', 'a']],
      ['packed-wds1-1', ['b']],
    ]);
  });
});

async function namespace(name: string): Promise<void> {
  await wds.admin.create(namespaces, { metadata: { name, labels: { app: name } } });
}

async function configMap(namespace: string, name: string, a: string): Promise<void> {
  const object = { metadata: { name, namespace, labels: { app: namespace } }, data: { a } };
  const present = await wds.admin.find(configMaps, `${namespace}/${name}`);
  if (present) await wds.admin.patch(configMaps, `${namespace}/${name}`, { data: { a } });
  else await wds.admin.create<ConfigMap>(configMaps, object);
}

/** Selects m1, and what has the policy's name as label `app`. */
async function policy(name: string): Promise<void> {
  const clusterSelectors = [{ matchLabels: { env: 'test' } }];
  const downsync = [{ objectSelectors: [{ matchLabels: { app: name } }] }];
  await wds.admin.create<BindingPolicy>(bindingPolicies, { metadata: { name }, spec: { clusterSelectors, downsync } });
}

async function works(policy: string, namespace = 'm1'): Promise<ManifestWork[]> {
  const labelSelector = `transport.kubestellar.io/originOwnerReferenceBindingKey=${policy}`;
  return (await its.admin.list<ManifestWork>(manifestWorks, { namespace, labelSelector })).items;
}

/** Holds the stand-ins of KubeStellar's controllers against records of the real ones (expected/workloads). */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { selectorRecords } from './conformance/selector-records.ts';
import { type Bed, type Plane, type RunningWds, runWds, startBed, until } from './index.ts';
import { discover } from './kube/discovery.ts';
import type { AnyObject, ManagedCluster } from './kube/objects.ts';
import { bindingPolicies, bindings, configMaps, managedClusters } from './kube/resources.ts';
import type { Binding, BindingPolicy, BoundObject } from './kubestellar/bindings.ts';

let bed: Bed;
let its: Plane;
let wds: Plane;
let controllers: RunningWds;

before(async () => {
  bed = await startBed({ planes: [{ name: 'its1', hub: true }, { name: 'wdsh' }], log: console.error });
  [its, wds] = [bed.plane('its1'), bed.plane('wdsh')];
});

after(() => bed?.stop());

/** Creates objects one after the other, of whatever kinds, as soon as their kinds are served. */
async function create({ admin }: Plane, objects: readonly AnyObject[]): Promise<void> {
  for (const object of objects) {
    const resource = await until(async () => {
      const { apiVersion, kind } = object;
      return (await discover(admin)).find((each) => each.apiVersion === apiVersion && each.kind === kind);
    }, `${object.kind} is served`);
    await admin.create(resource, object);
  }
}

describe('policies', () => {
  const { clusters, inventory, cases } = selectorRecords();

  before(async () => {
    for (const [name, labels] of Object.entries(clusters)) {
      const finalizers = name === 'm4' ? ['example.com/hold'] : [];
      await its.admin.create<ManagedCluster>(managedClusters, {
        metadata: { name, labels, finalizers },
        spec: { hubAcceptsClient: false },
      });
    }
    await create(wds, inventory);
    await its.admin.delete(managedClusters, 'm4');
    await wds.admin.delete(configMaps, 'sel-a/going');
    controllers = await runWds(wds, its);
    controllers.stopTransport();
  });

  after(async () => {
    for (const name of Object.keys(cases)) await wds.admin.delete(bindingPolicies, name);
    for (const name of Object.keys(clusters)) await its.admin.delete(managedClusters, name);
    await its.admin.patch(managedClusters, 'm4', { metadata: { finalizers: null } });
    await wds.admin.patch(configMaps, 'sel-a/going', { metadata: { finalizers: null } });
    controllers.stop();
  });

  it('are refused where the real ones are, and in the same words', async () => {
    for (const [name, { spec, refused }] of Object.entries(cases)) {
      const made = wds.admin.create<BindingPolicy>(bindingPolicies, { metadata: { name }, spec });
      const error = await made.then(
        () => undefined,
        ({ message }: Error) => message.replace(/^.*? is invalid: /, ''),
      );
      assert.deepEqual(wordsOf(error), wordsOf(refused), name);
    }
  });

  for (const [name, { refused, clusters, objects, modulations = {} }] of Object.entries(cases)) {
    if (refused !== undefined) continue;
    it(`select as recorded: ${name}`, async () => {
      const binding = await until(() => wds.admin.find<Binding>(bindings, name), `${name} is bound`);
      const { workload, destinations = [] } = binding.spec;
      const bound = [...(workload.clusterScope ?? []), ...(workload.namespaceScope ?? [])];
      const named = bound.map(nameOf);
      assert.deepEqual(named, objects);
      assert.deepEqual(
        destinations.map(({ clusterId }) => clusterId),
        clusters,
      );
      const modulated = bound.map((object) => [nameOf(object), modulationOf(object)] as const);
      assert.deepEqual(
        Object.fromEntries(modulated.filter(([, modulation]) => Object.keys(modulation).length > 0)),
        modulations,
      );
    });
  }
});

/** kubectl, which was asked then, puts several causes into a list. */
function wordsOf(text = ''): string[] {
  return text.split(/[[\],*\s]+/).filter((word) => word !== '');
}

function nameOf({ group, resource, namespace = '', name }: BoundObject): string {
  return `${group ? `${resource}.${group}` : resource}/${namespace}/${name}`;
}

function modulationOf({ createOnly, statusCollectors, ...more }: BoundObject) {
  const { wantSingletonReportedState, wantMultiWECReportedState } = more;
  const all = { createOnly, statusCollectors, wantSingletonReportedState, wantMultiWECReportedState };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

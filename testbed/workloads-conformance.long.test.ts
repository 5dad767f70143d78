/** Compares the stand-ins of KubeStellar's controllers with records of the real ones (expected/workloads). */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { installKlusterlet } from './conformance/installer.ts';
import { selectorRecords } from './conformance/selector-records.ts';
import { type Sections, tidied, workloadRecord } from './conformance/workload-records.ts';
import { requestBootstrapToken } from './helpers/tokens.ts';
import { type Bed, installAddonByPlacement, type Plane, type RunningWds, runWds, startBed, until } from './index.ts';
import { isTrue } from './kube/conditions.ts';
import { discover } from './kube/discovery.ts';
import type { AnyObject, CertificateSigningRequest, KubeObject, ManagedCluster } from './kube/objects.ts';
import {
  bindingPolicies,
  bindings,
  certificateSigningRequests,
  combinedStatuses,
  configMaps,
  customResourceDefinitions,
  customTransforms,
  deployments,
  managedClusters,
  manifestWorks,
  type Resource,
  statusCollectors,
  workStatuses,
} from './kube/resources.ts';
import type { Binding, BindingPolicy, BoundObject } from './kubestellar/bindings.ts';
import { workLabel } from './kubestellar/names.ts';
import { clusterNameLabel } from './ocm/names.ts';

const wecs = ['cluster1', 'cluster2'];

let bed: Bed;
let its: Plane;
let wds: Plane;
let controllers: RunningWds;
let addon: { stop(): void };

before(async () => {
  const names = ['wdsh', ...wecs];
  bed = await startBed({
    planes: [{ name: 'its1', hub: true }, ...names.map((name) => ({ name }))],
    log: console.error,
  });
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

  it('are rejected like the real ones, with the same message', async () => {
    for (const [name, { spec, refused }] of Object.entries(cases)) {
      const made = wds.admin.create<BindingPolicy>(bindingPolicies, { metadata: { name }, spec });
      const error = await made.then(
        () => undefined,
        ({ message }: Error) => message.replace(/^.*? is invalid: /, ''),
      );
      assert.deepEqual(wordsOf(error), wordsOf(refused), name);
    }
  });

  it('that select no WEC and no object are observed, and get no Binding (0.30.0, seen live)', async () => {
    const none = [{ matchLabels: { no: 'such' } }];
    const spec = { clusterSelectors: none, downsync: [{ objectSelectors: none }] };
    await wds.admin.create<BindingPolicy>(bindingPolicies, { metadata: { name: 'nothing' }, spec });
    await until(async () => {
      const { metadata, status } = await wds.admin.get<BindingPolicy>(bindingPolicies, 'nothing');
      return status?.observedGeneration === metadata.generation;
    }, 'status of nothing');
    assert.equal(await wds.admin.find(bindings, 'nothing'), undefined);
    await wds.admin.delete(bindingPolicies, 'nothing');
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

describe('a workload', () => {
  before(async () => {
    addon = await installAddonByPlacement(its);
    await Promise.all(wecs.map(register));
    await until(() => its.admin.list(workStatuses).catch(() => undefined), 'WorkStatuses are served');
    controllers = await runWds(wds, its);
  });

  after(() => {
    controllers?.stop();
    addon?.stop();
  });

  /** In the order of the records: what some of them leave behind concerns the next ones. */
  const records = [
    'singleton-status',
    'singleton-status-two-wecs',
    'status-collectors',
    'no-wec-matches',
    'no-object-matches',
    'namespace-not-selected',
    'template-missing-property',
    'create-only',
    'two-policies-one-object',
    'custom-transform',
    'kind-unknown-on-wec',
    'forbidden-on-wec',
  ];

  for (const name of records) {
    it(`shows what was recorded: ${name}`, async () => {
      const { applied, shown } = workloadRecord(name);
      if (name === 'forbidden-on-wec') await bed.plane('cluster1').admin.create(customResourceDefinitions, widgets());
      await create(wds, applied);
      const policies = applied.filter(({ kind }) => kind === 'BindingPolicy').map(({ metadata }) => metadata.name);
      let seen: Record<string, unknown[]> = {};
      const agree = async () => {
        seen = tidied(await sectionsOf(policies));
        return isDeepStrictEqual(seen, shown);
      };
      await until(agree, `${name} is as recorded`, 40).catch(() => assert.deepEqual(seen, shown));
      for (const policy of policies) await wds.admin.delete(bindingPolicies, policy);
    });
  }

  function widgets(): AnyObject {
    const [definition] = workloadRecord('kind-unknown-on-wec').applied;
    return definition as AnyObject;
  }

  /** What there is of some policies, the shortest of whose names is that of their namespace. */
  async function sectionsOf(policies: readonly string[]): Promise<Sections> {
    const [namespace = ''] = policies.toSorted();
    const isTheirs = ({ metadata: { name } }: KubeObject) =>
      policies.includes(name) || name.startsWith(`${namespace}-`);
    const labelSelector = `${workLabel.binding} in (${policies.join()})`;
    const list = async ({ admin }: Plane, resource: Resource, options = {}) =>
      (await admin.list<AnyObject>(resource, options)).items.map((object) => ({ kind: resource.kind, ...object }));
    const objectsIn = async (plane: Plane) => [
      ...(await list(plane, deployments, { namespace })),
      ...(await list(plane, configMaps, { namespace })).filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt'),
    ];
    const sections: Sections = {
      policies: (await list(wds, bindingPolicies)).filter(isTheirs),
      bindings: (await list(wds, bindings)).filter(isTheirs),
      combinedstatuses: await list(wds, combinedStatuses, { namespace }),
      statuscollectors: (await list(wds, statusCollectors)).filter(isTheirs),
      customtransforms: (await list(wds, customTransforms)).filter(isTheirs),
      'in wds': await objectsIn(wds),
    };
    for (const wec of wecs) {
      sections[`works ${wec}`] = await list(its, manifestWorks, { namespace: wec, labelSelector });
      sections[`workstatuses ${wec}`] = await list(its, workStatuses, { namespace: wec, labelSelector });
      if (sections[`works ${wec}`]?.length) sections[`on ${wec}`] = await objectsIn(bed.plane(wec));
    }
    return sections;
  }
});

/** Registers a cluster with the ITS, with the labels that it had when the records were made. */
async function register(name: string): Promise<void> {
  const token = await requestBootstrapToken(its);
  const bootstrap = { server: its.internalServer, caPem: its.caPem, token };
  await installKlusterlet(bed.plane(name), { clusterName: name, mode: 'Singleton', bootstrap });
  const labelSelector = `${clusterNameLabel}=${name}`;
  await until(async () => Boolean(await its.admin.find(managedClusters, name)), `${name} is announced`);
  const request = await until(async () => {
    const found = await its.admin.list<CertificateSigningRequest>(certificateSigningRequests, { labelSelector });
    return found.items[0];
  }, `${name} has a request`);
  const conditions = [{ type: 'Approved' as const, status: 'True' as const, reason: 'Test', message: '' }];
  await its.admin.update(certificateSigningRequests, { ...request, status: { conditions } }, 'approval');
  const metadata = { labels: { name, 'location-group': 'edge' } };
  await its.admin.patch(managedClusters, name, { metadata, spec: { hubAcceptsClient: true } });
  await until(async () => {
    const { status } = await its.admin.get<ManagedCluster>(managedClusters, name);
    return isTrue(status?.conditions, 'ManagedClusterConditionAvailable');
  }, `${name} is available`);
}

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

/** KubeStellar in the bed: the chart with the real helm, the hooks' programs, and its two controllers. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { installKlusterlet } from './conformance/installer.ts';
import { requestBootstrapToken } from './helpers/tokens.ts';
import { type Bed, startBed, until } from './index.ts';
import type { Api } from './kube/api.ts';
import { isTrue } from './kube/conditions.ts';
import type {
  AnyObject,
  CertificateSigningRequest,
  Condition,
  KubeObject,
  ManagedCluster,
  ManifestWork,
  Pod,
} from './kube/objects.ts';
import {
  bindingPolicies,
  bindings,
  certificateSigningRequests,
  configMaps,
  controlPlanes,
  customResourceDefinitions,
  managedClusterAddOns,
  managedClusters,
  manifestWorks,
  namespaces,
  pods,
  type Resource,
  workStatuses,
} from './kube/resources.ts';
import type { Binding, BindingPolicy } from './kubestellar/bindings.ts';
import { installKubeFlexOnly, installKubeStellar, runHelm } from './kubestellar/install.ts';
import { clusterNameLabel } from './ocm/names.ts';
import type { Plane } from './plane/plane.ts';

type WithConditions = KubeObject & { status?: { conditions?: Condition[] } };

let bed: Bed;
let hosting: Plane;
let wec: Plane;
let wds: Api;

before(async () => {
  bed = await startBed({
    planes: [{ name: 'hosting' }, { name: 'cluster1' }, { name: 'kflex' }],
    log: console.error,
    isCopy: true,
  });
  hosting = bed.plane('hosting');
  wec = bed.plane('cluster1');
  await installKubeStellar(hosting, { values: { ITSes: [{ name: 'its1', type: 'host' }], WDSes: [{ name: 'wds1' }] } });
  await Promise.all(['its1', 'wds1'].map(untilReady));
  wds = await bed.nested('wds1');
});

after(() => bed?.stop());

/** A control plane of the chart is ready when all its hooks are. */
async function untilReady(name: string): Promise<void> {
  await until(async () => {
    const plane = await hosting.admin.find<WithConditions>(controlPlanes, name);
    return isTrue(plane?.status?.conditions, 'Ready');
  }, `${name} is ready`);
}

async function untilGone(api: Api, resource: Resource, key: string): Promise<void> {
  await until(async () => (await api.find(resource, key)) === undefined, `${resource.kind} ${key} is gone`);
}

describe('a hosting cluster', () => {
  it('has releases that the real helm reads, including those of pods', async () => {
    const releases = JSON.parse(await runHelm(hosting, ['list', '--all-namespaces', '--output', 'json']));
    assert.deepEqual(
      releases.map(({ name, namespace, status, chart }: Record<string, string>) => [name, namespace, status, chart]),
      [
        ['ks-core', 'default', 'deployed', 'core-chart-0.30.0'],
        ['postgres', 'kubeflex-system', 'deployed', 'postgresql-13.1.5'],
        ['status-addon', 'open-cluster-management', 'deployed', 'ocm-status-addon-chart-0.2.0-rc17'],
      ],
    );
  });

  it('created by kflex has no hooks of KubeStellar', async () => {
    const kflex = bed.plane('kflex');
    await installKubeFlexOnly(kflex);
    const releases = JSON.parse(await runHelm(kflex, ['list', '--all-namespaces', '--output', 'json']));
    assert.deepEqual(releases.map(({ name }: { name: string }) => name).sort(), ['kubeflex-operator', 'postgres']);
    assert.equal(await kflex.admin.find(configMaps, 'kubeflex-system/kubeflex-config').then(Boolean), true);
    assert.equal(await kflex.admin.find(namespaces, 'its1-system'), undefined);
  });
});

describe('an ITS', () => {
  it('is a hub with the status add-on', async () => {
    const names = ['managedclusters.cluster.open-cluster-management.io', 'workstatuses.control.kubestellar.io'];
    for (const name of names) assert.ok(await hosting.admin.find(customResourceDefinitions, name), name);
    const addOn = await hosting.admin.send<AnyObject>(
      'GET',
      '/apis/addon.open-cluster-management.io/v1alpha1/clustermanagementaddons/addon-status',
    );
    assert.equal(addOn.metadata.name, 'addon-status');
  });
});

describe('a BindingPolicy', () => {
  const policy = {
    apiVersion: bindingPolicies.apiVersion,
    kind: bindingPolicies.kind,
    metadata: { name: 'demo' },
    spec: {
      clusterSelectors: [{ matchLabels: { 'location-group': 'edge' } }],
      downsync: [{ objectSelectors: [{ matchLabels: { app: 'demo' } }] }],
    },
  };
  const labels = { app: 'demo' };

  before(async () => {
    await register();
    await wds.create(namespaces, { metadata: { name: 'demo', labels } });
    await wds.create<AnyObject>(configMaps, {
      metadata: { name: 'hello', namespace: 'demo', labels },
      data: { a: 'b' },
    });
    await wds.create<AnyObject>(configMaps, { metadata: { name: 'other', namespace: 'demo' } });
    await wds.create(bindingPolicies, policy);
  });

  it('creates a Binding as recorded, and works that are applied on clusters with the labels', async () => {
    await until(async () => {
      const binding = await wds.find<Binding>(bindings, 'demo');
      return binding?.spec.workload.namespaceScope?.length === 1;
    }, 'there is a Binding with a workload');
    assert.deepEqual((await wds.get<Binding>(bindings, 'demo')).spec.destinations ?? [], []);
    await hosting.admin.patch(managedClusters, 'cluster1', { metadata: { labels: { 'location-group': 'edge' } } });
    await until(async () => (await wec.admin.find(configMaps, 'demo/hello')) !== undefined, 'the ConfigMap has come');
    await until(async () => {
      const { items } = await hosting.admin.list(workStatuses, { namespace: 'cluster1' });
      return items.some(({ metadata }) => metadata.name.endsWith('-v1-namespace--demo'));
    }, "the namespace's status is reported");
    const [bound, owner] = await Promise.all([
      wds.get<Binding>(bindings, 'demo'),
      wds.get<BindingPolicy>(bindingPolicies, 'demo'),
    ]);
    assert.deepEqual(bound.metadata.finalizers, ['transport.kubestellar.io/object-cleanup']);
    assert.deepEqual(bound.metadata.ownerReferences, [
      {
        apiVersion: 'control.kubestellar.io/v1alpha1',
        kind: 'BindingPolicy',
        name: 'demo',
        uid: owner.metadata.uid,
        controller: true,
        blockOwnerDeletion: false,
      },
    ]);
    assert.deepEqual(owner.metadata.finalizers, ['bindingpolicy.kubestellar.io/kscontroller']);
    assert.equal(owner.status?.observedGeneration, 1);
    assert.deepEqual(bound.spec.destinations, [{ clusterId: 'cluster1' }]);
    const { resourceVersion: _, ...first } = bound.spec.workload.namespaceScope?.[0] ?? { resourceVersion: '' };
    assert.deepEqual(first, { group: '', version: 'v1', resource: 'configmaps', namespace: 'demo', name: 'hello' });
    const works = await worksOf('demo');
    const [hello] = await Promise.all([wds.get(configMaps, 'demo/hello')]);
    const work = works.find(({ metadata }) => metadata.name.endsWith(String(hello.metadata.uid)));
    assert.equal(work?.metadata.name, `${bound.metadata.uid}-wds1-${hello.metadata.uid}`);
    assert.equal(
      work?.metadata.annotations?.['transport.kubestellar.io/originOwnerReferenceBindingGeneration'],
      String(bound.metadata.generation),
    );
    assert.equal(works.length, 2);
    assert.equal(await wec.admin.find(configMaps, 'demo/other'), undefined);
  });

  it('removes everything when it is deleted', async () => {
    await wds.delete(bindingPolicies, 'demo');
    await untilGone(wds, bindingPolicies, 'demo');
    await untilGone(wds, bindings, 'demo');
    await until(async () => (await worksOf('demo')).length === 0, 'the works are gone');
    await untilGone(wec.admin, configMaps, 'demo/hello');
  });

  async function worksOf(binding: string): Promise<ManifestWork[]> {
    const labelSelector = `transport.kubestellar.io/originOwnerReferenceBindingKey=${binding},transport.kubestellar.io/originWdsName=wds1`;
    const { items } = await hosting.admin.list<ManifestWork>(manifestWorks, { namespace: 'cluster1', labelSelector });
    return items;
  }
});

describe('a WDS with an ambiguous ITS', () => {
  it('is never ready on 0.30 if it names its ITS: the init container rejects a name beside the selector', async () => {
    await createWds('wds2', 'its1');
    await until(
      async () =>
        (await logsOf('wds2', 'name=transport-controller', 'get-its-kubeconfig')).includes(
          'You may not provide both a non-empty --control-plane-name AND a non-empty --control-plane-label-selector',
        ),
      'the init container has said why',
    );
    const { status } = await hosting.admin.get<WithConditions>(controlPlanes, 'wds2');
    assert.equal(isTrue(status?.conditions, 'Ready'), false);
  });

  it('is never ready if there are several ITSes and it names none: its controller-manager fails', async () => {
    await hosting.admin.create<AnyObject>(controlPlanes, {
      metadata: { name: 'its2', labels: { 'kflex.kubestellar.io/cptype': 'its' } },
      spec: { type: 'host', backend: 'shared' },
    });
    await createWds('wds3', '');
    await until(
      async () =>
        (await logsOf('wds3', 'control-plane=controller-manager', 'manager')).includes(
          'more than one control plane of type its was found and no name was specified',
        ),
      'the controller-manager has said why',
    );
  });

  async function createWds(name: string, itsName: string): Promise<void> {
    await hosting.admin.create<AnyObject>(controlPlanes, {
      metadata: { name },
      spec: {
        type: 'k8s',
        backend: 'shared',
        waitForPostCreateHooks: true,
        postCreateHooks: [
          { hookName: 'kubestellar-controller', vars: { APIGroups: '' } },
          {
            hookName: 'transport-controller',
            vars: { WDSSecretName: 'admin-kubeconfig', WDSSecretKey: 'kubeconfig-incluster' },
          },
        ],
        globalVars: { ControlPlaneName: name, ITSName: itsName },
      },
    });
  }

  /** The log of a container, from its last run or the previous one. */
  async function logsOf(name: string, labelSelector: string, container: string): Promise<string> {
    const namespace = `${name}-system`;
    const { items } = await hosting.admin.list<Pod>(pods, { namespace, labelSelector });
    const path = `/api/v1/namespaces/${namespace}/pods/${items[0]?.metadata.name}/log?container=${container}`;
    // The pod does not exist, or has not started.
    return hosting.admin.send<string>('GET', path).catch(() => '');
  }
});

/** Registers cluster1 with the ITS, as an administrator would by hand. */
async function register(): Promise<void> {
  const token = await requestBootstrapToken(hosting);
  const bootstrap = { server: hosting.internalServer, caPem: hosting.caPem, token };
  await installKlusterlet(wec, { clusterName: 'cluster1', mode: 'Singleton', bootstrap });
  const labelSelector = `${clusterNameLabel}=cluster1`;
  const list = () => hosting.admin.list<CertificateSigningRequest>(certificateSigningRequests, { labelSelector });
  // An agent that is approved before it has created its ManagedCluster never creates it.
  await until(async () => Boolean(await hosting.admin.find(managedClusters, 'cluster1')), 'the cluster is announced');
  await until(async () => (await list()).items.length > 0, 'there is a request');
  const [request] = (await list()).items;
  const condition = { type: 'Approved', status: 'True', reason: 'Test', message: '' };
  const status = { conditions: [condition] };
  await hosting.admin.update(
    certificateSigningRequests,
    { ...request, status } as CertificateSigningRequest,
    'approval',
  );
  await hosting.admin.patch(managedClusters, 'cluster1', { spec: { hubAcceptsClient: true } });
  await until(async () => {
    const { status } = await hosting.admin.get<ManagedCluster>(managedClusters, 'cluster1');
    return isTrue(status?.conditions, 'ManagedClusterConditionAvailable');
  }, 'cluster1 is available');
  await until(
    async () => Boolean(await hosting.admin.find(managedClusterAddOns, 'cluster1/addon-status')),
    'it has the status add-on',
  );
}

import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { missing } from '../../../../src/lib/kube/client/missing.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { proving } from '../../../../src/lib/kube/writes.ts';
import { managedBy, managedByLabel } from '../../../../src/lib/ocm/model/ocm-names.ts';
import {
  cleanUpWec,
  removeOperator,
  whyOperatorStays,
} from '../../../../src/lib/wecs/deregister/clean-up.ts';
import { deregisterLocally } from '../../../../src/lib/wecs/deregister/deregister-locally.ts';
import { recordingProgress, run } from '../../support/builders.ts';
import { discoveryOf } from '../../support/discovery.ts';
import { MemoryCluster } from '../../support/space-builders.ts';
import { matches } from '../../support/steps.ts';

const ours = { [managedByLabel]: managedBy };
const operatorNamespace = 'open-cluster-management';
const agentNamespace = 'open-cluster-management-agent';

const object = (kind: string, name: string, metadata: Partial<KubeObject['metadata']> = {}) => ({
  kind,
  metadata: { name, uid: `uid-of-${name}`, ...metadata },
});
const operator = (labels: Record<string, string> = ours) =>
  object('Deployment', 'klusterlet', { namespace: operatorNamespace, labels });

/** A cluster with these objects; its namespaces contain nothing that belongs to others. */
const clusterWith = (objects: readonly KubeObject[], kube: Partial<Kube> = {}): MemoryCluster =>
  new MemoryCluster(objects, { read: discoveryOf({}), ...kube });

describe('the operator on a WEC', () => {
  const why = (...objects: KubeObject[]) => whyOperatorStays(clusterWith(objects).kube);

  it('may be removed if stellarctl installed it, and if it is gone already', async () => {
    assert.equal(await why(operator()), undefined);
    assert.equal(await why(), undefined);
  });

  it('stays if it is of another owner, or needed', async () => {
    assert.equal(await why(operator({ app: 'klusterlet' })), 'stellarctl did not install it');
    assert.equal(
      await why(operator(), object('Klusterlet', 'other')),
      'the Klusterlet other needs it',
    );
    assert.equal(
      await why(operator(), object('ClusterManager', 'cluster-manager')),
      'the cluster is an OCM hub as well',
    );
  });
});

describe('the aggregate role of an agent', () => {
  const aggregate = object('ClusterRole', 'open-cluster-management:klusterlet-work:aggregate');
  const namespace = (labels: Record<string, string>) =>
    object('Namespace', agentNamespace, { labels });
  const removed = async (...objects: KubeObject[]) => {
    const cluster = clusterWith(objects);
    assert.equal(
      await removeOperator(cluster.kube, { name: 'cluster1', hub: 'its1', hubHash: 'hash' }, run()),
      cluster.writes.length > 0,
    );
    return cluster.writes;
  };

  it('is removed with the namespaces of the registration, if it is there', async () => {
    const removal = `delete Namespace ${agentNamespace}`;
    assert.deepEqual(await removed(aggregate, namespace(ours)), [
      'delete ClusterRole open-cluster-management:klusterlet-work:aggregate',
      removal,
    ]);
    assert.deepEqual(await removed(namespace(ours)), [removal]);
  });

  it('stays if no namespace is removed', async () => {
    assert.deepEqual(await removed(aggregate, namespace({ owner: 'somebody' })), []);
    assert.deepEqual(await removed(aggregate), []);
  });
});

describe('the works that an agent has left on its cluster', () => {
  const work = (name: string, hubHash: string) => ({
    ...object('AppliedManifestWork', name),
    spec: { hubHash, manifestWorkName: name },
  });
  const record = { name: 'cluster1', hub: 'its1', hubHash: 'hash' };
  const cleaned = async (keepWorkloads: boolean, ...others: KubeObject[]) => {
    const cluster = clusterWith([work('own', 'hash'), work('of-another-hub', 'other'), ...others]);
    const progress = recordingProgress();
    const isChanged = await cleanUpWec(
      proving(cluster.kube),
      record,
      keepWorkloads,
      run(5000, progress),
    );
    return {
      isChanged,
      writes: cluster.writes,
      changes: progress.lines.filter((line) => line.startsWith('changed')),
    };
  };
  for (const [keepWorkloads, fate] of [
    [false, 'removed'],
    [true, 'kept'],
  ] as const)
    it(`are removed, except those of other hubs; their workloads are ${fate}`, async () =>
      assert.deepEqual(await cleaned(keepWorkloads), {
        isChanged: true,
        writes: ['delete AppliedManifestWork own'],
        changes: [`changed cluster1 workloads ${fate}`],
      }));

  it('stay if another Klusterlet may be registered with the same hub', async () =>
    assert.deepEqual(await cleaned(false, object('Klusterlet', 'second')), {
      isChanged: false,
      writes: [],
      changes: [],
    }));
});

describe('an interrupted clean-up without the ITS, whose Klusterlet is gone', () => {
  /** A cluster with only the namespace that holds the record of a clean-up. */
  const clusterOf = (name: string, ...others: KubeObject[]) => {
    const annotations = {
      'stellarctl.kubestellar.io/clean-up': JSON.stringify({ name, hub: null, hubHash: null }),
    };
    const cluster = clusterWith([
      object('Namespace', operatorNamespace, { labels: ours, annotations }),
      ...others,
    ]);
    const { list } = cluster.kube;
    // KubeFlex is not installed on it.
    cluster.kube.list = (async (resource, options) =>
      resource.kind === 'ControlPlane' ? missing : list(resource, options)) as Kube['list'];
    return cluster;
  };
  const deregistered = (cluster: MemoryCluster) =>
    deregisterLocally([{ name: 'cluster1', kube: cluster.kube }], async () => true, run());

  it('is resumed by the name that it was started with', async () => {
    for (const parts of [[], [operator()]]) {
      const cluster = clusterOf('cluster1', ...parts);
      assert.deepEqual(await deregistered(cluster), [{ name: 'cluster1', changed: true }]);
      assert.deepEqual(cluster.writes, [
        ...parts.map(() => 'delete Deployment klusterlet'),
        `delete Namespace ${operatorNamespace}`,
      ]);
    }
  });

  it('is not complete while an API does not say what it has, leaves no token, and can be finished later', async () => {
    const stale = 'widgets.example.com/v1';
    const token = object('Secret', 'bootstrap-hub-kubeconfig', { namespace: agentNamespace });
    const namespace = object('Namespace', agentNamespace, { labels: ours });
    const cluster = clusterOf('cluster1', operator(), namespace, token);
    cluster.kube.read = discoveryOf({ [stale]: [] }, [stale]);
    const [unfinished] = await deregistered(cluster);
    assert.deepEqual(cluster.writes, ['delete Secret bootstrap-hub-kubeconfig']);
    matches(unfinished?.error?.message, /widgets\.example\.com/);
    cluster.kube.read = discoveryOf();
    cluster.writes.length = 0;
    assert.deepEqual(await deregistered(cluster), [{ name: 'cluster1', changed: true }]);
    assert.deepEqual(cluster.writes, [
      'delete Deployment klusterlet',
      `delete Namespace ${agentNamespace}`,
      `delete Namespace ${operatorNamespace}`,
    ]);
  });

  it('is not resumed under another name', async () => {
    const nothingLeft = clusterOf('cluster2');
    const partsLeft = clusterOf('cluster2', operator());
    for (const { forbidden } of [nothingLeft, partsLeft])
      forbidden.add('bindingpolicies').add('nodes');
    assert.deepEqual(await deregistered(nothingLeft), [{ name: 'cluster1', changed: false }]);
    await assert.rejects(deregistered(partsLeft), { code: 'identity-unproven' });
    assert.deepEqual([...nothingLeft.writes, ...partsLeft.writes], []);
  });
});

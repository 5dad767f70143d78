import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { type after, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { missing } from '../../../../src/lib/kube/client/missing.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { loadKubeconfig } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { deleteWds, inspectWds } from '../../../../src/lib/maintenance/delete-wds.ts';
import { deleteControlPlane, inspectIts } from '../../../../src/lib/spaces/delete-control-plane.ts';
import type { SpaceTools } from '../../../../src/lib/spaces/hosting/hosting.ts';
import { proof } from '../../support/builders.ts';
import { newPath } from '../../support/folder.ts';
import { uidOf } from '../../support/policy-builders.ts';
import {
  controlPlane,
  its,
  kubeconfigOf,
  MemoryCluster,
  soon,
  toolsOf,
  wds,
} from '../../support/space-builders.ts';
import { failsWith, stepsOf } from '../../support/steps.ts';

const wec = (name: string): KubeObject => ({ kind: 'ManagedCluster', metadata: { name } });
const inspectedIts = (
  name: string,
  objects: readonly KubeObject[],
  tools: Partial<SpaceTools> = {},
  force = false,
) => inspectIts(name, { force }, toolsOf(new MemoryCluster(objects).kube, tools));
/** A cluster that answers 404 for kinds, by plural. */
function notServing(objects: readonly KubeObject[], plurals: readonly string[]): Kube {
  const { kube } = new MemoryCluster(objects, {
    delete: async () => assert.fail('something was deleted'),
  });
  const isServed = ({ plural }: { plural: string }) => !plurals.includes(plural);
  return {
    ...kube,
    list: async (resource, selection) =>
      isServed(resource) ? kube.list(resource, selection) : missing,
    get: async (resource, name, options) =>
      isServed(resource) ? kube.get(resource, name, options) : undefined,
  };
}
/** The same cluster, with these works. */
const withWorks = (kube: Kube, works: () => readonly KubeObject[]): Kube => ({
  ...kube,
  list: async (resource, selection) =>
    resource.kind === 'ManifestWork'
      ? (structuredClone(works()) as never)
      : kube.list(resource, selection),
  get: async (resource, name, options) =>
    resource.kind === 'ManifestWork'
      ? (works().find(({ metadata }) => metadata.name === name) as never)
      : kube.get(resource, name, options),
});
const silent = { connect: () => new MemoryCluster([], { list: async () => assert.fail() }).kube };

describe('an ITS is not deleted', () => {
  const refused = (inspecting: ReturnType<typeof inspectIts>) =>
    inspecting.then(
      () => assert.fail('it was not refused'),
      (error: StellarError) => error,
    );
  test('while WECs are registered; the next step names its context', async () => {
    const kubeconfig = kubeconfigOf({ mine: { cluster: 'c', user: 'u', of: 'its1' } });
    const one = await refused(inspectedIts('its1', [its('its1'), wec('cluster1')], { kubeconfig }));
    assert.deepEqual(
      [one.code, one.message],
      ['has-dependents', '1 WEC is registered with its1: cluster1.'],
    );
    assert.match(
      stepsOf(one),
      /^Deregister them first; .*: stellarctl deregister cluster1 --its mine$/m,
    );
    const two = await refused(inspectedIts('its1', [its('its1'), wec('a'), wec('b')]));
    assert.match(two.message, /^2 WECs are registered with its1: a, b/);
  });
  test('while WDSes use it, by name or as the only one', async () => {
    const error = await refused(
      inspectedIts('its1', [its('its1'), wds('wds1'), wds('wds2', 'its1')]),
    );
    assert.match(error.message, /through its1: wds1, wds2/);
    assert.match(
      stepsOf(error),
      /wds delete wds1 --hosting-context kind-kubeflex\n.*: stellarctl wds delete wds2/,
    );
    await inspectedIts('its1', [its('its1'), its('its2'), wds('wds2', 'its2')]);
  });
  test('while it cannot be seen what depends on it', async () => {
    const connect = () =>
      new MemoryCluster([], {
        list: async () => {
          throw new StellarError('unreachable', 'Cannot reach its1.');
        },
      }).kube;
    const error = await refused(inspectedIts('its1', [its('its1')], { connect }));
    assert.match(error.message, /is unknown: Cannot reach its1/);
    assert.match(stepsOf(error), /its delete its1 --force --hosting-context kind-kubeflex/);
    await inspectedIts('its1', [its('its1')], { connect }, true);
  });
  test('while it does not serve ManagedCluster: that is not an ITS without WECs', async () => {
    const connect = () => notServing([], ['managedclusters']);
    const error = await refused(inspectedIts('its1', [its('its1')], { connect }));
    assert.equal(error.code, 'has-dependents');
    assert.match(error.message, /is unknown: .* does not serve managedclusters\.cluster/);
    await inspectedIts('its1', [its('its1')], { connect }, true);
  });
  test('if it is something else', async () => {
    await assert.rejects(
      inspectedIts('wds1', [wds('wds1')], silent),
      failsWith({ steps: /stellarctl wds get wds1/ }),
    );
    await assert.rejects(
      inspectedIts('x', [controlPlane('x')], silent),
      failsWith({
        code: 'not-found',
        message: 'There is no ITS x on kind-kubeflex.',
        steps: /its list --hosting-context kind-kubeflex/,
      }),
    );
  });
});

test('a space is not taken for deleted if the hosting cluster does not serve ControlPlane', async () => {
  const hosting = notServing([its('its1'), wds('wds1')], ['controlplanes']);
  const unread = { code: 'api-error', message: /does not serve controlplanes/ };
  await assert.rejects(inspectIts('its1', {}, toolsOf(hosting)), unread);
  await assert.rejects(inspectWds('wds1', {}, toolsOf(hosting)), unread);
  const namespace = {
    kind: 'Namespace',
    metadata: {
      name: 'its1-system',
      ownerReferences: [{ apiVersion: 'x', kind: 'ControlPlane', name: 'its1', uid: 'u' }],
    },
  };
  const [found, deleted] = [its('its1'), [] as string[]];
  const later = {
    ...notServing([found, namespace], ['controlplanes']),
    delete: async ({ kind }: { kind: string }) => deleted.push(kind) > 0,
  };
  const { error } = await deleteControlPlane(
    { name: 'its1', role: 'its', controlPlane: proof(found) },
    toolsOf(later),
    soon(50),
  );
  assert.match(String(error?.message), /does not serve controlplanes/);
  assert.deepEqual(deleted, ['ControlPlane'], 'its namespace stays');
});

describe('deleting a space', () => {
  const ours = { 'app.kubernetes.io/managed-by': 'stellarctl' };
  const removed = async (
    plane: ReturnType<typeof its> | undefined,
    role: 'its' | 'wds' = 'its',
    labels = ours,
  ) => {
    const bootstrap = {
      kind: 'Secret',
      metadata: { name: 'x-bootstrap', namespace: 'kubeflex-system', labels, uid: 's1' },
    };
    const cluster = new MemoryCluster([plane, bootstrap], { dryRun: true });
    await deleteControlPlane(
      { name: 'x', role, controlPlane: proof(plane) },
      toolsOf(cluster.kube),
      soon(),
    );
    return cluster.writes.map((write, index) => `${write} ${cluster.bodies[index]}`);
  };
  test('revokes access to an external cluster, even if the control plane was never created; both by UID, so that recreated ones of their names stay', async () => {
    assert.deepEqual(await removed(its('x', { type: 'external' })), [
      'delete ControlPlane x uid-of-x',
      'delete Secret x-bootstrap s1',
    ]);
    assert.deepEqual(await removed(undefined), ['delete Secret x-bootstrap s1']);
    assert.deepEqual(await removed(undefined, 'its', { 'app.kubernetes.io/managed-by': 'me' }), []);
  });
  test('needs no permission for Secrets otherwise', async () => {
    assert.deepEqual(await removed(its('x')), ['delete ControlPlane x uid-of-x']);
    assert.deepEqual(await removed(undefined, 'wds'), []);
  });

  describe('removes from the kubeconfig', () => {
    const left = async (contexts: Parameters<typeof kubeconfigOf>[0]) => {
      const file = newPath();
      const { contexts: all, clusters, users } = kubeconfigOf(contexts);
      const list = (key: string, entries: Map<string, unknown>) =>
        [...entries].map(([name, entry]) => ({ name, [key]: entry }));
      await writeFile(
        file,
        stringify({
          contexts: list('context', all),
          clusters: list('cluster', clusters),
          users: list('user', users),
        }),
      );
      const tools = toolsOf(new MemoryCluster().kube, {
        kubeconfig: await loadKubeconfig(file),
        target: { file, env: {} },
      });
      await deleteControlPlane({ name: 'ext', role: 'its', controlPlane: proof() }, tools, soon());
      const after = parse(await readFile(file, 'utf8')) as Record<
        'contexts' | 'clusters' | 'users',
        { name: string }[]
      >;
      const names = (key: keyof typeof after) => after[key].map(({ name }) => name).join();
      return {
        names: [names('contexts'), names('clusters'), names('users')],
        contexts: after.contexts,
      };
    };
    const noted = { of: 'ext', hosting: 'kind-kubeflex' };
    test('nothing of a control plane of that name on another hosting cluster', async () => {
      const { names } = await left({
        ext: { cluster: 'ext-cluster', user: 'ext-admin', of: 'ext', hosting: 'g' },
      });
      assert.deepEqual(names, ['ext', 'ext-cluster', 'ext-admin']);
    });
    test('what was created for it', async () => {
      const { names } = await left({
        ext: { cluster: 'ext-cluster', user: 'ext-admin', ...noted },
        other: { cluster: 'c', user: 'u' },
      });
      assert.deepEqual(names, ['other', 'c', 'u']);
    });
    test("its name for the user's own cluster, which stays", async () => {
      const own = { cluster: 'c', user: 'u' };
      assert.deepEqual((await left({ ext: { ...own, ...noted }, mine: own })).names, [
        'mine',
        'c',
        'u',
      ]);
    });
    test("only the mark, if the user's own context has the name of the space", async () => {
      const { names, contexts } = await left({ ext: { cluster: 'c', user: 'u', ...noted } });
      assert.deepEqual(names, ['ext', 'c', 'u']);
      assert.equal(JSON.stringify(contexts).includes('kubeflex'), false);
    });
  });
});

describe('a WDS', () => {
  const policy = { kind: 'BindingPolicy', metadata: { name: 'nginx' } };
  const work = (name: string, of = 'nginx'): KubeObject => ({
    kind: 'ManifestWork',
    metadata: {
      name,
      labels: {
        'transport.kubestellar.io/originWdsName': 'wds1',
        'transport.kubestellar.io/originOwnerReferenceBindingKey': of,
      },
    },
  });
  const sent = {
    kind: 'Binding',
    metadata: { name: 'nginx', generation: 1 },
    status: { observedGeneration: 1 },
    spec: {
      destinations: [{ clusterId: 'cluster1' }],
      workload: { clusterScope: [{ resource: 'namespaces', name: 'shop' }] },
    },
  };
  const planes = [its('its1'), wds('wds1')];
  const request = { name: 'wds1', keepWorkloads: false, force: false, confirm: async () => false };
  const inspected = (kube: Kube, force = false) => inspectWds('wds1', { force }, toolsOf(kube));

  test('is not deleted while it cannot be seen what it has sent, for example without permission', async () => {
    const secretless = new MemoryCluster([its('its1'), wds('wds1', '', { type: 'k8s' })]);
    secretless.forbidden.add('secrets');
    for (const { kube } of [
      secretless,
      new MemoryCluster([wds('wds1')]),
      new MemoryCluster([its('its1', { type: 'external' }), wds('wds1')]),
    ]) {
      await assert.rejects(
        inspected(kube),
        failsWith({
          code: 'has-dependents',
          steps: /wds delete wds1 --force --hosting-context kind-kubeflex/,
        }),
      );
      await inspected(kube, true);
    }
  });
  test('is not deleted while what it has sent is of a kind that is not served, which is not an empty list', async () => {
    for (const plural of ['bindingpolicies', 'bindings', 'manifestworks']) {
      const kube = notServing([...planes, policy, work('w1')], [plural]);
      const unread = { code: 'has-dependents', message: new RegExp(`does not serve ${plural}\\.`) };
      await assert.rejects(deleteWds(request, toolsOf(kube), soon()), unread);
    }
  });
  test('is not deleted if its transport has sent a policy of which its ITS shows no work', async () => {
    const cluster = new MemoryCluster([...planes, policy, sent]);
    await assert.rejects(deleteWds(request, toolsOf(cluster.kube), soon()), {
      code: 'has-dependents',
      message: /its1 has no works of policy nginx, although its transport has read it/,
    });
    assert.deepEqual(cluster.writes, []);
    await inspected(cluster.kube, true);
    await inspected(new MemoryCluster([...planes, policy, sent, work('w1', 'nginx')]).kube);
  });
  test('is not deleted with --keep-workloads if its works cannot be read, even with --force', async () => {
    const forced = { ...request, keepWorkloads: true, force: true };
    for (const objects of [
      [wds('wds1'), policy],
      [its('its1', { type: 'external' }), wds('wds1'), policy],
      [its('its1', { type: 'external' }), wds('wds1'), wds('wds2'), policy],
      [...planes, policy, sent],
    ]) {
      const cluster = new MemoryCluster(objects);
      const refusal = (error: StellarError) =>
        error.code === 'has-dependents' &&
        /cannot be read, so its workloads cannot be kept: /.test(error.message) &&
        !stepsOf(error).includes('--force');
      await assert.rejects(deleteWds(forced, toolsOf(cluster.kube), soon()), refusal);
      assert.deepEqual(cluster.writes, []);
    }
  });
  test('is deleted with --keep-workloads by every command that is suggested after that', async () => {
    const keep = { ...request, keepWorkloads: true };
    const unread = notServing([...planes, policy], ['bindingpolicies']);
    const forcing = /stellarctl wds delete wds1 --keep-workloads --force --hosting-context/;
    await assert.rejects(deleteWds(keep, toolsOf(unread), soon()), failsWith({ steps: forcing }));
    const orphan = {
      ...work('w1'),
      spec: { deleteOption: { propagationPolicy: 'Orphan' } },
      status: { conditions: [{ type: 'Applied', status: 'True' }] },
    };
    const cluster = new MemoryCluster([...planes, policy, orphan]);
    const late = await deleteWds(keep, toolsOf(cluster.kube), soon(0));
    assert.match(stepsOf(late.error), forcing);
    const { kube } = new MemoryCluster([...planes, policy, orphan], {
      delete: async () => {
        throw new StellarError('interrupted', 'Interrupted.');
      },
    });
    const { error } = await deleteWds(keep, toolsOf(kube), soon());
    assert.match(
      stepsOf(error),
      /To continue: stellarctl wds delete wds1 --keep-workloads --hosting-context/,
    );
  });
  test('keeps works that its transport has sent since, with --keep-workloads and --force', async () => {
    const orphaned = (name: string) => ({
      ...work(name),
      metadata: { ...work(name).metadata, uid: name, namespace: 'cluster1', generation: 1 },
      spec: { deleteOption: { propagationPolicy: 'Orphan' } },
      status: { conditions: [{ type: 'Applied', status: 'True', observedGeneration: 1 }] },
    });
    const works = [orphaned('w1')];
    const cluster = new MemoryCluster([...planes, policy]);
    const { kube } = cluster;
    const log: string[] = [];
    const its1: Kube = {
      ...withWorks(kube, () => works),
      merge: async ({ kind }, name) => {
        if (kind === 'ControlPlane') return {} as never;
        log.push(`orphan ${name}`);
        works.splice(1, 1, orphaned(name));
        return {} as never;
      },
      delete: async (resource, object, options) => {
        log.push(`delete ${resource.kind} ${object.metadata.name}`);
        if (resource.kind === 'BindingPolicy') works.push({ ...orphaned('w2'), spec: {} as never });
        return kube.delete(resource, object, options);
      },
    };
    const { error } = await deleteWds(
      { ...request, keepWorkloads: true, force: true },
      toolsOf(its1),
      soon(),
    );
    assert.equal(error, undefined);
    assert.deepEqual(log, [
      'delete BindingPolicy nginx',
      'orphan w2',
      'delete ManifestWork w1',
      'delete ManifestWork w2',
      'delete ControlPlane wds1',
    ]);
  });
  test('keeps works that its transport writes anew in that moment, with --keep-workloads', async () => {
    const owner = { apiVersion: 'x', kind: 'BindingPolicy', name: 'nginx', uid: 'p1' };
    for (const isResumed of [false, true]) {
      const cluster = new MemoryCluster([
        ...planes,
        ...(isResumed ? [] : [{ ...policy, metadata: { ...policy.metadata, uid: 'p1' } }]),
        {
          ...sent,
          metadata: { ...sent.metadata, uid: 'b1', ownerReferences: isResumed ? [] : [owner] },
        },
      ]);
      const { kube } = cluster;
      const w1 = { ...work('w1'), spec: {} as { deleteOption?: object }, status: {} };
      w1.metadata = { ...w1.metadata, uid: 'w1', namespace: 'cluster1', generation: 1 };
      let works = [w1];
      const lost: string[] = [];
      const has = (kind: string) => cluster.objects.some((object) => object.kind === kind);
      const binding = () => cluster.objects.find(({ kind }) => kind === 'Binding');
      const system: Kube = {
        ...withWorks(kube, () => works),
        merge: async (resource) => {
          if (resource.kind === 'Binding') {
            delete binding()?.metadata.ownerReferences;
            return {} as never;
          }
          w1.spec = { deleteOption: { propagationPolicy: 'Orphan' } };
          w1.status = { conditions: [{ type: 'Applied', status: 'True', observedGeneration: 1 }] };
          return {} as never;
        },
        delete: async (resource, object, options) => {
          if (has('BindingPolicy')) w1.spec = {}; // The transport writes the work of an object that has just changed.
          const isDone = await kube.delete(resource, object, options);
          // A garbage collector that did not know Bindings yet deletes those with a deleted owner later.
          if (resource.kind === 'Binding' || binding()?.metadata.ownerReferences?.length) {
            if (w1.spec.deleteOption === undefined) lost.push('w1');
            works = [];
          }
          return isDone;
        },
      };
      const { error } = await deleteWds(
        { ...request, keepWorkloads: true },
        toolsOf(system),
        soon(),
      );
      assert.deepEqual([error, lost, works], [undefined, [], []]);
      assert.deepEqual(cluster.writes.slice(-2), [
        'delete Binding nginx',
        'delete ControlPlane wds1',
      ]);
    }
  });
  test('is not deleted if it is something else', async () => {
    const cluster = new MemoryCluster([its('wds1')]);
    await assert.rejects(inspected(cluster.kube), failsWith({ steps: /stellarctl its get wds1/ }));
  });
  test('loses its policies before it is deleted, by UID: a recreated one of its name stays', async () => {
    const own = { ...policy, metadata: { ...policy.metadata, uid: 'p1' } };
    const cluster = new MemoryCluster([...planes, own], { dryRun: true });
    const result = await deleteWds(request, toolsOf(cluster.kube), soon());
    assert.deepEqual(cluster.writes, ['delete BindingPolicy nginx', 'delete ControlPlane wds1']);
    assert.deepEqual(cluster.bodies, ['p1', 'uid-of-wds1']);
    assert.equal(result.error, undefined);
  });
  test('keeps policies of another WDS with the same API server, and removes its own works', async () => {
    const cluster = new MemoryCluster([...planes, wds('wds2'), policy, work('w1')], {
      dryRun: true,
    });
    await deleteWds(request, toolsOf(cluster.kube), soon());
    assert.deepEqual(cluster.writes, ['delete ControlPlane wds1', 'delete ManifestWork w1']);
  });
  test('leaves works of another WDS of its name, also with --force, and knows its own after its Bindings are gone', async () => {
    const ofUid = (uid: string) => ({
      ...work(`${uid}-wds1-21e57e7f-121f-4fd5-9ef0-dde4c669f86f`),
    });
    const [own, foreign] = [uidOf('nginx'), uidOf('other')].map(ofUid) as [KubeObject, KubeObject];
    const bound = { ...sent, metadata: { ...sent.metadata, uid: uidOf('nginx') } };
    const seenBy = async (objects: readonly KubeObject[], force = false) => {
      const found = await inspected(new MemoryCluster([...objects, own, foreign]).kube, force);
      return [found.works, found.foreign].map((works) =>
        works.map(({ metadata }) => metadata.name),
      );
    };
    const apart = [[own.metadata.name], [foreign.metadata.name]];
    assert.deepEqual(await seenBy([...planes, policy, bound]), apart);
    const both = [...planes, wds('wds2'), policy, bound, own, foreign];
    const cluster = new MemoryCluster(both, { dryRun: true });
    await deleteWds({ ...request, force: true }, toolsOf(cluster.kube), soon());
    assert.deepEqual(
      cluster.writes.filter((write) => write.includes('ManifestWork')),
      [`delete ManifestWork ${own.metadata.name}`],
    );
    const alone = new MemoryCluster([...planes, policy, bound, own, foreign], { dryRun: true });
    await deleteWds(request, toolsOf(alone.kube), soon());
    const [note] = alone.bodies as [{ metadata: Pick<KubeObject['metadata'], 'annotations'> }];
    const begun = wds('wds1');
    const noted = { ...begun, metadata: { ...begun.metadata, ...note.metadata } };
    assert.deepEqual(await seenBy([its('its1'), noted]), apart);
    assert.deepEqual(await seenBy(planes), [[], [own.metadata.name, foreign.metadata.name]]);
  });
  test('stays if its works are not removed in time, and the next step is shown', async () => {
    const cluster = new MemoryCluster([...planes, policy, work('w1')]);
    const { error, type, changed } = await deleteWds(request, toolsOf(cluster.kube), soon(0));
    assert.deepEqual([error?.code, type, changed], ['timeout', 'host', true]);
    assert.match(stepsOf(error), /wds delete wds1 --force --hosting-context kind-kubeflex/);
    assert.deepEqual(cluster.writes, ['merge ControlPlane wds1', 'delete BindingPolicy nginx']);
  });
});

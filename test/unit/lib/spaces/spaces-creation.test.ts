import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { loadKubeconfig } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { createIts, type ItsInput } from '../../../../src/lib/spaces/create-its.ts';
import { createWds } from '../../../../src/lib/spaces/create-wds.ts';
import { getSpace } from '../../../../src/lib/spaces/get-space.ts';
import { managerBinding, type WdsInput } from '../../../../src/lib/spaces/space/space-manifests.ts';
import { now, recordingProgress, tokenWith } from '../../support/builders.ts';
import { writtenApart } from '../../support/folder.ts';
import { contextsOf } from '../../support/one-context.ts';
import { workOf } from '../../support/policy-builders.ts';
import {
  conditions,
  deployment,
  inSpace,
  its,
  kubeconfigSecret,
  MemoryCluster,
  notSynced,
  soon,
  statefulSet,
  toolsOf,
  transportHook,
  wds,
} from '../../support/space-builders.ts';
import { failsWith, matches, stepsOf } from '../../support/steps.ts';

const hook = (name: string): KubeObject => ({ kind: 'PostCreateHook', metadata: { name } });
const chart = [
  hook('its-hub-init'),
  hook('install-status-addon'),
  hook('kubestellar-controller'),
  { ...transportHook('0.30'), kind: 'PostCreateHook' },
];

const own = contextsOf({ server: 'https://kind-kubeflex:6443' }, {}, 'kind-kubeflex', 'ext');
const file = writtenApart('config', JSON.stringify(own));
const kubeconfig = await loadKubeconfig(file);

const toolsOn = (hosting: Kube) =>
  toolsOf(hosting, { kubeconfig, target: { file, env: {}, dryRun: true } });

const createdIts = (cluster: MemoryCluster, input: Partial<ItsInput> = {}, run = soon(1000)) =>
  createIts(
    { name: 'its1', type: 'host', installOcm: true, external: undefined, ...input },
    toolsOn(cluster.kube),
    run,
  );
const createdWds = (cluster: MemoryCluster, input: Partial<WdsInput> = {}) =>
  createWds(
    { name: 'wds1', type: 'host', itsName: undefined, apiGroups: [], ...input },
    toolsOn(cluster.kube),
    soon(0),
  );
const dryRun = (objects: readonly KubeObject[], kube: Partial<Kube> = {}) =>
  new MemoryCluster([...chart, ...objects], { dryRun: true, ...kube });
const established = (name: string) =>
  ({
    kind: 'CustomResourceDefinition',
    metadata: { name },
    status: { conditions: [{ type: 'Established', status: 'True' }] },
  }) as KubeObject;
const external = (kube: Kube, user = { token: 't' }) => {
  const cluster = { server: 'https://10.0.0.7:6443' };
  return {
    context: { name: 'ext', ...cluster, cluster, user },
    kube,
    address: undefined,
    isOwnContext: true,
  };
};

describe('creating an ITS writes', () => {
  test('permissions first, the control plane last', async () => {
    const cluster = dryRun([]);
    await createdIts(cluster);
    assert.deepEqual(cluster.writes, [
      'apply ClusterRoleBinding kubeflex-manager-cluster-admin-rolebinding',
      'apply ControlPlane its1',
    ]);
  });
  test('nothing that exists', async () => {
    const cluster = dryRun([managerBinding(), its('its1')]);
    await createdIts(cluster);
    assert.deepEqual(cluster.writes, []);
  });
  test('missing permissions of a control plane, and makes KubeFlex reconcile', async () => {
    const words = 'clusterrolebindings is forbidden';
    const cluster = dryRun([its('its1', { conditions: [notSynced(words)] })]);
    await createdIts(cluster);
    assert.deepEqual(cluster.writes, [
      'apply ClusterRoleBinding kubeflex-manager-cluster-admin-rolebinding',
      'merge ControlPlane its1',
    ]);
  });
  test('a bootstrap Secret only while KubeFlex has no credentials of its own', async () => {
    const way = {
      name: 'its1-bootstrap',
      namespace: 'kubeflex-system',
      inClusterKey: 'kubeconfig-incluster',
    };
    const plane = its('its1', { type: 'external', spec: { bootstrapSecretRef: way } });
    const adopted = its('its1', { type: 'external' });
    const credentials = inSpace('Secret', 'its1', { metadata: { name: 'admin-kubeconfig' } });
    const writes = async (...objects: KubeObject[]) => {
      const cluster = dryRun(objects);
      await createdIts(cluster, { type: 'external', external: external(new MemoryCluster().kube) });
      return cluster.writes;
    };
    assert.deepEqual(await writes(), ['apply Secret its1-bootstrap', 'apply ControlPlane its1']);
    assert.deepEqual(await writes(plane), [
      'apply Secret its1-bootstrap',
      'merge ControlPlane its1',
    ]);
    // It refers to no Secret, or to another: KubeFlex would not find this one.
    assert.equal(
      (await writes(adopted)).filter((write) => write === 'merge ControlPlane its1').length,
      2,
    );
    assert.deepEqual(await writes(plane, credentials), []);
  });
});

describe('creating an ITS writes nothing', () => {
  const refused = async (
    objects: readonly KubeObject[],
    input: Partial<ItsInput>,
    expected: object,
    kube = {},
  ) => {
    const cluster = dryRun(objects, kube);
    await assert.rejects(createdIts(cluster, input), expected);
    assert.deepEqual(cluster.writes, []);
  };
  const hub = established('managedclusters.cluster.open-cluster-management.io');
  test('over an existing OCM', () =>
    refused(
      [hub],
      {},
      failsWith({ code: 'name-taken', message: /is already an OCM hub/, steps: /--no-ocm/ }),
    ));
  test('without OCM if it is missing', () =>
    refused(
      [],
      { installOcm: false },
      failsWith({ code: 'not-a-hub', steps: /Without --no-ocm/ }),
    ));
  test('without the cluster to use', () =>
    refused([], { type: 'external' }, failsWith({ code: 'usage', steps: /--bootstrap-context/ })));
  test('without all permissions', () =>
    refused(
      [],
      {},
      { code: 'forbidden', message: /create clusterrolebindings/ },
      { mayI: async () => false },
    ));
});

test('a new ITS that would stop a WDS without an ITS name is reported', async () => {
  const progress = recordingProgress();
  const cluster = dryRun([its('its2'), wds('wds1'), wds('wds2', 'its2')]);
  await createdIts(cluster, {}, { ...soon(), progress });
  const notes = progress.lines.filter((line) => line.startsWith('note'));
  assert.equal(notes.length, 1);
  matches(notes[0], /wds1 names no ITS.*stellarctl wds repair wds1 --its ITS/);
});

test('when creating an ITS ends after the bootstrap Secret, possible leftovers are named with the command that removes them', async () => {
  const cluster = new MemoryCluster(chart, {
    apply: async ({ kind = '' }) => {
      if (kind === 'ControlPlane')
        throw new StellarError('forbidden', 'Not allowed.', { step: 'Ask somebody.' });
      return 'created';
    },
  });
  const { error, changed } = await createdIts(cluster, {
    type: 'external',
    external: external(new MemoryCluster().kube),
  });
  assert.deepEqual([error?.code, stepsOf(error), changed], ['forbidden', 'Ask somebody.', true]);
  matches(
    error?.details.join(),
    /may exist in part\. To remove it: stellarctl its delete its1 --hosting-context kind-kubeflex/,
  );
});

describe('creating a WDS', () => {
  const two = [its('its1'), its('its2')];
  test('writes the corrected hook before the control plane that uses it', async () => {
    const cluster = dryRun([...two, managerBinding()]);
    await createdWds(cluster, { itsName: 'its2', apiGroups: ['apps', 'batch'] });
    assert.deepEqual(cluster.writes, [
      'apply PostCreateHook stellarctl-transport-controller',
      'apply ControlPlane wds1',
    ]);
    const { spec } = cluster.bodies[1] as ReturnType<typeof wds>;
    assert.deepEqual(
      spec?.postCreateHooks?.map(({ hookName }) => hookName),
      ['kubestellar-controller', 'stellarctl-transport-controller'],
    );
    assert.deepEqual(spec?.postCreateHooks?.[0]?.vars, { APIGroups: 'apps,batch' });
  });
  test('needs nothing else if it exists, unless given another ITS', async () => {
    const cluster = dryRun([...two, managerBinding(), wds('wds1', 'its1')]);
    await createdWds(cluster, { itsName: 'its1' });
    await createdWds(cluster);
    await assert.rejects(
      createdWds(cluster, { itsName: 'its2' }),
      failsWith({
        code: 'name-taken',
        steps: /stellarctl wds repair wds1 --its its2 --hosting-context kind-kubeflex/,
      }),
    );
    assert.deepEqual(cluster.writes, []);
  });
  test('is refused if its ITS has works of a WDS of this name, or does not show them', async () => {
    const ready = its('its1', { conditions: [conditions.synced, conditions.ready] });
    const created = (kube: Partial<Kube> = {}, works = [workOf('shop', 'wds1', 'c1')]) =>
      createdWds(dryRun([ready, managerBinding(), ...works], kube));
    await assert.rejects(created(), {
      code: 'name-taken',
      message: /its1 has 1 work on c1 that a WDS wds1 has sent/,
    });
    const list: Kube['list'] = async ({ plural }) => {
      if (plural === 'manifestworks') throw new StellarError('forbidden', 'You may not.');
      return plural === 'controlplanes' ? ([ready] as never) : (chart as never);
    };
    await assert.rejects(created({ list }), { code: 'loss-unknown' });
    assert.equal((await created({}, [])).error, undefined);
  });
  test('accepts names of API groups', () =>
    assert.rejects(createdWds(dryRun([]), { apiGroups: ['apps', 'Not/One'] }), {
      code: 'usage',
      message: /"Not\/One"/,
    }));
});

describe('a space is shown', () => {
  const ready = [conditions.synced, conditions.ready];
  test('to a user who may not read its Secret, as far as visible', async () => {
    const cluster = new MemoryCluster([
      its('its1', { type: 'vcluster' }),
      inSpace('StatefulSet', 'its1', statefulSet('vcluster')),
    ]);
    for (const plural of ['secrets', 'jobs', 'pods']) cluster.forbidden.add(plural);
    const view = await getSpace('its1', 'its', toolsOn(cluster.kube));
    assert.deepEqual([view.ready, view.stage, view.diagnosis], [false, 'api-server', null]);
    const whyOf = (id: string) => view.stages.find((stage) => stage.id === id)?.why;
    assert.equal(whyOf('reachable'), 'this user may not read how to reach it');
    assert.equal(whyOf('its-hub-init'), 'this user may not read jobs in its1-system');
    assert.equal(whyOf('ready'), 'Waiting for PostCreateHook completion');
  });
  test("even if the Secret of its ITS may not be read, which hides only the ITS's part", async () => {
    const get: Kube['get'] = async (resource, name, options) => {
      if (resource.kind === 'Secret') throw new StellarError('forbidden', 'Not allowed.');
      return plain.kube.get(resource, name, options);
    };
    const plain = new MemoryCluster([
      wds('wds1', '', { conditions: ready }),
      its('its1', { type: 'vcluster', conditions: ready }),
      ...['kubestellar-controller-manager', 'transport-controller'].map((name) =>
        inSpace('Deployment', 'wds1', deployment(name)),
      ),
      ...[
        'bindings',
        'bindingpolicies',
        'statuscollectors',
        'combinedstatuses',
        'customtransforms',
      ].map((plural) => established(`${plural}.control.kubestellar.io`)),
    ]);
    const view = await getSpace('wds1', 'wds', toolsOn({ ...plain.kube, get }));
    assert.deepEqual(
      [view.ready, view.diagnosis, view.its],
      [true, null, { name: 'its1', named: false }],
    );
  });
  test('with the credentials that doctor finds expired, and with what is waited for if there is a step', async () => {
    const token = tokenWith({ exp: now / 1000 - 7200 });
    const secret = kubeconfigSecret(
      'its1',
      { server: 'https://c' },
      { token },
      'admin-kubeconfig',
      'kubeconfig-incluster',
    );
    const cluster = new MemoryCluster(
      [its('its1', { type: 'external', conditions: ready }), secret],
      { now: () => now },
    );
    const view = await getSpace('its1', 'its', toolsOn(cluster.kube));
    assert.equal(view.diagnosis?.problem, 'The token of KubeFlex for its1 ended 120m ago.');
    matches(view.diagnosis.next, /^stellarctl its renew its1 /);
    const manager = [
      { kind: 'Deployment', ...deployment('kubeflex-controller-manager') },
      its('its1', { conditions: [] }),
    ];
    const waited = await getSpace('its1', 'its', toolsOn(new MemoryCluster(manager).kube));
    matches(waited.diagnosis?.next, /logs deployment\/kubeflex-controller-manager$/);
  });
  test('as being deleted, whatever its conditions say', async () => {
    const cluster = new MemoryCluster([its('its1', { conditions: ready, deleting: true })]);
    const view = await getSpace('its1', 'its', toolsOn(cluster.kube));
    assert.deepEqual(
      [view.ready, view.stage, view.diagnosis?.problem],
      [false, 'deleting', 'its1 is being deleted.'],
    );
  });
  test('only as what it is', async () => {
    const cluster = new MemoryCluster([its('its1')]);
    await assert.rejects(
      getSpace('its1', 'wds', toolsOn(cluster.kube)),
      failsWith({
        code: 'not-found',
        message: /its1 is an ITS/,
        steps: /^See its stages: stellarctl its get its1/,
      }),
    );
  });
});

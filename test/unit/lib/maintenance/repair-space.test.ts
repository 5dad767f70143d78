import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { type RepairEffects, repairSpace } from '../../../../src/lib/maintenance/repair-space.ts';
import type {
  ControlPlane,
  PostCreateHook,
} from '../../../../src/lib/ocm/model/kubeflex-objects.ts';
import {
  type ControlPlaneOptions,
  conditions,
  inSpace,
  its,
  job,
  kubeconfigSecret,
  MemoryCluster,
  pod,
  soon,
  statefulSet,
  toolsOf,
  transportHook,
  wds,
  wdsDeployments,
} from '../../support/space-builders.ts';
import { failsWith } from '../../support/steps.ts';

/** A dry run of a repair: its writes. The WDS has no Bindings. */
async function repair(
  name: string,
  role: 'its' | 'wds',
  objects: readonly KubeObject[],
  itsName?: string,
  confirm = async (_: RepairEffects) => false,
) {
  const cluster = new MemoryCluster(objects, { dryRun: true, review: async () => ({}) });
  const result = await repairSpace({ name, role, itsName, confirm }, toolsOf(cluster.kube), {
    ...soon(),
    dryRun: true,
  });
  return { result, writes: cluster.writes, bodies: cluster.bodies };
}

/** The writes of a repair of its1. */
const writesOf = async (...objects: KubeObject[]) => (await repair('its1', 'its', objects)).writes;

describe('a failed Job', () => {
  const failed = inSpace('Job', 'its1', job('its-hub-init', 'failed'));
  test('is deleted, and KubeFlex is asked to recreate it', async () =>
    assert.deepEqual(await writesOf(its('its1'), failed), [
      'delete Job its-hub-init',
      'merge ControlPlane its1',
    ]));
  test('is removed from a control plane that reports its hook as applied (kflex create)', async () => {
    const marked = its('its1', { applied: ['its-hub-init'] });
    const { writes, bodies } = await repair('its1', 'its', [marked, failed]);
    assert.deepEqual(writes, [
      'delete Job its-hub-init',
      'merge ControlPlane/status its1',
      'merge ControlPlane its1',
    ]);
    assert.deepEqual(bodies[1], {
      status: { postCreateHooks: { 'its-hub-init': null }, postCreateHookCompleted: false },
    });
  });
  test('that publishes the address of a vcluster is deleted as well; one of another owner is not', async () => {
    const others = ['update-cluster-info', 'mine'].map((name) =>
      inSpace('Job', 'its1', job(name, 'failed')),
    );
    const writes = await writesOf(its('its1', { type: 'vcluster' }), ...others);
    assert.deepEqual(writes.slice(0, -1), ['delete Job update-cluster-info']);
  });
  test('is the only one that is changed', async () => {
    const jobs = [job('its-hub-init', 'complete'), job('install-status-addon')].map((each) =>
      inSpace('Job', 'its1', each),
    );
    assert.deepEqual(await writesOf(its('its1'), ...jobs), []);
  });
});

describe('an ITS of type vcluster whose hub is complete', () => {
  const cluster = { server: 'https://its1.example.com' };
  const ready = its('its1', {
    type: 'vcluster',
    conditions: [conditions.synced, conditions.ready],
  });
  const crd = (name: string) => ({
    ...{ kind: 'CustomResourceDefinition', metadata: { name } },
    status: { conditions: [{ type: 'Established', status: 'True' }] },
  });
  const account = {
    kind: 'ServiceAccount',
    metadata: { name: 'agent-registration-bootstrap', namespace: 'open-cluster-management' },
  };
  const hub = [
    ...['its-hub-init', 'install-status-addon'].map((name) =>
      inSpace('Job', 'its1', job(name, 'complete')),
    ),
    inSpace('StatefulSet', 'its1', statefulSet('vcluster')),
    kubeconfigSecret('its1', cluster, { token: 't' }, 'vc-vcluster', 'config'),
    ...[
      'managedclusters.cluster.open-cluster-management.io',
      'workstatuses.control.kubestellar.io',
    ].map(crd),
    { ...pod('hub', { namespace: 'open-cluster-management-hub', ready: true }), kind: 'Pod' },
    ready,
  ];
  const published = inSpace('Job', 'its1', job('update-cluster-info', 'complete'));
  const addon = {
    kind: 'Deployment',
    metadata: { name: 'addon-status-controller', namespace: 'open-cluster-management' },
  };
  test('but whose address is missing has it published again', async () => {
    assert.deepEqual(await writesOf(...hub, addon, account, published), [
      'delete Job update-cluster-info',
      'merge ControlPlane its1',
    ]);
    assert.deepEqual(await writesOf(...hub, addon, account), ['merge ControlPlane its1']);
  });
  test('is not written to for what a repair does not create', async () => {
    const clusterInfo = {
      ...{ kind: 'ConfigMap', metadata: { name: 'cluster-info', namespace: 'kube-public' } },
      data: { kubeconfig: JSON.stringify({ clusters: [{ name: '', cluster }] }) },
    };
    assert.deepEqual(await writesOf(...hub, addon, published, clusterInfo), []);
    assert.deepEqual(
      await writesOf(...hub, account, published, clusterInfo),
      ['delete Job install-status-addon', 'merge ControlPlane its1'],
      'its status add-on is gone',
    );
  });
});

test('the StatefulSet of an ITS gets the images of the registry unless a Job of its hooks runs', async () => {
  const image = 'ghcr.io/loft-sh/vcluster:0.16.4';
  const template = { spec: { containers: [{ name: 'syncer', image }] } };
  const server = { ...statefulSet('vcluster'), spec: { replicas: 1, template } };
  const hook = {
    ...{ kind: 'PostCreateHook', metadata: { name: 'its-hub-init' } },
    spec: { templates: [{ image: 'registry.example/kubestellar/clusteradm:1.0.0' }] },
  };
  const ofJob = { ...pod('its-hub-init-x', { ready: true, phase: 'Running' }) };
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'its-hub-init' };
  const running = { ...ofJob, metadata: { ...ofJob.metadata, ownerReferences: [owner] } };
  const asked: unknown[] = [];
  const repaired = (others: readonly KubeObject[]) =>
    repair(
      'its1',
      'its',
      [its('its1', { type: 'vcluster' }), inSpace('StatefulSet', 'its1', server), hook, ...others],
      undefined,
      async ({ images }) => {
        asked.push(images);
        return true;
      },
    );
  assert.deepEqual((await repaired([inSpace('Pod', 'its1', running)])).writes, []);
  assert.deepEqual(asked, []);
  assert.deepEqual((await repaired([])).writes, ['merge StatefulSet vcluster']);
  assert.match(String(asked[0]), /images of vcluster are not from registry\.example/);
});

describe('the writes of a repair', () => {
  const failed = inSpace('Job', 'its1', job('its-hub-init', 'failed'));
  /** A repair that does not become ready in time. @param meanwhile while it waits for the Lease */
  async function repairForReal(
    objects: readonly KubeObject[],
    meanwhile = (_: MemoryCluster) => {},
  ) {
    const cluster = new MemoryCluster(objects, {
      create: async ({ kind }, body) => {
        cluster.writes.push(`create ${kind}`);
        meanwhile(cluster);
        return body;
      },
      fork: () => cluster.kube,
    });
    const target = { file: '/no/such/kubeconfig', env: {} };
    await repairSpace(
      { name: 'its1', role: 'its', confirm: async () => false },
      toolsOf(cluster.kube, { target }),
      soon(100),
    ).catch(() => undefined);
    return cluster.writes.filter((write) => write !== 'merge ControlPlane its1');
  }

  test('are made while no other run writes to the hosting cluster', async () =>
    assert.deepEqual(await repairForReal([its('its1'), failed]), [
      'create Lease',
      'delete Job its-hub-init',
      'delete Lease stellarctl',
    ]));
  test('are left out if the other run has made them', async () => {
    const without = (cluster: MemoryCluster) => void cluster.objects.pop();
    assert.deepEqual(await repairForReal([its('its1'), failed], without), [
      'create Lease',
      'delete Lease stellarctl',
    ]);
  });
  test('need no Lease if there are none', async () =>
    assert.deepEqual(await repairForReal([its('its1')]), []));
});

describe('a WDS', () => {
  const hook30 = { ...transportHook('0.30'), kind: 'PostCreateHook' } as PostCreateHook;
  const correctedHooks = [
    { hookName: 'kubestellar-controller' },
    { hookName: 'stellarctl-transport-controller' },
  ];
  const hookOf = (deployment: string, name: string): PostCreateHook => ({
    ...hook30,
    metadata: { name },
    spec: {
      templates: [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: deployment } }],
    },
  });
  const repairWds = (
    itsName: string,
    planes: readonly ControlPlane[],
    deployments: ReturnType<typeof wdsDeployments>,
    options: ControlPlaneOptions = {},
    asked?: string,
    confirm?: (effects: RepairEffects) => Promise<boolean>,
    others: readonly KubeObject[] = [],
  ) =>
    repair(
      'wds1',
      'wds',
      [
        wds('wds1', itsName, { conditions: [conditions.synced], ...options }),
        ...planes,
        ...deployments.map((each) => inSpace('Deployment', 'wds1', each)),
        hook30,
        hookOf('transport-controller', 'stellarctl-transport-controller'),
        hookOf('kubestellar-controller-manager', 'kubestellar-controller'),
        ...others,
      ],
      asked,
      confirm,
    );
  const one = [its('its1')];
  const two = [its('its1'), its('its2')];
  const plane = 'merge ControlPlane wds1';
  const [manager, transport] = [
    'Deployment kubestellar-controller-manager',
    'Deployment transport-controller',
  ];
  const correction = 'apply PostCreateHook stellarctl-transport-controller';
  /** The transport is stopped, the hook and the ITS change, and the controllers are created anew; the ControlPlane notes each step. */
  const rewiring = [
    ...[plane, `merge ${transport}`, plane],
    ...[`merge ${manager}`, correction, plane],
    ...[`merge ${manager}`, `delete ${manager}`, plane],
    ...[`delete ${transport}`, plane, plane, plane],
  ];
  const isChange = (body: unknown) =>
    (body as { spec?: { globalVars?: object } } | undefined)?.spec?.globalVars;
  const toldIts2 = { spec: { globalVars: { ITSName: 'its2' }, postCreateHooks: correctedHooks } };

  test('that the chart has given a name loses the name while there is only one ITS', async () => {
    const { writes, bodies } = await repairWds('its1', one, wdsDeployments('its1'));
    assert.deepEqual(
      writes,
      rewiring.filter((write) => write !== correction),
    );
    assert.deepEqual(bodies.find(isChange), {
      spec: {
        globalVars: { ITSName: '' },
        postCreateHooks: [
          { hookName: 'kubestellar-controller' },
          { hookName: 'transport-controller' },
        ],
      },
    });
  });
  test('that the chart has given a name is repaired before it fails', async () =>
    assert.deepEqual((await repairWds('its1', one, [])).writes, [plane, plane]));
  test('loses its Deployments by UID, so those that KubeFlex has recreated stay', async () => {
    const deployments = wdsDeployments('its1').map((each) => ({
      ...each,
      metadata: { ...each.metadata, uid: `uid of ${each.metadata.name}` },
    }));
    const { writes, bodies } = await repairWds('its1', one, deployments);
    const uids = writes.flatMap((write, index) =>
      write.startsWith('delete') ? [bodies[index]] : [],
    );
    assert.deepEqual(uids, [
      'uid of kubestellar-controller-manager',
      'uid of transport-controller',
    ]);
  });
  test('that names none gets a corrected hook if there are several, and new Deployments', async () => {
    const { writes, bodies } = await repairWds('', two, wdsDeployments(''), {}, 'its2');
    assert.deepEqual(writes, rewiring);
    assert.deepEqual(bodies.find(isChange), toldIts2);
  });
  test('has its hook state reset, or KubeFlex would not run them again', async () => {
    const applied = ['kubestellar-controller', 'transport-controller'];
    const { bodies } = await repairWds('its1', two, wdsDeployments('its1'), { applied }, 'its2');
    const resets = bodies.filter(
      (body) => (body as { status?: object } | undefined)?.status !== undefined,
    );
    assert.deepEqual(
      resets,
      applied.map((hook) => ({
        status: { postCreateHooks: { [hook]: null }, postCreateHookCompleted: false },
      })),
    );
  });
  test('continues an interrupted repair from any point', async () => {
    const half = { hooks: correctedHooks };
    const selectorLeft = wdsDeployments('its2');
    const ofOther = wdsDeployments('its1', { selector: false });
    for (const deployments of [selectorLeft, ofOther])
      assert.deepEqual((await repairWds('its2', two, deployments, half, 'its2')).writes, rewiring);
    const left = ofOther.slice(1);
    const others = rewiring.filter((write) => !write.endsWith(transport));
    assert.deepEqual((await repairWds('its2', two, left, half, 'its2')).writes, others);
  });
  test('that names its ITS through a hook variable uses the other way from now on', async () => {
    const hooks = [
      { hookName: 'kubestellar-controller', vars: { ITSName: 'its1', APIGroups: 'apps' } },
      { hookName: 'transport-controller' },
    ];
    const { bodies } = await repairWds('', two, wdsDeployments('its1'), { hooks }, 'its2');
    assert.deepEqual(bodies.find(isChange), {
      spec: {
        globalVars: { ITSName: 'its2' },
        postCreateHooks: [
          { hookName: 'kubestellar-controller', vars: { APIGroups: 'apps' } },
          { hookName: 'stellarctl-transport-controller' },
        ],
      },
    });
  });

  test('asks about what it has sent through the ITS that it leaves', async () => {
    const work = {
      ...{ kind: 'ManifestWork', metadata: { name: 'w' } },
      spec: {
        workload: {
          manifests: [{ kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } }],
        },
      },
    };
    const asked: string[][] = [];
    const refuse = async ({ remaining }: RepairEffects): Promise<boolean> => {
      asked.push([...remaining]);
      throw new StellarError('not-confirmed', 'no');
    };
    const moving = (confirm: typeof refuse) =>
      repairWds('its1', two, wdsDeployments('its1'), {}, 'its2', confirm, [work]);
    await assert.rejects(moving(refuse), { code: 'not-confirmed' });
    assert.match(String(asked), /^ConfigMap shop\/a on .+, through its1$/);
    assert.deepEqual((await moving(async () => true)).writes, rewiring);
  });

  test('whose hooks name a registry gets its images while both controllers are stopped, after a question', async () => {
    const image = 'quay.io/kubestellar/clusteradm:1.0.0';
    const hubInit = { kind: 'PostCreateHook', metadata: { name: 'its-hub-init' } };
    const registry = (of: string) => ({ ...hubInit, spec: { templates: [{ image: of }] } });
    const withImages = wdsDeployments('').map((each) => ({
      ...each,
      spec: {
        replicas: 1,
        template: {
          spec: { containers: [{ name: 'c', image: `ghcr.io/${each.metadata.name}:1` }] },
        },
      },
    }));
    const asked: unknown[] = [];
    const confirm = async ({ images }: RepairEffects) => {
      asked.push(images);
      return true;
    };
    const repaired = (hook: KubeObject, others: readonly KubeObject[] = []) =>
      repairWds('', one, withImages, {}, undefined, confirm, [hook, ...others]);
    assert.deepEqual((await repaired(registry(image))).writes, []);
    const inMirror = registry(image.replace('quay.io', 'registry.example'));
    const { writes, bodies } = await repaired(inMirror);
    assert.deepEqual(asked, [
      'The images of transport-controller, kubestellar-controller-manager are not from registry.example, which the hooks name',
    ]);
    assert.deepEqual(writes, [
      ...[plane, `merge ${transport}`, plane],
      ...[`merge ${manager}`, `merge ${transport}`, `merge ${manager}`],
      plane,
    ]);
    const images = JSON.stringify(bodies).match(/"image":"[^"]+"/g);
    assert.deepEqual(images, [
      '"image":"registry.example/transport-controller:1"',
      '"image":"registry.example/kubestellar-controller-manager:1"',
    ]);
  });

  test('gets controllers back that were deleted after KubeFlex had created them', async () => {
    const applied = ['kubestellar-controller', 'transport-controller'];
    const [, left = {} as never] = wdsDeployments('');
    const forget = 'merge ControlPlane/status wds1';
    const { writes } = await repairWds('', one, [left], { applied });
    assert.deepEqual(writes, [
      ...[plane, plane, `merge ${manager}`, `delete ${manager}`],
      ...[forget, plane, forget, plane, plane],
    ]);
  });

  describe('is not changed if nothing is broken:', () => {
    test('an unnamed one with the only ITS, requested or not', async () => {
      assert.deepEqual((await repairWds('', one, wdsDeployments(''))).writes, []);
      assert.deepEqual((await repairWds('', one, wdsDeployments(''), {}, 'its1')).writes, []);
    });
    test('one with a corrected hook, even if only one ITS is left', async () => {
      const wired = wdsDeployments('its1', { selector: false });
      assert.deepEqual((await repairWds('its1', two, wired, { hooks: correctedHooks })).writes, []);
      assert.deepEqual((await repairWds('its1', one, wired, { hooks: correctedHooks })).writes, []);
    });
    test('one of an older chart', async () => {
      const older = { hooks: [], spec: { postCreateHook: 'wds', postCreateHooks: [] } };
      assert.deepEqual((await repairWds('', two, [], older)).writes, []);
    });
  });

  test('needs an explicit ITS if there are several and none is named', () =>
    assert.rejects(repairWds('', two, wdsDeployments('')), { code: 'several-its' }));
});

describe('nothing is repaired', () => {
  test('if it does not exist, or is something else', async () => {
    await assert.rejects(
      repair('its1', 'its', []),
      failsWith({ code: 'not-found', steps: /its list --hosting-context/ }),
    );
    await assert.rejects(
      repair('wds1', 'its', [wds('wds1')]),
      failsWith({ code: 'not-found', steps: /^See its stages: stellarctl wds get wds1/ }),
    );
  });
});

/** Compares the stand-in of KubeFlex's manager with records of the real one (expected/control-planes.ts). */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlPlaneRecorder } from './conformance/control-plane-recorder.ts';
import * as expected from './expected/control-planes.ts';
import { type Bed, type Plane, startBed, until } from './index.ts';
import type { Api } from './kube/api.ts';
import { findCondition } from './kube/conditions.ts';
import { kubeconfigOf, readCurrentContext } from './kube/kubeconfig.ts';
import type { AnyObject, ConfigMap, KubeObject, Secret } from './kube/objects.ts';
import {
  clusterRoleBindings,
  clusterRoles,
  configMaps,
  controlPlanes,
  jobs,
  namespaces,
  postCreateHooks,
  secrets,
  serviceAccounts,
} from './kube/resources.ts';
import type { ControlPlane } from './kubeflex/objects.ts';
import { installKubeStellar } from './kubestellar/install.ts';

/** Nothing may change any more in this time: longer than KubeFlex's stand-in waits for anything. */
const settling = 2_500;
const clusterAdmin = 'kubeflex-manager-cluster-admin-rolebinding';

let bed: Bed;
let hosting: Plane;
let adopted: Plane;
let api: Api;

before(async () => {
  bed = await startBed({ planes: [{ name: 'hosting' }, { name: 'adopted' }], log: console.error, isCopy: true });
  [hosting, adopted] = [bed.plane('hosting'), bed.plane('adopted')];
  api = hosting.admin;
  await installKubeStellar(hosting, { values: { InstallPCHs: false } });
  await api.create<AnyObject>(clusterRoleBindings, {
    metadata: { name: clusterAdmin },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'kubeflex-controller-manager', namespace: 'kubeflex-system' }],
  });
  const labels = { 'kflex.kubestellar.io/cptype': 'its' };
  await createHook('its-hub-init', [job('{{.HookName}}')], labels);
  await createHook('install-status-addon', [job('install-status-addon')], labels);
});

after(() => bed?.stop());

describe('a control plane', () => {
  it('of type host waits for the Jobs of its hooks', async () => {
    const spec = { ...hooks('its-hub-init', 'install-status-addon'), type: 'host' as const };
    await withControlPlane('its1', spec, async (recorder) => {
      await until(() => api.find(jobs, 'its1-system/its-hub-init').then(Boolean));
      await complete('its1-system/its-hub-init');
      await untilConforms(recorder, expected.host('its1'));
      const { data } = await api.get<Secret>(secrets, 'its1-system/admin-kubeconfig');
      const { connection } = readCurrentContext(plain(data?.['kubeconfig-incluster']));
      assert.equal(connection.server, 'https://kubernetes.default.svc');
      await complete('its1-system/install-status-addon');
      await until(async () => findCondition(await conditionsOf('its1'), 'Ready')?.reason === 'Available');
    });
  });

  it('of type host fails if KubeFlex may not grant the permissions that it needs', async () => {
    const binding = await api.get<AnyObject>(clusterRoleBindings, clusterAdmin);
    await api.delete(clusterRoleBindings, clusterAdmin);
    const { resourceVersion: _, uid: __, ...metadata } = binding.metadata;
    try {
      await withControlPlane('its2', { type: 'host' }, async () => {
        await until(async () => /attempting to grant RBAC permissions/.test(await syncedMessage('its2')));
        assert.match(await syncedMessage('its2'), /clusterrolebindings.* "its2-binding" is forbidden/);
        await api.create<AnyObject>(clusterRoleBindings, { ...binding, metadata });
        await until(async () => findCondition(await conditionsOf('its2'), 'Ready')?.reason === 'Available');
      });
    } finally {
      await api.ensure(clusterRoleBindings, { ...binding, metadata });
    }
  });

  it('of type external uses the bootstrap Secret once', async () => {
    await createBootstrap('its3-bootstrap');
    const spec = {
      ...hooks('its-hub-init'),
      type: 'external' as const,
      bootstrapSecretRef: {
        name: 'its3-bootstrap',
        namespace: 'kubeflex-system',
        inClusterKey: 'kubeconfig-incluster',
      },
    };
    await withControlPlane('its3', spec, async (recorder) => {
      await untilConforms(recorder, expected.external);
      assert.equal(await api.find(secrets, 'kubeflex-system/its3-bootstrap'), undefined);
      assert.ok(await adopted.admin.find(serviceAccounts, 'kube-system/kubeflex'));
      const { data } = await api.get<Secret>(secrets, 'its3-system/admin-kubeconfig');
      const { connection } = readCurrentContext(plain(data?.['kubeconfig-incluster']));
      assert.equal(connection.server, adopted.internalServer);
      const { exp, iat } = claimsOf(connection.token as string);
      assert.equal(exp - iat, 365 * 86_400);
      // A later one stays.
      await createBootstrap('its3-bootstrap');
      await touch('its3');
      await sleep(settling);
      assert.ok(await api.find(secrets, 'kubeflex-system/its3-bootstrap'));
    });
  });

  it('of type external reports problems of the bootstrap Secret', async () => {
    const bootstrapSecretRef = { name: 'its4', namespace: 'default', inClusterKey: 'kubeconfig-incluster' };
    await withControlPlane('its4', { type: 'external', bootstrapSecretRef }, async () => {
      await until(async () => (await syncedMessage('its4')) === 'Secret "its4" not found');
      await createBootstrap('its4', 'default', { server: 'https://127.0.0.1:6443' });
      await touch('its4');
      const refused = 'dial tcp 127.0.0.1:6443: connect: connection refused';
      const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/kubeflex-clusterrolebinding';
      const what = 'error creating ClusterRoleBinding on the adopted cluster';
      const wanted = `${what}: Get "https://127.0.0.1:6443${path}": ${refused}`;
      await until(async () => (await syncedMessage('its4')) === wanted);
    });
  });

  it('of type k8s needs PostgreSQL', async () => {
    const key = 'kubeflex-system/postgres-postgresql';
    const postgres = await api.get<Secret>(secrets, key);
    await api.delete(secrets, key);
    const { resourceVersion: _, uid: __, ...metadata } = postgres.metadata;
    await withControlPlane('wds1', { type: 'k8s' }, async (recorder) => {
      await untilConforms(recorder, expected.k8sWithoutPostgres('wds1'));
      await api.create<Secret>(secrets, { ...postgres, metadata });
      await touch('wds1');
      await untilConforms(recorder, expected.k8s('wds1'));
      const nested = await bed.nested('wds1');
      await nested.create<ConfigMap>(configMaps, { metadata: { namespace: 'default', name: 'there' } });
    });
  });

  it('of type vcluster has an internal and an external address', async () => {
    await withControlPlane('its5', { type: 'vcluster' }, async (recorder) => {
      await untilConforms(recorder, expected.vcluster('its5'));
      const { data } = await api.get<Secret>(secrets, 'its5-system/vc-vcluster');
      const [outside, inside] = ['config', 'config-incluster'].map((key) => readCurrentContext(plain(data?.[key])));
      assert.equal(outside?.connection.server, 'https://its5.localtest.me:9443');
      assert.equal(inside?.connection.server, 'https://vcluster.its5-system');
      const nested = await bed.nested('its5');
      await until(() => nested.find(configMaps, 'kube-public/cluster-info').then(Boolean));
      const info = await nested.get<ConfigMap>(configMaps, 'kube-public/cluster-info');
      assert.match(info.data?.kubeconfig ?? '', /server: https:\/\/hosting-control-plane:3\d{4}\n/);
    });
  });

  it('with a missing hook reports nothing', async () => {
    const spec = { ...hooks('none'), type: 'host' as const };
    await withControlPlane('nohook', spec, (recorder) => untilConforms(recorder, expected.missingHook('nohook')));
  });

  it('is deleted with its namespace and its objects outside namespaces', async () => {
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'for-{{.ControlPlaneName}}' },
    };
    await createHook('cluster-scoped', [{ ...role, rules: [] }]);
    await create('its6', { ...hooks('cluster-scoped'), type: 'host' });
    await until(() => api.find(clusterRoles, 'for-its6').then(Boolean));
    await remove('its6');
    for (const key of ['for-its6', 'its6-binding'])
      await until(async () => !(await api.find(key === 'for-its6' ? clusterRoles : clusterRoleBindings, key)));
  });
});

describe('a hook', () => {
  it('has variables from four sources, of which the last wins', async () => {
    const data = { a: '{{.A}}', b: '{{.B}}', c: '{{.C}}', d: '{{.Namespace}}', e: '{{.Nothing}}' };
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '{{.HookName}}' }, data };
    const defaultVars = ['A', 'B', 'C'].map((name) => ({ name, value: 'default' }));
    await api.create<AnyObject>(postCreateHooks, {
      metadata: { name: 'vars' },
      spec: { templates: [map], defaultVars },
    });
    const spec = {
      type: 'host' as const,
      globalVars: { B: 'global', C: 'global', Namespace: 'mine' },
      postCreateHooks: [{ hookName: 'vars', vars: { C: 'hook' } }],
    };
    await withControlPlane('vars', spec, async () => {
      await until(() => api.find(configMaps, 'vars-system/vars').then(Boolean));
      const found = await api.get<ConfigMap>(configMaps, 'vars-system/vars');
      assert.deepEqual(found.data, { a: 'default', b: 'global', c: 'hook', d: 'vars-system', e: '<no value>' });
    });
  });

  it('with a failed Job is not reported; the Job is recreated once it is deleted', async () => {
    await withControlPlane('failing', { ...hooks('its-hub-init'), type: 'host' }, async () => {
      const key = 'failing-system/its-hub-init';
      await until(() => api.find(jobs, key).then(Boolean));
      await fail(key);
      const before = await api.get<KubeObject>(jobs, key);
      const reason = async () => findCondition(await conditionsOf('failing'), 'Ready')?.reason;
      await until(async () => (await reason()) === 'WaitingForPostCreateHooks');
      await sleep(settling);
      assert.equal(await reason(), 'WaitingForPostCreateHooks');
      await api.delete(jobs, key, { propagationPolicy: 'Background' });
      await until(async () => {
        const found = await api.find<KubeObject>(jobs, key);
        return found !== undefined && found.metadata.uid !== before.metadata.uid;
      });
    });
  });

  it('keeps fields changed by other users, and is not done then', async () => {
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared' }, data: { a: 'hook' } };
    await createHook('shared', [map, job('never')]);
    await withControlPlane('shared', { ...hooks('shared'), type: 'host' }, async () => {
      const key = 'shared-system/shared';
      await until(() => api.find(jobs, 'shared-system/never').then(Boolean));
      const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared' }, data: { a: 'theirs' } };
      await api.patch(configMaps, key, theirs, { type: 'apply', fieldManager: 'somebody' });
      // A reconciliation that applied its ConfigMap before this change may still be about to look at the Job.
      await sleep(settling);
      await complete('shared-system/never');
      await sleep(settling);
      const found = await api.get<ConfigMap>(configMaps, key);
      assert.equal(found.data?.a, 'theirs');
      assert.notEqual((await api.get<ControlPlane>(controlPlanes, 'shared')).status?.postCreateHooks?.shared, true);
    });
  });
});

type Spec = ControlPlane['spec'];

function hooks(...names: string[]): Pick<Spec, 'postCreateHooks' | 'waitForPostCreateHooks'> {
  return { postCreateHooks: names.map((hookName) => ({ hookName })), waitForPostCreateHooks: true };
}

/** A Job without pods, whose status the test writes. */
function job(name: string): AnyObject {
  const containers = [{ name: 'main', image: 'pause' }];
  const template = { spec: { restartPolicy: 'Never', containers } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { managedBy: 'bed.test/hand', template } };
}

async function createHook(name: string, templates: AnyObject[], labels: Record<string, string> = {}): Promise<void> {
  await api.create<AnyObject>(postCreateHooks, { metadata: { name, labels }, spec: { templates } });
}

function complete(key: string): Promise<KubeObject> {
  return end(key, { succeeded: 1, completionTime: stamp() }, ['SuccessCriteriaMet', 'Complete']);
}

function fail(key: string): Promise<KubeObject> {
  return end(key, { failed: 1 }, ['FailureTarget', 'Failed']);
}

function end(key: string, counts: object, types: string[]): Promise<KubeObject> {
  const conditions = types.map((type) => ({
    type,
    status: 'True',
    lastProbeTime: stamp(),
    lastTransitionTime: stamp(),
  }));
  const status = { startTime: stamp(), ready: 0, terminating: 0, uncountedTerminatedPods: {}, conditions, ...counts };
  return api.patch(jobs, key, { status }, { subresource: 'status' });
}

function stamp(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

async function createBootstrap(name: string, namespace = 'kubeflex-system', change: object = {}): Promise<void> {
  const admin = await adopted.issueUser('adopter', ['system:masters']);
  const entry = adopted.entryFor('adopter', admin);
  const connection = { ...entry.connection, server: adopted.internalServer, ...change };
  const stringData = { 'kubeconfig-incluster': kubeconfigOf([{ ...entry, connection }]) };
  await api.create<Secret>(secrets, { metadata: { name, namespace }, stringData });
}

async function withControlPlane(
  name: string,
  spec: Spec,
  work: (recorder: ControlPlaneRecorder) => Promise<void>,
): Promise<void> {
  const recorder = await ControlPlaneRecorder.start(api, name);
  try {
    await create(name, spec);
    await work(recorder);
  } finally {
    recorder.stop();
    await remove(name);
  }
}

async function create(name: string, spec: Spec): Promise<void> {
  await api.create<ControlPlane>(controlPlanes, { metadata: { name }, spec });
}

/**
 * The control plane itself is deleted in seconds; its namespace takes longer, which is not waited for. The garbage collector
 * discovers a new kind, such as the owner's, only every 30 s.
 */
async function remove(name: string): Promise<void> {
  await api.delete(controlPlanes, name);
  await until(async () => !(await api.find(controlPlanes, name)));
  await until(async () => {
    const namespace = await api.find<KubeObject>(namespaces, `${name}-system`);
    return namespace === undefined || namespace.metadata.deletionTimestamp !== undefined;
  });
}

/** Makes KubeFlex reconcile it: it watches only the objects that it has created. */
async function touch(name: string): Promise<void> {
  await api.patch(controlPlanes, name, { metadata: { annotations: { touched: String(Date.now()) } } });
}

async function conditionsOf(name: string) {
  return (await api.get<ControlPlane>(controlPlanes, name)).status?.conditions;
}

async function syncedMessage(name: string): Promise<string> {
  return findCondition(await conditionsOf(name), 'Synced')?.message ?? '';
}

async function untilConforms(recorder: ControlPlaneRecorder, record: expected.ControlPlaneRecord): Promise<void> {
  const conforms = async () => (await recorder.differences(record)).length === 0;
  // If it never does, the differences show more.
  await until(conforms).catch(() => {});
  await sleep(settling);
  assert.deepEqual(await recorder.differences(record), []);
}

function plain(base64 = ''): string {
  return Buffer.from(base64, 'base64').toString();
}

function claimsOf(token: string): { exp: number; iat: number } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp: number; iat: number };
}

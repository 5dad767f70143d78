/** What pods can do beyond running a program: everything that KubeFlex's and KubeStellar's need of their node. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { stringify } from 'yaml';
import { type Bed, type Plane, startBed, until } from './index.ts';
import { isTrue } from './kube/conditions.ts';
import { readCurrentContext } from './kube/kubeconfig.ts';
import type { AnyObject, Condition, ConfigMap, Pod, Secret } from './kube/objects.ts';
import { configMaps, controlPlanes, customResourceDefinitions, pods, secrets, statefulSets } from './kube/resources.ts';
import { installKubeStellar } from './kubestellar/install.ts';

const crd = 'controlplanes.tenancy.kflex.kubestellar.org';

let bed: Bed;
let hosting: Plane;

before(async () => {
  bed = await startBed({
    planes: [{ name: 'hosting', ingress: true }, { name: 'cluster1' }],
    log: console.error,
    isCopy: true,
  });
  hosting = bed.plane('hosting');
  await installKubeStellar(hosting, { values: { InstallPCHs: false } });
});

after(() => bed?.stop());

describe('a pod', () => {
  it('runs its init containers one after the other before its containers', async () => {
    const first = { ...waitForCrd('first'), env: [{ name: 'CRD', value: crd }] };
    const missing = { name: 'second', image: 'unknown' };
    await createPod('inits', { initContainers: [first, missing], containers: [{ name: 'main', image: 'pause' }] });
    await untilPod('inits', ({ status }) => reasonOf(status?.initContainerStatuses, 'second') === 'ImagePullBackOff');
    const { status } = await podCalled('inits');
    assert.equal(status?.phase, 'Pending');
    assert.equal(status?.initContainerStatuses?.[0]?.state.terminated?.exitCode, 0);
    assert.equal(reasonOf(status?.containerStatuses, 'main'), 'PodInitializing');
    assert.ok(!isTrue((status as { conditions?: Condition[] } | undefined)?.conditions, 'Initialized'));
    assert.match(await logOf('inits', 'container=first'), new RegExp(`${crd} condition met\n$`));
    await assert.rejects(
      logOf('inits', 'container=main'),
      /"main" in pod "inits" is waiting to start: PodInitializing/,
    );
  });

  it('fails with an init container if it may not be restarted', async () => {
    const mend = await bed.fault({ kind: 'failing', image: 'kubectl', log: ['one', 'two'] });
    const restartPolicy = 'Never';
    await createPod('fails', { restartPolicy, initContainers: [waitForCrd('init')], containers: [waitForCrd('main')] });
    await untilPod('fails', ({ status }) => status?.phase === 'Failed');
    await mend();
    assert.equal(await logOf('fails', 'container=init'), 'one\ntwo\n');
    assert.equal(await logOf('fails', 'container=init&tailLines=1'), 'two\n');
  });

  it('has the log of the previous run after a restart', async () => {
    const mend = await bed.fault({ kind: 'failing', image: 'pause', log: ['no'] });
    await createPod('again', { containers: [{ name: 'main', image: 'pause' }] });
    await untilPod('again', ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) > 0);
    await mend();
    await untilPod('again', ({ status }) => status?.containerStatuses?.[0]?.ready === true);
    assert.equal(await logOf('again', 'previous=true'), 'no\n');
    assert.equal(await logOf('again', ''), '');
  });

  it('waits for the objects that its variables refer to', async () => {
    const valueFrom = { configMapKeyRef: { name: 'names', key: 'crd' } };
    await createPod('refers', { containers: [{ ...waitForCrd('main'), env: [{ name: 'CRD', valueFrom }] }] });
    await untilPod(
      'refers',
      ({ status }) => reasonOf(status?.containerStatuses, 'main') === 'CreateContainerConfigError',
    );
    await hosting.admin.create<ConfigMap>(configMaps, {
      metadata: { namespace: 'kubeflex-system', name: 'names' },
      data: { crd },
    });
    await untilPod('refers', ({ status }) => Boolean(status?.containerStatuses?.[0]?.lastState.terminated));
    assert.match(await logOf('refers', 'previous=true'), /condition met/);
  });

  it('starts and does nothing, on request', async () => {
    const mend = await bed.fault({ kind: 'silent', image: 'pause' });
    await createPod('silent', { containers: [{ name: 'main', image: 'pause' }] });
    await untilPod('silent', ({ status }) => Boolean(status?.containerStatuses?.[0]?.state.running));
    await sleep(500);
    assert.equal((await podCalled('silent')).status?.containerStatuses?.[0]?.ready, false);
    await mend();
    await untilPod('silent', ({ status }) => status?.containerStatuses?.[0]?.ready === true);
  });
});

describe('a control plane in a pod', () => {
  before(async () => {
    await hosting.admin.create<AnyObject>(controlPlanes, { metadata: { name: 'its1' }, spec: { type: 'vcluster' } });
    await untilVclusterIs(true);
  });

  it('is reached through the ingress by its name, and by no other name', async () => {
    const { data } = await hosting.admin.get<Secret>(secrets, 'its1-system/vc-vcluster');
    const { connection } = readCurrentContext(Buffer.from(data?.config ?? '', 'base64').toString());
    assert.equal(connection.server, `https://its1.localtest.me:${hosting.ingressPort}`);
    const options = {
      host: '127.0.0.1',
      port: hosting.ingressPort,
      servername: 'its1.localtest.me',
      ca: connection.caPem,
      cert: connection.certPem,
      key: connection.keyPem,
    };
    const [response] = await once(get({ ...options, path: '/api/v1/namespaces/kube-system' }), 'response');
    assert.match(await text(response), /"name":\s?"kube-system"/);
    const other = connect({ ...options, servername: 'its2.localtest.me', rejectUnauthorized: false });
    await once(other, 'secureConnect');
    assert.match(other.getPeerCertificate().subjectaltname ?? '', /traefik\.default/);
    other.destroy();
  });

  it('is reached by pods of other clusters at the NodePort that its cluster-info names', async () => {
    const nested = await bed.nested('its1');
    const found = () => nested.find<ConfigMap>(configMaps, 'kube-public/cluster-info');
    await until(async () => (await found()) !== undefined);
    const [, server] = /server: (\S+)/.exec((await found())?.data?.kubeconfig ?? '') ?? [];
    assert.match(server ?? '', /^https:\/\/hosting-control-plane:\d+$/);
    const { data } = await hosting.admin.get<Secret>(secrets, 'its1-system/vc-vcluster');
    const config = Buffer.from(data?.config ?? '', 'base64').toString();
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name: 'from-outside' } };
    const cluster1 = bed.plane('cluster1').admin;
    await cluster1.create<Secret>(secrets, {
      metadata: { namespace: 'default', name: 'files' },
      stringData: { config: config.replace(/server: \S+/, `server: ${server}`), 'map.yaml': stringify(map) },
    });
    const container = {
      name: 'main',
      image: 'quay.io/kubestellar/kubectl:1.32',
      args: ['apply', '-f', '/files/map.yaml'],
      env: [{ name: 'KUBECONFIG', value: '/files/config' }],
      volumeMounts: [{ name: 'files', mountPath: '/files' }],
    };
    const volumes = [{ name: 'files', secret: { secretName: 'files' } }];
    const spec: Pod['spec'] = { restartPolicy: 'Never', containers: [container], volumes };
    await cluster1.create<Pod>(pods, { metadata: { namespace: 'default', name: 'outside' }, spec });
    await until(async () => (await nested.find(configMaps, 'default/from-outside')) !== undefined);
  });

  it('keeps its data when its pod restarts', async () => {
    const nested = await bed.nested('its1');
    await nested.create<ConfigMap>(configMaps, { metadata: { namespace: 'default', name: 'kept' }, data: { a: 'b' } });
    await hosting.admin.delete(pods, 'its1-system/vcluster-0');
    await untilVclusterIs(false);
    await untilVclusterIs(true);
    assert.equal((await nested.get<ConfigMap>(configMaps, 'default/kept')).data?.a, 'b');
  });

  it('stops answering while its pod is dead, which nothing reports', async () => {
    const nested = await bed.nested('its1');
    const mend = await bed.fault({ kind: 'dead', plane: 'hosting', pod: 'its1-system/vcluster-0' });
    await until(() =>
      nested.list(customResourceDefinitions).then(
        () => false,
        () => true,
      ),
    );
    assert.equal(await isVclusterReady(), true);
    await mend();
    await until(() =>
      nested.list(customResourceDefinitions).then(
        () => true,
        () => false,
      ),
    );
  });
});

function waitForCrd(name: string) {
  const args = ['wait', '--for=create', 'crd/$(CRD)'];
  return { name, image: 'quay.io/kubestellar/kubectl:1.32', args, env: [{ name: 'CRD', value: crd }] };
}

/** As the manager's service account, which may read CRDs. */
async function createPod(name: string, spec: Pod['spec']): Promise<void> {
  const serviceAccountName = 'kubeflex-controller-manager';
  const metadata = { namespace: 'kubeflex-system', name };
  await hosting.admin.create<Pod>(pods, { metadata, spec: { serviceAccountName, ...spec } });
}

function podCalled(name: string): Promise<Pod> {
  return hosting.admin.get<Pod>(pods, `kubeflex-system/${name}`);
}

/** Through the API server, like a user. */
function logOf(name: string, query: string): Promise<string> {
  return hosting.admin.send<string>('GET', `/api/v1/namespaces/kubeflex-system/pods/${name}/log?${query}`);
}

function reasonOf(statuses: NonNullable<Pod['status']>['containerStatuses'], name: string): string | undefined {
  return statuses?.find((status) => status.name === name)?.state.waiting?.reason;
}

async function isVclusterReady(): Promise<boolean> {
  const set = await hosting.admin.find<AnyObject & { status?: { readyReplicas?: number } }>(
    statefulSets,
    'its1-system/vcluster',
  );
  return (set?.status?.readyReplicas ?? 0) > 0;
}

async function untilVclusterIs(ready: boolean): Promise<void> {
  await until(async () => (await isVclusterReady()) === ready);
}

async function untilPod(name: string, isMet: (pod: Pod) => boolean): Promise<void> {
  await until(async () => isMet(await podCalled(name)));
}

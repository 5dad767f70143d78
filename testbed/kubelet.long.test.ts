/** What the kubelet of real programs does for pods, by the programs kubectl and sh. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Bed, type Plane, startBed, until } from './index.ts';
import { findCondition, isTrue } from './kube/conditions.ts';
import type { AnyObject, ConfigMap, ContainerStatus, Pod, Service } from './kube/objects.ts';
import { configMaps, jobs, nodes, pods, secrets, serviceAccounts, services } from './kube/resources.ts';

const kubectl = 'quay.io/kubestellar/kubectl:1.32.13';

let bed: Bed;
let one: Plane;
let other: Plane;

before(async () => {
  bed = await startBed({ planes: [{ name: 'one' }, { name: 'other' }], log: console.error });
  [one, other] = [bed.plane('one'), bed.plane('other')];
  for (const { admin } of [one, other])
    await until(async () => (await admin.find(serviceAccounts, 'default/default')) !== undefined, 'a service account');
});

after(() => bed?.stop());

const shell = (script: string, more: object = {}) => ({
  name: 'main',
  image: kubectl,
  command: ['sh', '-c', script],
  ...more,
});

async function run(name: string, spec: object, { admin } = one): Promise<void> {
  await admin.create<AnyObject>(pods, {
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 5, ...spec },
  } as AnyObject);
}

const podCalled = (name: string, { admin } = one) => admin.get<Pod>(pods, `default/${name}`);
const untilPod = (name: string, holds: (pod: Pod) => unknown, plane = one) =>
  until(async () => Boolean(holds(await podCalled(name, plane))), `pod ${name}`);
/** Waits until a pod is in this phase, and for nothing once it has ended in another. */
async function untilPhase(name: string, phase: string, plane = one): Promise<void> {
  const ended = ['Succeeded', 'Failed'];
  await untilPod(name, ({ status }) => [phase, ...ended].includes(status?.phase ?? ''), plane);
  const { status } = await podCalled(name, plane);
  assert.equal(status?.phase, phase, ended.includes(status?.phase ?? '') ? await logOf(name, '', plane) : '');
}
const logOf = (name: string, query = '', { admin } = one) =>
  admin.send<string>('GET', `/api/v1/namespaces/default/pods/${name}/log?${query}`);
const mainOf = ({ status }: Pod): ContainerStatus | undefined => status?.containerStatuses?.[0];

describe('the files of a pod', () => {
  it('has an emptyDir that its containers share, and its own fields and variables', async () => {
    const volumeMounts = [{ name: 'work', mountPath: '/work' }];
    const fieldRef = { fieldPath: 'status.podIP' };
    await run('files', {
      volumes: [{ name: 'work', emptyDir: {} }],
      initContainers: [
        {
          ...shell('echo $IP $(GREETING) > /work/file'),
          name: 'init',
          volumeMounts,
          env: [
            { name: 'IP', valueFrom: { fieldRef } },
            { name: 'GREETING', value: 'hello' },
          ],
        },
      ],
      containers: [shell('cat /work/file; exit 3', { volumeMounts })],
    });
    await untilPhase('files', 'Failed');
    const pod = await podCalled('files');
    assert.equal(await logOf('files'), `${pod.status?.podIP} hello\n`);
    assert.equal(mainOf(pod)?.state.terminated?.exitCode, 3);
  });

  it('follows a ConfigMap, which it waits for', async () => {
    const mounted = { volumeMounts: [{ name: 'map', mountPath: '/map' }] };
    await run('follows', {
      volumes: [{ name: 'map', configMap: { name: 'map' } }],
      containers: [shell('until grep -q new /map/word; do sleep 0.1; done', mounted)],
    });
    await untilPod('follows', (pod) => mainOf(pod)?.state.waiting?.reason === 'ContainerCreating');
    const metadata = { name: 'map', namespace: 'default' };
    await one.admin.create<ConfigMap>(configMaps, { metadata, data: { word: 'old' } });
    await untilPhase('follows', 'Running');
    await one.admin.patch(configMaps, 'default/map', { data: { word: 'new' } });
    await untilPhase('follows', 'Succeeded');
  });
});

describe('the processes of a pod', () => {
  it('restarts a container that fails, at once and then with back-off, and keeps the log of its previous run', async () => {
    await run('restarts', { restartPolicy: 'Always', containers: [shell('echo run; exit 1')] });
    await untilPod('restarts', (pod) => mainOf(pod)?.state.waiting?.reason === 'CrashLoopBackOff');
    assert.equal(await logOf('restarts', 'previous=true'), 'run\n');
    await one.admin.delete(pods, 'default/restarts');
  });

  it('tells a container to end, and waits for it as long as the pod allows', async () => {
    await run('ends', {
      containers: [shell('trap "kubectl create configmap ended; exit" TERM; echo up; while :; do sleep 0.1; done')],
    });
    await untilPod('ends', async () => (await logOf('ends').catch(() => '')) === 'up\n');
    await one.admin.delete(pods, 'default/ends');
    await until(async () => (await one.admin.find(pods, 'default/ends')) === undefined, 'the end of a pod');
  });

  it('runs a Job until it has succeeded', async () => {
    const template = { spec: { restartPolicy: 'Never', containers: [shell('kubectl version')] } };
    await one.admin.create<AnyObject>(jobs, {
      metadata: { name: 'job', namespace: 'default' },
      spec: { template },
    } as AnyObject);
    const hasSucceeded = async () =>
      (await one.admin.get<AnyObject & { status?: { succeeded?: number } }>(jobs, 'default/job')).status?.succeeded ===
      1;
    await until(hasSucceeded, 'the Job');
  });

  it('restarts a container whose liveness probe fails', async () => {
    const livenessProbe = { tcpSocket: { port: 9999 }, periodSeconds: 1, failureThreshold: 2 };
    await run('unwell', { restartPolicy: 'Always', containers: [shell('sleep 60', { livenessProbe })] });
    await untilPod('unwell', (pod) => (mainOf(pod)?.restartCount ?? 0) > 0);
    await one.admin.delete(pods, 'default/unwell');
  });
});

describe('the network of a pod', () => {
  const proxy = ['kubectl', 'proxy', '--address=0.0.0.0', '--port=80', '--accept-hosts=.*'];

  before(async () => {
    const readinessProbe = { httpGet: { path: '/healthz', port: 80 }, periodSeconds: 1 };
    await run('web', { containers: [{ name: 'main', image: kubectl, command: proxy, readinessProbe }] });
    const spec = {
      type: 'NodePort',
      selector: { app: 'web' },
      ports: [{ port: 8080, targetPort: 80, nodePort: 30080 }],
    };
    await one.admin.create<Service>(services, { metadata: { name: 'web', namespace: 'default' }, spec } as Service);
    await untilPod('web', (pod) => mainOf(pod)?.ready);
  });

  it('reaches a Service of its cluster by name, and its own API server', async () => {
    await run('asks', {
      containers: [shell('kubectl -s http://web:8080 get --raw /healthz && kubectl get --raw /readyz')],
    });
    await untilPhase('asks', 'Succeeded');
    assert.equal(await logOf('asks'), 'okok\n');
  });

  it('reaches the API server and the NodePorts of another cluster by the name of its node', async () => {
    const at = (port: number, scheme: string) =>
      `kubectl --insecure-skip-tls-verify -s ${scheme}://one-control-plane:${port} get --raw /healthz`;
    await run('far', { containers: [shell(`${at(30080, 'http')}; ${at(6443, 'https')}`)] }, other);
    await untilPhase('far', 'Failed', other);
    // kubectl asks who it is where its token is not known.
    assert.match(await logOf('far', '', other), /okPlease enter Username/);
  });

  it('does not reach what is not there, in the words of Go', async () => {
    await run('fails', {
      containers: [shell('kubectl -s http://web:8081 get --raw /; kubectl -s http://nowhere get --raw /')],
    });
    await untilPhase('fails', 'Failed');
    const log = await logOf('fails');
    assert.match(log, /dial tcp: lookup nowhere on 10\.98\.\d+\.10:53: no such host/);
  });
});

describe('a fault', () => {
  const ask =
    'kubectl --request-timeout=1s --insecure-skip-tls-verify -s http://one-control-plane:30080 get --raw /healthz';

  /** What a pod of the other cluster says that asks the first one. */
  async function heard(name: string): Promise<string> {
    await run(name, { containers: [shell(`${ask}; true`)] }, other);
    await untilPhase(name, 'Succeeded', other);
    return logOf(name, '', other);
  }

  for (const [kind, words] of [
    ['unresolvable', /lookup one-control-plane on 10\.98\.\d+\.10:53: no such host/],
    ['refused', /dial tcp 10\.77\.\d+\.1:30080: connect: connection refused|connection to the server .* was refused/],
    ['swallowed', /deadline exceeded|Timeout exceeded|i\/o timeout/],
  ] as const)
    it(`${kind} is heard in the words of Go`, async () => {
      const mend = await bed.fault({ kind, host: 'one-control-plane', from: 'other' });
      assert.match(await heard(kind), words);
      await mend();
      assert.equal(await heard(`${kind}-no-more`), 'ok\n');
    });

  it('freezes the processes of a dead pod, which its readiness probe notices', async () => {
    const mend = await bed.fault({ kind: 'dead', plane: 'one', pod: 'default/web' });
    await untilPod('web', (pod) => mainOf(pod)?.ready === false);
    await mend();
    await untilPod('web', (pod) => mainOf(pod)?.ready);
    assert.equal(mainOf(await podCalled('web'))?.restartCount, 0);
  });

  it('prints the last words of an image that fails, and lets an image not be pulled', async () => {
    const mendFailing = await bed.fault({ kind: 'failing', image: 'kubectl', log: ['Error: no'] });
    await run('last-words', { containers: [shell('true')] });
    await untilPhase('last-words', 'Failed');
    await mendFailing();
    assert.equal(await logOf('last-words'), 'Error: no\n');
    const mendUnpullable = await bed.fault({ kind: 'unpullable', image: 'kubectl' });
    await run('unpullable', { containers: [shell('true')] });
    await untilPod('unpullable', (pod) => mainOf(pod)?.state.waiting?.reason === 'ImagePullBackOff');
    await mendUnpullable();
    await untilPhase('unpullable', 'Succeeded');
  });

  it('evicts a pod from a full node, whose successor waits for room', async () => {
    await run('full', { containers: [shell('sleep 60')] });
    await untilPhase('full', 'Running');
    const mend = await bed.fault({ kind: 'evicted', plane: 'one', pod: 'default/full' });
    await untilPod('full', ({ status }) => status?.phase === 'Failed' && status.reason === 'Evicted');
    const isFull = async () => {
      const { status } = await one.admin.get<Pod>(nodes, 'one-control-plane');
      return isTrue(status?.conditions, 'DiskPressure');
    };
    assert.equal(await isFull(), true);
    await one.admin.delete(pods, 'default/full');
    await until(async () => (await one.admin.find(pods, 'default/full')) === undefined, 'end of the evicted pod');
    await run('full-again', { containers: [shell('true')] });
    await untilPod(
      'full-again',
      ({ status }) => findCondition(status?.conditions, 'PodScheduled')?.reason === 'Unschedulable',
    );
    await mend();
    await untilPhase('full-again', 'Succeeded');
    assert.equal(await isFull(), false);
  });

  it('sets the clock of a pod', async () => {
    const seconds = 10 * 24 * 3600;
    const mend = await bed.fault({ kind: 'clock-off', plane: 'one', pod: 'default/clock', seconds });
    await run('clock', { containers: [shell('kubectl version -v=6 2>&1')] });
    await untilPhase('clock', 'Succeeded');
    await mend();
    const day = new Date(Date.now() + seconds * 1000).toISOString().slice(5, 10).replace('-', '');
    assert.match(await logOf('clock'), new RegExp(`^I${day} `, 'm'));
  });
});

describe('an API server in a pod, as KubeFlex runs it for a space of type k8s', () => {
  const file = '/key/key.pem';
  const flags = ['--etcd-servers=http://127.0.0.1:2379', '--cert-dir=/certificates', '--token-auth-file=/key/tokens'];
  const accounts = ['issuer=https://one', `key-file=${file}`, `signing-key-file=${file}`];
  const command = ['kube-apiserver', ...flags, ...accounts.map((words) => `--service-account-${words}`)];
  const ask = 'kubectl --insecure-skip-tls-verify --token=admin -s https://127.0.0.1:6443 get --raw';

  before(async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const stringData = {
      'key.pem': privateKey.export({ type: 'pkcs1', format: 'pem' }),
      tokens: 'admin,admin,admin,system:masters',
    };
    await one.admin.create<AnyObject>(secrets, {
      metadata: { name: 'key', namespace: 'default' },
      stringData,
    } as AnyObject);
  });

  /** The versions in which it serves ValidatingAdmissionPolicies. */
  async function served(name: string, more: string[]): Promise<string[]> {
    const volumeMounts = [
      { name: 'key', mountPath: '/key' },
      { name: 'certificates', mountPath: '/certificates' },
    ];
    const at = (version: string) => `/apis/admissionregistration.k8s.io/${version}/validatingadmissionpolicies`;
    const asked = ['v1', 'v1beta1'].map((version) => `${ask} ${at(version)} >&2 && echo ${version}`);
    await run(name, {
      volumes: [
        { name: 'key', secret: { secretName: 'key' } },
        { name: 'certificates', emptyDir: {} },
      ],
      containers: [
        shell(`until ${ask} /readyz >/dev/null 2>&1; do sleep 0.2; done; ${asked.join('; ')}; echo asked`),
        {
          name: 'kine',
          image: 'docker.io/rancher/kine:v0.11.5',
          args: ['--endpoint', `postgres://kine@postgres/${name}`],
        },
        {
          name: 'server',
          image: 'registry.k8s.io/kube-apiserver:v1.29.9',
          command: [...command, ...more],
          volumeMounts,
        },
      ],
    });
    await untilPod(name, (pod) => mainOf(pod)?.state.terminated);
    const log = await logOf(name, 'container=main');
    assert.match(log, /^asked$/m);
    await one.admin.delete(pods, `default/${name}`);
    return log.split('\n').filter((line) => /^v1/.test(line));
  }

  it('serves no ValidatingAdmissionPolicies', async () => {
    assert.deepEqual(await served('as-is', []), []);
  });

  it('serves them as v1beta1 if its flags say so', async () => {
    const flags = [
      '--feature-gates=ValidatingAdmissionPolicy=true',
      '--runtime-config=admissionregistration.k8s.io/v1beta1=true',
    ];
    assert.deepEqual(await served('by-flags', flags), ['v1beta1']);
  });
});

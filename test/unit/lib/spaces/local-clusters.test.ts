import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { Deadline } from '../../../../src/lib/core/deadline.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { advice, stepLines } from '../../../../src/lib/core/next-step.ts';
import { silentProgress } from '../../../../src/lib/core/run.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { networkError } from '../../../../src/lib/kube/client/errors.ts';
import type { RecordedWrite } from '../../../../src/lib/kube/writes.ts';
import {
  createLocalCluster,
  type LocalClusterInput,
  type LocalTools,
} from '../../../../src/lib/spaces/local/create-local-cluster.ts';
import {
  connectLocal,
  deleteLocalCluster,
  findLocalCluster,
} from '../../../../src/lib/spaces/local/delete-local-cluster.ts';
import {
  checkClusterName,
  clusterOfContainer,
  type ProviderName,
  startStep,
} from '../../../../src/lib/spaces/local/local-cluster-names.ts';
import { chooseNetwork, locationOf } from '../../../../src/lib/spaces/local/local-network.ts';
import { refuseHosting, refuseRegistered } from '../../../../src/lib/wecs/join/create-wec.ts';
import { base64, type FakeMethods, fakeKube } from '../../support/builders.ts';
import { discoveryOf } from '../../support/discovery.ts';
import { newPath } from '../../support/folder.ts';
import { matches } from '../../support/steps.ts';

/** A minimal kind and k3d: one file lists their clusters, another one records their requests. */
const script = `#!/bin/sh
program=$(basename "$0")
echo "$program $*" >> "$HOME/calls"
case "$program $*" in
  "docker --version") echo 'Docker version 27.1.0, build abc' ;;
  "docker container inspect"*) cat "$HOME/bindings" ;;
  "docker version"*) test ! -e "$HOME/docker-down" || { echo 'Cannot connect to the Docker daemon' >&2; exit 1; } ;;
  "kind version") cat "$HOME/kind-version" ;;
  "k3d version") printf 'k3d version v5.8.3\\nk3s version v1.31.5-k3s1 (default)\\n' ;;
  "kind get clusters") test ! -e "$HOME/docker-down" && cat "$HOME/kind-clusters" ;;
  "k3d cluster list"*) cat "$HOME/k3d-clusters" ;;
  *"create"*)
    echo "$KUBECONFIG $KIND_EXPERIMENTAL_DOCKER_NETWORK" > "$HOME/environment"
    case "$*" in *"--config -") cat > "$HOME/config" ;; esac
    test ! -e "$HOME/create-hangs" || { echo cluster1 >> "$HOME/kind-clusters"; exec sleep 30; }
    test ! -e "$HOME/create-fails" || { cat "$HOME/create-fails" >&2; exit 1; }
    if [ $program = kind ]; then echo cluster1 >> "$HOME/kind-clusters"; else echo '[{"name":"cluster1"}]' > "$HOME/k3d-clusters"; fi ;;
  "kind get kubeconfig"*|"k3d kubeconfig get"*) cat "$HOME/kubeconfig-of-$program" || { echo 'ERROR: no such container' >&2; exit 1; } ;;
  *"delete"*)
    if [ $program = kind ]; then : > "$HOME/kind-clusters"; else echo '[]' > "$HOME/k3d-clusters"; fi
    echo "$KUBECONFIG" > "$HOME/environment" ;;
esac
`;

const entriesOf = (provider: ProviderName, server: string) => {
  const name = `${provider}-cluster1`;
  const user = provider === 'kind' ? name : `admin@${name}`;
  return {
    clusters: [{ name, cluster: { server, 'certificate-authority-data': 'QUJD' } }],
    users: [{ name: user, user: { token: 't' } }],
    contexts: [{ name, context: { cluster: name, user } }],
    'current-context': name,
  };
};

const readyNode = {
  metadata: { name: 'n' },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
};

/** A clean machine, with a kubeconfig whose current context is `mine`. */
function machine() {
  const home = newPath();
  mkdirSync(path.join(home, 'bin'), { recursive: true });
  for (const program of ['kind', 'k3d', 'docker']) {
    writeFileSync(path.join(home, 'bin', program), script);
    chmodSync(path.join(home, 'bin', program), 0o755);
  }
  const put = (name: string, text: string) => writeFileSync(path.join(home, name), text);
  put('kind-clusters', '');
  put('k3d-clusters', 'null\n');
  put('kind-version', 'kind v0.31.0 go1.25 linux/amd64\n');
  put('calls', '');
  for (const provider of ['kind', 'k3d'] as const)
    put(`kubeconfig-of-${provider}`, stringify(entriesOf(provider, 'https://127.0.0.1:5000')));
  put(
    'kubeconfig',
    stringify({
      contexts: [{ name: 'mine', context: { cluster: 'm', user: 'm' } }],
      'current-context': 'mine',
    }),
  );
  const interrupt = new AbortController();
  const env = {
    PATH: `${home}/bin:${process.env.PATH}`,
    HOME: home,
    KUBECONFIG: `${home}/kubeconfig`,
  };
  const run = {
    progress: silentProgress,
    deadline: new Deadline(20_000),
    signal: interrupt.signal,
  };
  const tools: LocalTools = {
    run,
    programs: { env, deadline: run.deadline, signal: run.signal, sendSignal: process.kill },
    target: { env },
    connect: ({ name, server }) =>
      fakeKube({ cluster: { context: name, server }, list: async () => [readyNode] }),
  };
  const read = (name: string) => readFileSync(path.join(home, name), 'utf8');
  return {
    home,
    put,
    read,
    tools,
    interrupt,
    calls: (word: string) =>
      read('calls')
        .split('\n')
        .filter((call) => call.includes(word)),
    // biome-ignore lint/suspicious/noExplicitAny: whatever the file holds
    kubeconfig: (): any => parse(read('kubeconfig')),
    create: (input: Partial<LocalClusterInput> = {}) =>
      createLocalCluster(
        { provider: 'kind', name: 'cluster1', role: 'wec', image: 'nodes', ...input },
        tools,
      ),
    remove: async (provider?: ProviderName) =>
      deleteLocalCluster(await findLocalCluster('cluster1', provider, tools), tools),
  };
}

const fails = (code: string, why: RegExp) => (error: unknown) =>
  error instanceof StellarError &&
  error.code === code &&
  why.test([error.message, ...error.details, ...stepLines(error.next)].join(' '));

describe('creating a cluster', () => {
  test('adds a context of its name, which does not become the current one', async () => {
    const { create, kubeconfig, read } = machine();
    assert.deepEqual(await create(), { context: 'cluster1', created: true, changed: true });
    const { contexts, clusters, 'current-context': current } = kubeconfig();
    assert.deepEqual(contexts[1], {
      name: 'cluster1',
      context: { cluster: 'kind-cluster1', user: 'kind-cluster1' },
    });
    assert.deepEqual([clusters[0].name, current], ['kind-cluster1', 'mine']);
    const [scratch] = read('environment').trim().split(' ');
    matches(scratch, /stellarctl-local-/);
    assert.equal(existsSync(path.dirname(scratch ?? '')), false);
  });

  test('finds an existing one, by its exact name', async () => {
    const { create, calls, put } = machine();
    put('kind-clusters', 'cluster10\nmy-cluster1\n');
    assert.equal((await create()).created, true);
    const again = await create();
    assert.deepEqual([again.created, again.changed, calls('create').length], [false, false, 1]);
  });

  test('restores its context, with its present address', async () => {
    const { create, kubeconfig, put } = machine();
    await create();
    put('kubeconfig-of-kind', stringify(entriesOf('kind', 'https://127.0.0.1:6000')));
    assert.equal((await create()).changed, true);
    assert.equal(kubeconfig().clusters[0].cluster.server, 'https://127.0.0.1:6000');
  });

  test('with k3d uses k3d’s names, and the requested network', async () => {
    const { create, kubeconfig, calls } = machine();
    await create({ provider: 'k3d', network: 'k3d-kubeflex', image: 'rancher/k3s:v1' });
    assert.deepEqual(kubeconfig().contexts[1].context, {
      cluster: 'k3d-cluster1',
      user: 'admin@k3d-cluster1',
    });
    matches(
      calls('create')[0],
      /cluster1 --image rancher\/k3s:v1 --kubeconfig-update-default=false --timeout \d+s --network k3d-kubeflex$/,
    );
  });

  test('with kind passes another network in kind’s variable', async () => {
    const { create, read } = machine();
    await create({ network: 'other' });
    assert.match(read('environment'), / other\n$/);
  });

  test('to host spaces publishes a port for its ingress, keeps its provider’s context, and makes it the current one', async () => {
    const { create, kubeconfig, read } = machine();
    assert.equal((await create({ role: 'hosting', externalPort: 9444 })).context, 'kind-cluster1');
    assert.deepEqual(parse(read('config')).nodes, [
      {
        role: 'control-plane',
        labels: { 'ingress-ready': 'true' },
        extraPortMappings: [{ containerPort: 443, hostPort: 9444, protocol: 'TCP' }],
      },
    ]);
    assert.equal(kubeconfig()['current-context'], 'kind-cluster1');
  });

  test('to host spaces with k3d leaves the port to the ingress', async () => {
    const { create, calls } = machine();
    await create({ role: 'hosting', provider: 'k3d' });
    matches(
      calls('create')[0],
      /--port 9443:443@loadbalancer --k3s-arg --disable=traefik@server:\*$/,
    );
  });

  test('to host spaces uses an existing one only if it publishes the requested port', async () => {
    const { create, put, calls } = machine();
    put('kind-clusters', 'cluster1\n');
    put(
      'bindings',
      '{"443/tcp":[{"HostIp":"0.0.0.0","HostPort":"9444"}],"6443/tcp":[{"HostPort":"40000"}]}\n',
    );
    assert.equal((await create({ role: 'hosting' })).ingressPort, 9444);
    assert.equal((await create({ role: 'hosting', externalPort: 9444 })).ingressPort, 9444);
    await assert.rejects(
      create({ role: 'hosting', externalPort: 9443 }),
      fails('cluster-unusable', /port 9444 .* not 9443.*--provider kind --name NAME/),
    );
    put('bindings', '{"6443/tcp":[{"HostPort":"40000"}]}\n');
    await assert.rejects(
      create({ role: 'hosting' }),
      fails('cluster-unusable', /no port of this machine forwarded/),
    );
    matches(calls('inspect').at(-1), / cluster1-control-plane$/);
  });

  test('to host spaces trusts an existing one if Docker does not show its port', async () => {
    const { create, put } = machine();
    put('kind-clusters', 'cluster1\n');
    assert.equal((await create({ role: 'hosting' })).ingressPort, undefined);
  });

  test('does not happen if its later use is impossible', async () => {
    const { create, calls } = machine();
    const error = new StellarError('chart-unusable', 'no chart');
    await assert.rejects(
      create({ role: 'hosting', beforeCreation: () => Promise.reject(error) }),
      error,
    );
    assert.deepEqual(calls('create'), []);
  });

  test('does not happen in a dry run, and neither does anything else', async () => {
    const { tools, create, calls, read } = machine();
    const before = read('kubeconfig');
    const writes: RecordedWrite[] = [];
    tools.record = (write) => writes.push(write);
    assert.deepEqual([(await create()).created, calls('create')], [true, []]);
    assert.deepEqual(
      writes.map(({ verb, kind, name }) => `${verb} ${kind} ${name}`),
      ['create kind cluster cluster1', 'create context cluster1'],
    );
    assert.equal(read('kubeconfig'), before);
  });
});

describe('creating a cluster is refused', () => {
  test('if the name is that of another cluster’s context', async () => {
    const { create, put, calls } = machine();
    put(
      'kubeconfig',
      stringify({
        clusters: [{ name: 'c', cluster: { server: 'https://production' } }],
        contexts: [{ name: 'cluster1', context: { cluster: 'c', user: 'u' } }],
      }),
    );
    await assert.rejects(create(), fails('context-taken', /production/));
    assert.deepEqual(calls('create'), []);
  });
  for (const [version, isEnough] of [
    ['v0.19.9', false],
    ['v0.20.0', true],
  ] as const) {
    test(`${isEnough ? 'not ' : ''}with kind ${version}`, async () => {
      const { create, put } = machine();
      put('kind-version', `kind ${version} go1.20 linux/amd64\n`);
      if (isEnough) await create();
      else await assert.rejects(create(), fails('program-too-old', /0\.20\.0/));
    });
  }
  test('with a name that its provider would reject', () => {
    for (const name of ['Bad_Name', 'a.b', '-a', '', 'a'.repeat(51)])
      assert.throws(() => checkClusterName('kind', name), { code: 'usage' });
    checkClusterName('kind', 'a'.repeat(50));
    assert.throws(() => checkClusterName('k3d', 'a'.repeat(33)), { code: 'usage' });
  });
  test('without docker', async () => {
    const { create, put } = machine();
    put('docker-down', '');
    await assert.rejects(
      create(),
      fails('docker-unreachable', /Cannot connect to the Docker daemon/),
    );
  });
});

describe('a creation that fails', () => {
  test('reports why, and how to resume or undo it', async () => {
    const { create, put } = machine();
    put('create-fails', 'ERROR: failed to create cluster: port is already allocated\n');
    await assert.rejects(
      create(),
      fails(
        'program-failed',
        /already allocated.*Remove what is left of it: stellarctl wec delete cluster1 --provider kind --force Then rerun/,
      ),
    );
  });
  test('on Ctrl-C names what is left, and how to resume or undo it', async () => {
    const { create, put, read, interrupt } = machine();
    put('create-hangs', '');
    const watch = setInterval(() => {
      if (!read('kind-clusters').includes('cluster1')) return;
      clearInterval(watch);
      interrupt.abort();
    }, 20);
    await assert.rejects(
      create(),
      fails(
        'interrupted',
        /Remove what is left of it: stellarctl wec delete cluster1 --provider kind --force Then rerun the command/,
      ),
    );
  });
  test('at the deadline does the same', async () => {
    const { create, put, tools } = machine();
    put('create-hangs', '');
    tools.programs.deadline = new Deadline(3000);
    await assert.rejects(create(), fails('timeout', /Remove what is left of it/));
  });
  test('is not started without time; an existing cluster is still used', async () => {
    const { create, calls, put, tools } = machine();
    tools.run.deadline = new Deadline(0);
    const beforeCreation = () => Promise.reject(new Error('too much'));
    await assert.rejects(
      create({ beforeCreation }),
      fails('timeout', /no kind cluster cluster1 yet, .*--timeout 15m/),
    );
    assert.deepEqual(calls('create'), []);
    put('kind-clusters', 'cluster1\n');
    assert.equal((await create()).created, false);
  });
  test('after the cluster exists reports it, and how to undo it', async () => {
    const { create, tools } = machine();
    const error = new StellarError('interrupted', 'Interrupted.', advice('Again.'));
    tools.connect = () => fakeKube({ list: () => Promise.reject(error) });
    await assert.rejects(
      create(),
      fails(
        'interrupted',
        /kind cluster cluster1 exists\. Again\. Or remove the cluster: stellarctl wec/,
      ),
    );
  });
  test('leaves a cluster that is reported as unusable, with a next step', async () => {
    const { home, create, put } = machine();
    put('kind-clusters', 'cluster1\n');
    rmSync(path.join(home, 'kubeconfig-of-kind'));
    await assert.rejects(
      create(),
      fails(
        'cluster-unusable',
        /no such container.*docker start cluster1-control-plane.*wec delete cluster1/,
      ),
    );
  });
  test('keeps a cluster that does not answer', async () => {
    const { create, put, tools } = machine();
    put('kind-clusters', 'cluster1\n');
    tools.run.deadline = new Deadline(0);
    const error = new StellarError('unreachable', 'refused');
    tools.connect = () => fakeKube({ list: () => Promise.reject(error) });
    await assert.rejects(create(), fails('cluster-unusable', /refused.*wec delete cluster1/));
  });
});

describe('deleting a cluster', () => {
  test('removes it with its contexts, and does nothing the second time', async () => {
    const { create, remove, kubeconfig, read } = machine();
    await create({ role: 'hosting' });
    await create();
    assert.deepEqual([await remove(), await remove()], [true, false]);
    const { contexts, clusters, users, 'current-context': current } = kubeconfig();
    assert.deepEqual([contexts.length, clusters, users, current], [1, [], [], '']);
    assert.match(read('environment'), /stellarctl-local-/);
  });
  test('removes the contexts of one that another user has deleted', async () => {
    const { create, remove, put, calls, kubeconfig } = machine();
    await create();
    put('kind-clusters', '');
    assert.deepEqual(
      [await remove(), calls('delete'), kubeconfig().contexts.length],
      [true, [], 1],
    );
  });
  test('keeps a context of its name that refers to another cluster', async () => {
    const { create, remove, kubeconfig } = machine();
    await create({ provider: 'k3d' });
    assert.equal(await remove('kind'), false);
    assert.equal(kubeconfig().contexts.length, 2);
  });
  test('keeps a context of its name whose server is not on this machine', async () => {
    const { put, remove, tools, kubeconfig } = machine();
    const { contexts, clusters, users } = entriesOf('kind', 'https://10.20.30.40:6443');
    put('kubeconfig', stringify({ contexts, clusters, users }));
    const { elsewhere } = await findLocalCluster('cluster1', undefined, tools);
    assert.deepEqual(elsewhere, ['kind-cluster1 (https://10.20.30.40:6443)']);
    assert.equal(await remove(), false);
    assert.deepEqual(kubeconfig().users, users);
  });
  test('finds the contexts of one by the address of its container, too', async () => {
    const { put, tools } = machine();
    put('kubeconfig', stringify(entriesOf('kind', 'https://cluster1-control-plane:6443')));
    assert.deepEqual((await findLocalCluster('cluster1', undefined, tools)).contexts, [
      'kind-cluster1',
    ]);
  });
  test('of a hosting cluster takes the contexts of its spaces, and no others', async () => {
    const { put, remove, kubeconfig } = machine();
    const config = entriesOf('kind', 'https://127.0.0.1:6000');
    const noted = (name: string, cluster: string, hosting: string) => ({
      name,
      context: {
        cluster,
        user: `${name}-admin`,
        extensions: [
          {
            name: 'kubeflex',
            extension: { data: { 'controlplane-name': name, 'hosting-cluster-ctx-name': hosting } },
          },
        ],
      },
    });
    const spaces = [
      noted('its1', 'its1-cluster', 'kind-cluster1'),
      noted('wds1', 'kind-cluster1', 'kind-cluster1'),
      noted('ext', 'users-own', 'kind-cluster1'),
      noted('its2', 'its2-cluster', 'kind-other'),
    ];
    const servers = ['its1-cluster', 'users-own', 'its2-cluster'].map((name) => ({
      name,
      cluster: { server: 'https://its1.localtest.me:9443' },
    }));
    const users = spaces.map(({ context }) => ({ name: context.user, user: { token: 't' } }));
    put(
      'kubeconfig',
      stringify({
        contexts: [...config.contexts, ...spaces],
        clusters: [...config.clusters, ...servers],
        users: [...config.users, ...users],
      }),
    );
    assert.equal(await remove(), true);
    const left = kubeconfig();
    const names = (list: { name: string }[]) => list.map(({ name }) => name);
    assert.deepEqual(names(left.contexts), ['ext', 'its2']);
    assert.deepEqual(names(left.users), ['ext-admin', 'its2-admin']);
  });
  test('must distinguish it from one of the other provider', async () => {
    const { remove, put } = machine();
    put('kind-clusters', 'cluster1\n');
    put('k3d-clusters', '[{"name":"cluster1"},{"name":"cluster10"}]');
    await assert.rejects(remove(), fails('usage', /--provider kind\|k3d/));
    assert.equal(await remove('k3d'), true);
  });
  test('needs only the program of its own provider', async () => {
    const { create, remove, put, tools } = machine();
    await create({ provider: 'k3d' });
    put('kind-version', 'kind v0.1.0\n');
    assert.equal((await findLocalCluster('cluster1', undefined, tools)).provider, 'k3d');
    assert.equal(await remove(), true);
    assert.equal(await remove(), false);
    put('docker-down', '');
    await assert.rejects(remove(), fails('program-too-old', /./));
  });
  test('starts five programs; only a failure starts those that explain it', async () => {
    const { create, put, read, tools } = machine();
    await create();
    put('calls', '');
    const found = await findLocalCluster('cluster1', undefined, tools);
    await connectLocal(found, tools);
    await deleteLocalCluster(await findLocalCluster('cluster1', found.provider, tools), tools);
    assert.deepEqual(
      read('calls')
        .trim()
        .split('\n')
        .map((call) => call.replace(/ (--|cluster1).*/, '')),
      [
        'kind get clusters',
        'k3d cluster list',
        'kind get kubeconfig',
        'kind get clusters',
        'kind delete cluster',
      ],
    );
    put('docker-down', '');
    await assert.rejects(
      findLocalCluster('cluster1', 'kind', tools),
      fails('docker-unreachable', /daemon/),
    );
  });
});

describe('a hosting cluster', () => {
  const found = {
    name: 'cluster1',
    provider: 'kind' as const,
    contexts: ['kind-cluster1'],
    elsewhere: [],
  };
  const label = (role: string) => ({ labels: { 'kflex.kubestellar.io/cptype': role } });
  const serving = (spaces: object[] | undefined, definition?: object) =>
    fakeKube({ list: async () => spaces, get: async () => definition });
  const silent = fakeKube({
    list: () => Promise.reject(new StellarError('unreachable', 'refused')),
  });
  const refuse = (cluster: Kube | undefined) =>
    refuseHosting({ ...found, contexts: [...found.contexts] }, cluster);
  const unread = fails(
    'unreachable',
    /whether it is a WEC or a hosting cluster is unknown.*docker start cluster1-/,
  );

  test('is not deleted, and the loss is named', () =>
    assert.rejects(
      refuse(
        serving([
          { metadata: { name: 'wds1', ...label('wds') } },
          { metadata: { name: 'its1', ...label('its') } },
        ]),
      ),
      fails(
        'has-dependents',
        /lost: its1 \(ITS\), wds1 \(WDS\).*status --hosting-context kind-cluster1/,
      ),
    ));
  test('is not deleted even if it has no spaces yet', () =>
    assert.rejects(
      refuse(serving([])),
      fails('has-dependents', /is a hosting cluster\. It was not deleted\. See/),
    ));
  test('and an ITS or a WDS are not deleted as WECs', async () => {
    const of = (served: string) =>
      fakeKube({
        list: async ({ plural }) => (plural === served ? [{}] : undefined),
        get: async () => undefined,
      });
    await assert.rejects(
      refuse(of('clustermanagers')),
      fails('has-dependents', /is not a WEC: it is an OCM hub/),
    );
    await assert.rejects(
      refuse(of('bindingpolicies')),
      fails('has-dependents', /is not a WEC: it is a WDS/),
    );
  });
  test('that no longer is one may be deleted', async () => {
    const cluster = serving(undefined);
    assert.equal(await refuse(cluster), cluster);
  });
  test('may be any cluster that does not answer, is stopped, or does not serve the defined kind', async () => {
    for (const cluster of [silent, undefined, serving(undefined, {})])
      await assert.rejects(refuse(cluster), unread);
  });
});

describe('a registered WEC', () => {
  const asIts = (kube: FakeMethods) => ({
    kube: fakeKube({ cluster: { context: 'its1', server: 'https://its1' }, ...kube }),
    context: {
      name: 'its1',
      server: 'https://its1',
      cluster: { server: 'https://its1' },
      user: {},
    },
  });
  const hub = (managedCluster: object | undefined) =>
    asIts({
      read: discoveryOf(),
      list: async () => (managedCluster === undefined ? [] : [managedCluster]),
      get: async ({ plural }) => (plural === 'managedclusters' ? managedCluster : undefined),
    });
  const forbidden = () => Promise.reject(new StellarError('forbidden', 'no'));
  const away = asIts({ read: forbidden, get: forbidden });
  const secretOf = (server: string) => ({
    data: { kubeconfig: base64(JSON.stringify({ clusters: [{ cluster: { server } }] })) },
  });
  /** @param server the hub of its klusterlet; undefined without a klusterlet */
  const wec = (server: string | undefined) =>
    fakeKube({
      cluster: { context: 'cluster1', server: 'https://cluster1' },
      get: async ({ plural }) => {
        if (server === undefined) return undefined;
        if (plural === 'klusterlets') return { spec: { clusterName: 'cluster1' } };
        return plural === 'secrets' ? secretOf(server) : undefined;
      },
      list: async () => [],
    });

  test('with the ITS is not deleted', () =>
    assert.rejects(
      refuseRegistered('cluster1', hub({}), wec(undefined)),
      fails('still-registered', /with its1.*stellarctl deregister cluster1 --its its1/),
    ));
  test('with another hub than the chosen ITS is not deleted, whatever that ITS says', async () => {
    for (const its of [undefined, away, hub(undefined)])
      await assert.rejects(
        refuseRegistered('cluster1', its, wec('https://its2')),
        fails('still-registered', /with the hub https:\/\/its2.*--force/),
      );
  });
  test('is deleted if its own ITS, or every ITS, does not know it', async () => {
    await refuseRegistered('cluster1', hub(undefined), wec('https://its1'));
    await refuseRegistered('cluster1', undefined, wec(undefined));
  });
  test('may be any cluster whose Klusterlet may not be read', async () => {
    await assert.rejects(
      refuseRegistered('cluster1', hub(undefined), { ...wec(undefined), get: forbidden }),
      fails('forbidden', /no/),
    );
  });
});

describe('the network of a new WEC', () => {
  const at = (server: string, cluster?: string) =>
    locationOf(
      'its1',
      [
        { server: 'https://its1.localtest.me:9443', certificateAuthority: undefined },
        { server, certificateAuthority: undefined },
      ],
      cluster,
    );
  const ofKind = 'https://kubeflex-control-plane:31443';
  const cases: [
    what: string,
    provider: ProviderName,
    asked: string | undefined,
    server: string,
    network: string | undefined,
  ][] = [
    ['that of the ITS, for k3d', 'k3d', undefined, 'https://k3d-hub-server-0:31443', 'k3d-hub'],
    ['kind’s own, for kind', 'kind', undefined, ofKind, undefined],
    ['the requested one', 'k3d', 'n', ofKind, 'n'],
    [
      'the provider’s own if the ITS is elsewhere',
      'k3d',
      undefined,
      'https://a.example',
      undefined,
    ],
  ];
  for (const [what, provider, asked, server, network] of cases)
    test(`is ${what}`, () =>
      assert.deepEqual(chooseNetwork(provider, asked, at(server)), { network }));
  test('is that of the ITS whose context names its cluster', () =>
    assert.deepEqual(chooseNetwork('k3d', undefined, at('https://0.0.0.0:6550', 'k3d-hub')), {
      network: 'k3d-hub',
    }));
  test('does not connect clusters of different providers, which is reported', () => {
    const { network, note } = chooseNetwork('k3d', undefined, at(ofKind));
    assert.equal(network, undefined);
    matches(note, /kubeflex-control-plane of kind.*--provider kind/);
  });
  test('is detected from containers of both', () =>
    assert.deepEqual(
      [
        'k3d-a-b-server-1',
        'k3d-a-serverlb',
        'a-control-plane2',
        'a-external-load-balancer',
        'a.example.com',
      ].map((host) => clusterOfContainer(host)?.name),
      ['a-b', 'a', 'a', 'a', undefined],
    ));

  test('and by their contexts, with the command that starts them', () => {
    const local = 'https://127.0.0.1:41234';
    const started = (context: string, server = local) => {
      const start = startStep(context, server);
      const { next } = networkError({ context, server, start }, { code: 'ECONNREFUSED' });
      return stepLines(next).join();
    };
    assert.equal(
      started('kind-cluster1'),
      'If it was stopped: docker start cluster1-control-plane',
    );
    assert.equal(
      started('k3d-edge', 'https://0.0.0.0:1'),
      'If it was stopped: k3d cluster start edge',
    );
    for (const [context, server] of [['prod'], ['kind-cluster1', 'https://10.0.0.7:6443']] as const)
      assert.match(started(context, server), /kubectl --context \S+ cluster-info$/);
  });
});

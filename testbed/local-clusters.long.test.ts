/** The stand-ins of kind, k3d and docker, as commands run them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { type Bed, startBed } from './index.ts';
import { Api } from './kube/api.ts';
import { readCurrentContext } from './kube/kubeconfig.ts';
import { nodes } from './kube/resources.ts';
import { type LocalClusterTools, localClusterTools } from './local-clusters/tools.ts';
import { freePort } from './plane/ports.ts';

let bed: Bed;
let tools: LocalClusterTools;
let home: string;

before(async () => {
  bed = await startBed({ planes: [], log: console.error });
  tools = await localClusterTools(bed);
  home = join(bed.dir, 'home');
  await mkdir(home);
});

after(async () => {
  tools?.stop();
  await bed?.stop();
});

interface Outcome {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs one of the programs; `killAt` kills it as soon as that is on its standard error. */
async function run(program: string, args: string[], more: { input?: string; killAt?: string } = {}): Promise<Outcome> {
  const child = spawn(join(tools.path, program), args, { env: { HOME: home } });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      said[name] += chunk;
      if (more.killAt && said.stderr.includes(more.killAt)) child.kill('SIGTERM');
    });
  }
  child.stdin.on('error', () => {});
  child.stdin.end(more.input ?? '');
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, ...said };
}

const config = (hostPort: number) =>
  JSON.stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    nodes: [{ labels: { 'ingress-ready': 'true' }, extraPortMappings: [{ containerPort: 443, hostPort }] }],
  });

describe('kind', () => {
  it('creates, lists and deletes a cluster', async () => {
    assert.equal((await run('kind', ['get', 'clusters'])).stderr, 'No kind clusters found.\n');
    const port = await freePort();
    const args = ['create', 'cluster', '--name', 'a', '--config', '-'];
    const created = await run('kind', args, { input: config(port) });
    assert.equal(created.exitCode, 0, created.stderr);
    assert.deepEqual(tools.calls('kind').at(-1)?.stdin, config(port));
    const kubeconfig = parse(await readFile(join(home, '.kube', 'config'), 'utf8'));
    assert.equal(kubeconfig['current-context'], 'kind-a');
    assert.deepEqual(kubeconfig.contexts, [{ name: 'kind-a', context: { cluster: 'kind-a', user: 'kind-a' } }]);
    const node = await bed.plane('a').admin.get(nodes, 'a-control-plane');
    assert.equal(node.metadata.labels?.['ingress-ready'], 'true');
    assert.equal((await run('kind', ['get', 'clusters'])).stdout, 'a\n');
    const inside = await run('kind', ['get', 'kubeconfig', '--internal', '--name', 'a']);
    assert.equal(readCurrentContext(inside.stdout).connection.server, 'https://a-control-plane:6443');
    const inspect = ['container', 'inspect', '--format', '{{json .HostConfig.PortBindings}}', 'a-control-plane'];
    const bindings = JSON.parse((await run('docker', inspect)).stdout);
    assert.deepEqual(bindings['443/tcp'], [{ HostIp: '0.0.0.0', HostPort: String(port) }]);
    const again = await run('kind', args, { input: config(port) });
    assert.equal(again.exitCode, 1);
    assert.match(again.stderr, /node\(s\) already exist for a cluster with the name "a"/);
    assert.equal((await run('kind', ['delete', 'cluster', '--name', 'a'])).exitCode, 0);
    assert.equal((await run('kind', ['delete', 'cluster', '--name', 'a'])).exitCode, 0);
    assert.deepEqual(bed.planes, []);
    assert.deepEqual(parse(await readFile(join(home, '.kube', 'config'), 'utf8')).contexts, []);
  });

  it('leaves a cluster without Kubernetes when killed, which can be deleted and recreated', async () => {
    const args = ['create', 'cluster', '--name', 'b'];
    const killed = await run('kind', args, { killAt: 'Starting control-plane' });
    assert.equal(killed.exitCode, null);
    assert.equal((await run('kind', ['get', 'clusters'])).stdout, 'b\n');
    assert.equal((await run('kind', ['get', 'kubeconfig', '--name', 'b'])).exitCode, 1);
    assert.equal((await run('kind', ['delete', 'cluster', '--name', 'b'])).exitCode, 0);
    assert.equal((await run('kind', args)).exitCode, 0);
    assert.equal((await run('kind', ['delete', 'cluster', '--name', 'b'])).exitCode, 0);
  });

  it('accepts the flags of the real one, and no others', async () => {
    const wrong = await run('kind', ['create', 'cluster', '--network', 'x']);
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.stderr, /unknown flag: --network/);
  });

  it('rejects names as the real one does', async () => {
    const wrong = await run('kind', ['create', 'cluster', '--name', 'Bad_Name']);
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.stderr, /'Bad_Name' is not a valid cluster name, cluster names must match/);
    assert.equal((await run('kind', ['get', 'clusters'])).stdout, '');
  });
});

describe('k3d', () => {
  it('creates a cluster whose kubeconfig works, and deletes it', async () => {
    const args = ['cluster', 'create', 'c', '--network', 'k3d-kubeflex', '--kubeconfig-update-default=false'];
    const created = await run('k3d', args);
    assert.equal(created.exitCode, 0, created.stderr);
    const listed = JSON.parse((await run('k3d', ['cluster', 'list', '-o', 'json'])).stdout);
    assert.deepEqual(
      listed.map(({ name, network }: { name: string; network: object }) => [name, network]),
      [['c', { name: 'k3d-kubeflex' }]],
    );
    const { connection } = readCurrentContext((await run('k3d', ['kubeconfig', 'get', 'c'])).stdout);
    assert.match(connection.server, /^https:\/\/0\.0\.0\.0:/);
    const api = new Api(connection);
    assert.equal((await api.list(nodes)).items[0]?.metadata.name, 'k3d-c-server-0');
    api.close();
    assert.equal((await run('docker', ['ps', '--format', '{{.Names}}'])).stdout, 'k3d-c-server-0\n');
    assert.equal((await run('k3d', ['cluster', 'delete', 'c'])).exitCode, 0);
    assert.deepEqual(bed.planes, []);
  });
});

describe('faulty programs', () => {
  it('report a daemon that does not answer', async () => {
    await tools.set('docker', { failing: 'Cannot connect to the Docker daemon.' });
    for (const [program, ...args] of [
      ['docker', 'ps'],
      ['kind', 'get', 'clusters'],
      ['k3d', 'cluster', 'list'],
    ]) {
      const { exitCode, stderr } = await run(program ?? '', args);
      assert.equal(exitCode, 1);
      assert.match(stderr, /Cannot connect to the Docker daemon/);
    }
    await tools.set('docker', 'well');
  });

  it('are outdated, fail in one command, or are missing', async () => {
    await tools.set('kind', { version: '0.19.0' });
    assert.match((await run('kind', ['version'])).stdout, /^kind v0\.19\.0 /);
    await tools.set('kind', { failing: 'ERROR: no space left', command: /^create/ });
    assert.equal((await run('kind', ['create', 'cluster'])).stderr, 'ERROR: no space left\n');
    assert.equal((await run('kind', ['version'])).exitCode, 0);
    await tools.set('kind', 'missing');
    await assert.rejects(run('kind', ['version']), /ENOENT/);
  });
});

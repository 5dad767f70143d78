/**
 * Spaces that clients reach through an ingress, a route and a NodePort, and what they meet instead of them, as its create, its get,
 * init and doctor report it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { buildHelm, chartOf, freePort, resources, until } from '../../../testbed/index.ts';
import { inRelease } from '../support/in-release.ts';
import { type HostingBed, setCores, startHosting, untilReady } from '../support/spaces.ts';

let all: HostingBed;
/** The port of the addresses, which the test serves. */
let port: number;
/** The port that leads to the ingress. */
let ingress: number;
let init: string[];
let env: Record<string, string>;

before(async () => {
  port = await freePort();
  all = await startHosting([], { externalPort: port });
  ingress = all.hosting.ingressPort ?? 0;
  init = ['init', '--chart', await chartOf()];
  env = { PATH: await buildHelm() };
});

after(() => all?.stop());

/** Serves the port during the work. */
async function serving(server: Server, work: () => Promise<void>) {
  await once(server.listen(port, '127.0.0.1'), 'listening');
  try {
    await work();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Serves what leads to a port elsewhere, without looking at what is sent. */
const relay = (to: () => Promise<{ host: string; port: number }>) =>
  createServer(async (socket) => {
    socket.on('error', () => {});
    try {
      const { host, port: onwards } = await to();
      const other = connect(onwards, host).on('error', () => socket.destroy());
      socket.on('close', () => other.destroy()).pipe(other);
      other.pipe(socket);
    } catch {
      socket.destroy();
    }
  });

const toIngress = () => relay(async () => ({ host: '127.0.0.1', port: ingress }));

interface Found {
  id: string;
  status: string;
  code?: string;
  subjects: string[];
}

async function judged(name: string): Promise<Found> {
  const { json } = await all.cli.run(['doctor', '-o', 'json']);
  const found: Found[] = json().items;
  const of = found.find(
    (each) => each.id === 'its-reachable' && each.subjects.includes(`its/${name}`),
  );
  return of ?? { id: '', status: 'pass', subjects: [] };
}

async function assertReported(name: string, says: RegExp) {
  const { cli } = all;
  const created = await cli.run(['its', 'create', name, '-o', 'json']);
  const [item] = created.json().items;
  assert.equal(created.exitCode, 1, created.stdout);
  assert.deepEqual([item.blockedAt?.stage, item.error.code], ['reachable', 'space-failed']);
  assert.match(item.error.message, says);
  const shown = await cli.run(['its', 'get', name, '-o', 'json']);
  assert.match(shown.json().diagnosis.problem, says);
  assert.equal((await judged(name)).code, 'address-not-the-space');
  // init reports on spaces that run.
  await untilReady(all.hosting, name);
  const { stderr } = await cli.succeed(init, { env });
  assert.match(stderr, says);
  assert.match(stderr, new RegExp(`; clients do not reach ${name}$`, 'm'));
}

async function assertReached(name: string) {
  const { stdout } = await all.cli.type(`its create ${name}`);
  assert.match(stdout, new RegExp(`^${name}: ready`, 'm'));
  assert.equal((await judged(name)).status, 'pass');
  const { stderr } = await all.cli.succeed(init, { env });
  assert.doesNotMatch(stderr, new RegExp(`clients do not reach .*${name}`));
}

describe('at the address of a space', () => {
  // The other faults: test/unit/lib/spaces/entrance.test.ts.
  it('no listener is reported with its cause', inRelease, () =>
    assertReported('its1', /its address its1\.localtest\.me:\d+: connection refused/),
  );

  it('what leads to the ingress of its class makes it ready', () =>
    serving(toIngress(), () => assertReached('its1')));
});

it('a space that loses its node to a pod of higher priority shows which one', () =>
  serving(toIngress(), async () => {
    const { hosting, cli } = all;
    const isThere = async (pod: string) =>
      (await hosting.admin.find(resources.pods, pod)) !== undefined;
    await setCores(hosting, '1');
    const greedy = {
      metadata: { name: 'greedy', namespace: 'default' },
      spec: {
        priorityClassName: 'system-node-critical',
        containers: [
          {
            ...{ name: 'c', image: 'example.com/workloads/greedy:1' },
            resources: { requests: { cpu: '900m' } },
          },
        ],
      },
    };
    await hosting.admin.create(resources.pods, greedy);
    const found = () => cli.run(['doctor', '--hosting-context', 'hosting']);
    await until(
      async () => (await found()).stdout.includes('removed pod vcluster-0 for default/greedy'),
      'the pod that took its node is named',
    );
    assert.equal((await found()).exitCode, 1);
    await hosting.admin.delete(resources.pods, 'default/greedy');
    await until(async () => !(await isThere('default/greedy')), 'it is gone');
    await until(async () => (await judged('its1')).status === 'pass', 'it answers again');
    await setCores(hosting, '64');
  }));

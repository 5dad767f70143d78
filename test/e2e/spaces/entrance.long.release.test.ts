/** What clients meet at the address of a space instead of the space, as its create, its get, init and doctor report it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import tls from 'node:tls';
import { buildHelm, chartOf, freePort } from '../../../testbed/index.ts';
import { certificates } from '../../unit/support/answering.ts';
import { inRelease } from '../support/in-release.ts';
import { type HostingBed, startHosting } from '../support/spaces.ts';

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

const inTls = (certificate: { key: string; cert: string }) =>
  tls.createServer(certificate, (socket) => socket.on('error', () => {}));

interface Fault {
  name: string;
  code: string;
  says: RegExp;
  server?: () => Server;
}

const faults: readonly Fault[] = [
  { name: 'no listener', code: 'address-no-listener', says: /nothing listens at its1\.localtest\.me:\d+/ },
  {
    name: 'plain HTTP',
    code: 'address-plain-http',
    says: /answers in plain HTTP \(nginx\), without TLS/,
    server: () => http.createServer((_, response) => response.writeHead(404, { server: 'nginx' }).end()),
  },
  {
    name: 'TLS that ends before it',
    code: 'address-tls-ended',
    says: /the certificate "TRAEFIK DEFAULT CERT" of issuer "TRAEFIK DEFAULT CERT"/,
    server: () => inTls(certificates.ofTraefik),
  },
  {
    name: 'another backend',
    code: 'address-other-backend',
    says: /another API server answers/,
    server: () => inTls(certificates.ofOtherSpace),
  },
  {
    name: 'a backend that ends connections',
    code: 'address-no-backend',
    says: /the connection is closed before TLS begins/,
    server: () => createServer((socket) => socket.destroy()),
  },
];

/** Serves the port during the work. */
async function serving(server: Server | undefined, work: () => Promise<void>): Promise<void> {
  if (server === undefined) return work();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  try {
    await work();
  } finally {
    await new Promise((resolve) => {
      server.close(resolve);
      if (server instanceof http.Server) server.closeAllConnections();
    });
  }
}

interface Found {
  id: string;
  subjects: string[];
}

async function assertReported(name: string, { code, says }: Omit<Fault, 'name'>): Promise<void> {
  const { cli } = all;
  const created = await cli.run(['its', 'create', name, '-o', 'json']);
  const [item] = created.json().items;
  assert.equal(created.exitCode, 1, created.stdout);
  assert.deepEqual([item.blockedAt?.stage, item.error.code], ['reachable', 'space-failed']);
  assert.match(item.error.message, says);
  const shown = await cli.run(['its', 'get', name, '-o', 'json']);
  assert.match(shown.json().diagnosis.problem, says);
  const doctor = await cli.run(['doctor', '-o', 'json']);
  const found = doctor
    .json()
    .items.find((each: Found) => each.id === 'its-reachable' && each.subjects.includes(`its/${name}`));
  assert.equal(found.code, code);
  const { stderr } = await cli.succeed(init, { env });
  // It reports the first space that is not reached.
  if (name === 'its1') assert.match(stderr, says);
}

describe('at the address of a space', () => {
  for (const [index, fault] of faults.entries())
    it(`${fault.name} is reported with its cause`, index === 0 ? {} : inRelease, () =>
      serving(fault.server?.(), () => assertReported('its1', fault)),
    );

  it('the wrong port is reported with the right one', inRelease, async () => {
    const moved = await all.cli.succeed([...init, '--external-port', String(ingress)], { env });
    const says = new RegExp(
      `its address has the wrong port: nothing listens at .*, and the space answers at port ${ingress}`,
    );
    assert.match(moved.stderr, says);
    await assertReported('its1', { code: 'address-wrong-port', says });
  });

  it('a name that is not resolved is reported', inRelease, async () => {
    await all.cli.succeed([...init, '--domain', 'kubeflex.invalid'], { env });
    const says = /the name in its address its2\.kubeflex\.invalid:\d+ cannot be resolved on this machine/;
    await assertReported('its2', { code: 'address-unresolved', says });
  });

  it('what leads to the space, whatever it is, makes it ready', () =>
    serving(
      createServer((socket) => {
        const onwards = connect(ingress, '127.0.0.1');
        for (const each of [socket, onwards]) each.on('error', () => socket.destroy());
        socket.pipe(onwards).pipe(socket);
      }),
      async () => {
        const { stdout } = await all.cli.type('its create its1');
        assert.match(stdout, /^its1: ready/m);
      },
    ));
});

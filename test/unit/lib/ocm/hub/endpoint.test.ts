import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ChosenEndpoint,
  chooseEndpoint,
  type Endpoint,
  type EndpointInput,
  isThisMachine,
  withPresentAuthority,
} from '../../../../../src/lib/ocm/hub/endpoint.ts';
import { FakeServer, identity, otherAuthority } from '../../../support/fake-server.ts';
import { failsWith } from '../../../support/steps.ts';

const externalAuthority = 'authority of the kubeconfig';
const internalAuthority = 'authority of cluster-info';
const names: Record<string, string[]> = {
  'hub.example.com': ['203.0.113.7'],
  'my-laptop.example.com': ['127.0.0.1', '::1'],
  'half-local.example.com': ['127.0.0.1', '203.0.113.7'],
  'its1-control-plane': ['172.18.0.2'],
};
const resolve = async (host: string) => {
  if (names[host] === undefined) throw new Error(`getaddrinfo ENOTFOUND ${host}`);
  return names[host];
};

const external = (server: string): Endpoint => ({
  server,
  certificateAuthority: externalAuthority,
});
const internal = (server: string): Endpoint => ({
  server,
  certificateAuthority: internalAuthority,
});
const reachable = external('https://hub.example.com:6443');
const local = external('https://127.0.0.1:6443');
const published = internal('https://its1-control-plane:6443');

function choose(input: Partial<EndpointInput>): Promise<ChosenEndpoint> {
  return chooseEndpoint(
    {
      its: 'its1',
      wec: 'cluster1',
      external: reachable,
      internal: published,
      hubApiserver: undefined,
      certificateAuthority: undefined,
      ...input,
    },
    resolve,
  );
}

async function refused(input: Partial<EndpointInput>, why: RegExp) {
  await assert.rejects(
    choose(input),
    failsWith({ code: 'endpoint-unusable', message: why, steps: /--hub-apiserver https:\/\// }),
  );
}

describe("the context's server is chosen", () => {
  const expected = { ...reachable, source: 'kubeconfig' };
  test('if other machines can use it', async () => assert.deepEqual(await choose({}), expected));
  test('if nothing is published', async () =>
    assert.deepEqual(await choose({ internal: undefined }), expected));
  for (const [why, server] of [
    ['its name is unknown here', 'https://elsewhere.example.com'],
    ['one of its addresses is not this machine', 'https://half-local.example.com'],
  ] as const)
    test(`if ${why}`, async () =>
      assert.equal((await choose({ external: external(server) })).source, 'kubeconfig'));
  test('although it is local, if it is asked for', async () =>
    assert.deepEqual(await choose({ external: local, hubApiserver: 'context' }), {
      ...local,
      source: 'kubeconfig',
    }));
});

describe('the published server is chosen if the context has', () => {
  const servers = [
    'https://127.0.0.1:6443',
    'https://127.3.2.1',
    'https://[::1]:6443',
    'https://0.0.0.0:6443',
    'https://localhost:6443',
    'https://LOCALHOST.',
    'https://its1.localhost',
    'https://its1.localtest.me:9443',
    'https://my-laptop.example.com',
  ];
  for (const server of servers) {
    test(server, async () =>
      assert.deepEqual(await choose({ external: external(server) }), {
        ...published,
        source: 'kube-public/cluster-info',
      }),
    );
  }
  test('anything, if it is asked for', async () =>
    assert.deepEqual(await choose({ hubApiserver: 'published' }), {
      ...published,
      source: 'kube-public/cluster-info',
    }));
});

describe('nothing is chosen', () => {
  const unusable: [server: string, why: RegExp][] = [
    ['https://127.0.0.1:6443', /local as well/],
    ['https://its1.localtest.me:9443', /local as well/],
    ['https://kubernetes.default:443', /only its own pods/],
    ['https://kubernetes.default.svc.cluster.local', /only its own pods/],
    ['https://kubernetes', /only its own pods/],
    ['https://its1.its1-system.svc', /only its own pods/],
    ['https://its1.its1-system.svc.cluster.local:9443', /only its own pods/],
  ];
  for (const [server, why] of unusable) {
    test(`if the context's server is local and the published one is ${server}`, () =>
      refused({ external: local, internal: internal(server) }, why));
    test(`if it is asked for and the published one is ${server}`, () =>
      refused({ hubApiserver: 'published', internal: internal(server) }, why));
  }
  test("if the context's server is local and nothing is published", () =>
    refused(
      { external: local, internal: undefined },
      /^The API server of its1 has the address https:\/\/127\.0\.0\.1:6443, which an agent in cluster1 cannot use.*missing/,
    ));
  test('if it is asked for and nothing is published', () =>
    refused(
      { hubApiserver: 'published', internal: undefined },
      /^The published address was asked for.*missing/,
    ));
});

describe('explicit options win:', () => {
  const given = 'https://127.0.0.1:7443';
  test('--hub-apiserver is used unchanged, with the authority of the context', async () => {
    assert.deepEqual(await choose({ hubApiserver: given }), {
      server: given,
      certificateAuthority: externalAuthority,
      source: '--hub-apiserver',
    });
    assert.equal(
      (await choose({ hubApiserver: given, external: local, internal: undefined })).server,
      given,
    );
  });
  test('--ca-file replaces every authority', async () => {
    const own = { certificateAuthority: 'own' };
    for (const input of [{}, { external: local }, { hubApiserver: given }])
      assert.partialDeepStrictEqual(await choose({ ...input, ...own }), own);
  });
});

test("a missing authority is not invented: the system's authorities are used", async () => {
  const external = { ...reachable, certificateAuthority: undefined };
  assert.equal((await choose({ external })).certificateAuthority, undefined);
});

describe('a host is this machine', () => {
  const hosts: Record<string, boolean> = {
    '127.0.0.1': true,
    '127.255.0.9': true,
    '::1': true,
    '::': true,
    '0.0.0.0': true,
    '::ffff:127.0.0.1': true,
    // As URL writes it.
    '::ffff:7f00:1': true,
    '10.0.0.1': false,
    '128.0.0.1': false,
    'fe80::1': false,
    notlocalhost: false,
    'localtest.me.example.com': false,
  };
  for (const [host, expected] of Object.entries(hosts))
    test(`${host}: ${expected}`, async () =>
      assert.equal(await isThisMachine(host, resolve), expected));
  test('well-known names are not looked up', async () => {
    const fail = async () => assert.fail('looked up');
    assert.equal(await isThisMachine('its1.localtest.me', fail), true);
    assert.equal(await isThisMachine('127.0.0.1', fail), true);
  });
});

describe('the authority that the ITS publishes', () => {
  const present = async (certificateAuthority: string, name = 'hub.example') => {
    const server = await FakeServer.start(() => ({ status: 403 }));
    const published = { server: `https://${name}:6443`, certificateAuthority };
    const known = { server: server.url, certificateAuthority: identity.cert };
    const endpoint = await withPresentAuthority('its1', published, known);
    await server.stop();
    assert.equal(endpoint?.server, published.server);
    return endpoint.certificateAuthority;
  };
  test('is replaced if the API server uses that of the context for the published name', async () =>
    assert.equal(await present(otherAuthority), identity.cert));
  test('is kept if it is the same, and if the API server may show another certificate for that name', async () => {
    assert.equal(await present(identity.cert), identity.cert);
    assert.equal(await present(otherAuthority, 'its1-control-plane'), otherAuthority);
  });
});

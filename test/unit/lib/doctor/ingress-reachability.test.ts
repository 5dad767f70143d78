import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, test } from 'node:test';
import { judgeIngressReachability } from '../../../../src/lib/doctor/ingress-reachability.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { FakeServer } from '../../support/fake-server.ts';

const ingress = await FakeServer.start(() => ({ body: {} }));
const mute = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
await once(mute, 'listening');
after(async () => {
  await ingress.stop();
  mute.close();
});
const portOf = ({ port }: AddressInfo): number => port;

const args = ['--enable-ssl-passthrough'];
const controller = {
  metadata: { name: 'c' },
  spec: { template: { spec: { containers: [{ args }] } } },
};
const its1 = {
  metadata: { name: 'its1' },
  spec: { type: 'vcluster' },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
};

/** A hosting cluster whose spaces use this port. */
function hosting(
  port: number,
  { domain = 'localtest.me', spaces = [] as object[], controllers = [controller] } = {},
): Kube {
  const data = { domain, externalPort: String(port), hostContainer: 'kubeflex-control-plane', isOpenShift: 'false' };
  const lists: Record<string, object[]> = { deployments: controllers, controlplanes: spaces };
  return {
    cluster: { context: 'host1', server: '' },
    get: async () => ({ metadata: {}, data }),
    list: async ({ plural }: { plural: string }) => lists[plural],
  } as unknown as Kube;
}

test('a port at which an ingress answers is reachable', async () => {
  const port = Number(new URL(ingress.url).port);
  assert.deepEqual(await judgeIngressReachability(hosting(port)), { status: 'pass', found: `127.0.0.1:${port}` });
});

test('a port at which another server answers instead of the stopped control plane is not', async () => {
  const port = Number(new URL(ingress.url).port);
  const outcome = await judgeIngressReachability(hosting(port, { spaces: [its1] }));
  assert.equal(outcome.status, 'warn');
  assert.match(
    JSON.stringify(outcome),
    /its certificate is not for its1\.localtest\.me.*docker port kubeflex-control-plane 443/,
  );
});

test('neither is a port without a listener, or without a backend', async () => {
  const port = portOf(mute.address() as AddressInfo);
  assert.match(JSON.stringify(await judgeIngressReachability(hosting(port))), /"warn".*the server does not speak TLS/);
  assert.match(JSON.stringify(await judgeIngressReachability(hosting(1))), /"warn".*nothing is listening/);
});

test('the check is skipped if the ingress is not on this machine, or nothing could answer', async () => {
  for (const more of [{ domain: 'example.com' }, { controllers: [] }])
    assert.equal((await judgeIngressReachability(hosting(1, more))).status, 'skipped');
});

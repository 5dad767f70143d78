/** The stand-in for kube-proxy, without a cluster. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, it } from 'node:test';
import type { Pod, Service } from './kube/objects.ts';
import { until } from './kube/until.ts';
import { freePort } from './plane/ports.ts';
import { ServiceProxy } from './pod-runner/service-proxy.ts';

/** In no range that a plane claims. */
const host = '127.98.99.1';
const port = await freePort();

describe('a Service', () => {
  const lines: string[] = [];
  const proxy = new ServiceProxy((line) => lines.push(line));

  afterEach(() => proxy.close());

  it('is reached as soon as its address is free, however late that is', async () => {
    const occupant = createServer((socket) => socket.end('somebody else'));
    await once(occupant.listen(port, host), 'listening');
    proxy.setService(service('webhook'));
    const remove = proxy.addEndpoint(endpoint('webhook', 'the webhook'));
    await until(async () => lines.some((line) => line.includes('EADDRINUSE')));
    assert.equal(await answer(), 'somebody else');
    occupant.close();
    await until(async () => (await answer()) === 'the webhook');
    remove();
  });

  it('is reached again at once when its pod is replaced, and refuses connections in between', async () => {
    proxy.setService(service('webhook'));
    for (const name of ['first', 'second', 'third']) {
      const remove = proxy.addEndpoint(endpoint('webhook', name));
      await until(async () => (await answer()) === name);
      remove();
      assert.equal(await answer(), 'ECONNREFUSED');
    }
    const [gone, there] = ['gone', 'there'].map((name) => proxy.addEndpoint(endpoint('webhook', name)));
    gone?.();
    there?.();
    proxy.addEndpoint(endpoint('webhook', 'here'));
    await until(async () => (await answer()) === 'here');
  });

  it('leaves its address to another one', async () => {
    proxy.addEndpoint(endpoint('other', 'the other'));
    proxy.addEndpoint(endpoint('one', 'the one'));
    proxy.setService(service('one'));
    await until(async () => (await answer()) === 'the one');
    proxy.setService(service('other'));
    proxy.removeService(service('one'));
    await until(async () => (await answer()) === 'the other');
  });
});

function service(name: string): Service {
  const metadata = { name, namespace: 'default' };
  return { metadata, spec: { clusterIP: host, selector: { app: name }, ports: [{ port, targetPort: port }] } };
}

function endpoint(app: string, says: string) {
  const metadata = { name: says, namespace: 'default', labels: { app } };
  const pod: Pod = { metadata, spec: { containers: [{ name: 'main', image: 'webhook' }] } };
  return { pod, port, accept: (socket: { end(text: string): void }) => socket.end(says) };
}

/** The response at an address, or the reason why there is none. */
async function answer(): Promise<string> {
  try {
    return await text(connect(port, host));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  }
}

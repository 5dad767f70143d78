import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';

/** A server that accepts nothing: its queue holds two connections. */
const listener = `
const { createServer } = require('node:net');
const { parentPort } = require('node:worker_threads');
const server = createServer();
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

/**
 * Opens a port of this machine to which connections are neither accepted nor refused, as behind a firewall that drops packets: a
 * server whose queue is full. @returns the port
 */
export async function openBlackHole(): Promise<number> {
  const worker = new Worker(listener, { eval: true });
  worker.unref();
  const port = await new Promise<number>((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  );
  for (let i = 0; i < 4; i++)
    connect({ host: '127.0.0.1', port })
      .on('error', () => {})
      .unref();
  return port;
}

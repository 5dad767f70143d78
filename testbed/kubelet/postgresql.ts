import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { PodContext } from '../pod-runner/program.ts';

const port = 5432;
const sslRequest = 80_877_103;

/**
 * Stands in for PostgreSQL, which no registry serves: accepts any user, and says that each query has succeeded. KubeFlex's manager
 * asks one thing of it, DROP DATABASE IF EXISTS NAME WITH (FORCE) (kubeflex 0.9.3 pkg/util/pg.go): a WDS that is created again is empty.
 */
export async function postgresql({
  serveTcp,
  setReady,
  dropDatabase,
  log,
  signal,
}: PodContext): Promise<void> {
  serveTcp(port, (socket) => answer(socket, { log, dropDatabase }));
  setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}

/** The messages of its protocol (PostgreSQL's documentation, "Message Formats"). */
function answer(
  socket: Socket,
  { log, dropDatabase }: Pick<PodContext, 'log' | 'dropDatabase'>,
): void {
  let received = Buffer.alloc(0);
  let hasBegun = false;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const offset = hasBegun ? 1 : 0;
      if (received.length < offset + 4) return;
      const end = offset + received.readInt32BE(offset);
      if (received.length < end) return;
      const type = hasBegun ? String.fromCharCode(received[0] ?? 0) : '';
      const body = received.subarray(offset + 4, end);
      received = received.subarray(end);
      if (!hasBegun && body.readInt32BE(0) === sslRequest) socket.write('N');
      else if (!hasBegun) {
        hasBegun = true;
        socket.write(greeting);
      } else if (type === 'X') socket.end();
      else if (type === 'Q') {
        const query = body.toString().replace(/\0$/, '');
        log(query);
        const [, dropped] = /^DROP DATABASE IF EXISTS (\w+)/.exec(query) ?? [];
        if (dropped !== undefined) dropDatabase(dropped);
        socket.write(Buffer.concat([message('C', `${/^\w+(?: \w+)?/.exec(query)?.[0]}\0`), ready]));
      }
    }
  });
}

function message(type: string, body: string | Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + Buffer.byteLength(body));
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)]);
}

const ready = message('Z', 'I');
const greeting = Buffer.concat([
  message('R', Buffer.alloc(4)),
  message('S', 'server_version\x0016.0\0'),
  message('S', 'client_encoding\0UTF8\0'),
  message('S', 'standard_conforming_strings\0on\0'),
  message('K', Buffer.alloc(8)),
  ready,
]);

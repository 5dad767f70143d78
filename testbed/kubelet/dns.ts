import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** A DNS server for the pods of one cluster: answers A records, and says of any other name that it does not exist. */
export class DnsServer {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @param resolve the addresses of a name, in lower case and without the last dot */
  static async start(resolve: (name: string) => string[]): Promise<DnsServer> {
    const socket = createSocket('udp4');
    socket.on('message', (query, from) =>
      socket.send(answerTo(query, resolve), from.port, from.address),
    );
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new DnsServer(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  stop(): void {
    this.#socket.close();
  }
}

const headerLength = 12;
const typeA = 1;
const secondsToLive = 5;

/** The response to a query with one question (RFC 1035, section 4). */
function answerTo(query: Buffer, resolve: (name: string) => string[]): Buffer {
  const labels: string[] = [];
  let at = headerLength;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1);
  const question = query.subarray(headerLength, at + 5);
  const addresses = resolve(labels.join('.').toLowerCase());
  const answers = (type === typeA ? addresses : []).map((address) => {
    // A pointer to the name of the question, the type, the class Internet, the time to live, the length of the address.
    const record = Buffer.from([0xc0, headerLength, 0, typeA, 0, 1, 0, 0, 0, secondsToLive, 0, 4]);
    return Buffer.concat([record, Buffer.from(address.split('.').map(Number))]);
  });
  const header = Buffer.alloc(headerLength);
  query.copy(header, 0, 0, 2);
  // A response, authoritative, recursion desired and available; without addresses: no such name.
  header.writeUInt16BE(0x8580 | (addresses.length === 0 ? 3 : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  return Buffer.concat([header, question, ...answers]);
}

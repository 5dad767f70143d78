import { request } from 'node:http';

/** A key of etcd, and the revision of its last change. */
export interface Key {
  name: string;
  revision: string;
}

interface Range {
  kvs?: { key: string; value?: string; mod_revision: string }[];
}

const encode = (text: string) => Buffer.from(text).toString('base64');
const decode = (text: string) => Buffer.from(text, 'base64');

/** All keys of an API server: from its prefix to the first key after it. */
const registry = { key: encode('/registry/'), range_end: encode('/registry0') };

/** etcd's keys by its JSON gateway (etcd.io/docs, "gRPC gateway"), on the Unix socket where it serves. */
export class Etcd {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async keys(): Promise<Key[]> {
    const { kvs = [] } = (await this.#post('range', { ...registry, keys_only: true })) as Range;
    return kvs.map(({ key, mod_revision }) => ({
      name: decode(key).toString(),
      revision: mod_revision,
    }));
  }

  async values(): Promise<Map<string, Buffer>> {
    const { kvs = [] } = (await this.#post('range', registry)) as Range;
    return new Map(kvs.map(({ key, value = '' }) => [decode(key).toString(), decode(value)]));
  }

  async put(name: string, value: Buffer): Promise<void> {
    await this.#post('put', { key: encode(name), value: value.toString('base64') });
  }

  async delete(name: string): Promise<void> {
    await this.#post('deleterange', { key: encode(name) });
  }

  #post(verb: string, body: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          socketPath: this.#socketPath,
          path: `/v3/kv/${verb}`,
          method: 'POST',
          headers: { host: 'etcd' },
        },
        async (response) => {
          try {
            const chunks: Buffer[] = [];
            for await (const chunk of response) chunks.push(chunk as Buffer);
            const text = Buffer.concat(chunks).toString();
            if (response.statusCode !== 200)
              throw new Error(`etcd answered ${response.statusCode}: ${text}`);
            resolve(JSON.parse(text));
          } catch (error) {
            reject(error);
          }
        },
      );
      sent.once('error', reject);
      sent.end(JSON.stringify(body));
    });
  }
}

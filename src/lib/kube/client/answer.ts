import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { StellarError } from '../../core/errors.ts';
import { isObject } from '../../core/is-object.ts';
import type { KubeObject } from './objects.ts';

/** An answer of a server. */
export interface Answer {
  status: number;
  text: string;
  /** Seconds. */
  retryAfter: number | undefined;
}

/** In bytes: more than any page of a list, and less than what fits into memory. */
const longestAnswer = 256 * 1024 * 1024;

/**
 * Reads a whole answer, and decompresses it if needed.
 * @param heard called for every piece that arrives
 * @throws StellarError before it keeps more than its limit; Node's errors, also for an answer that cannot be decompressed
 */
export async function readAnswer(response: IncomingMessage, heard: () => void): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of await unpacked(response, heard)) {
    length += chunk.length;
    // Leaving the loop closes the connection.
    if (length > longestAnswer) throw new StellarError('api-error', 'An answer of more than 256 MB was not read.');
    chunks.push(chunk);
  }
  const retryAfter = Number(response.headers['retry-after']);
  return {
    status: response.statusCode ?? 0,
    text: Buffer.concat(chunks).toString('utf8'),
    retryAfter: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined,
  };
}

async function unpacked(response: IncomingMessage, heard: () => void): Promise<AsyncIterable<Buffer>> {
  const pieces = async function* (): AsyncIterable<Buffer> {
    for await (const piece of response) {
      heard();
      yield piece as Buffer;
    }
  };
  if (response.headers['content-encoding'] !== 'gzip') return pieces();
  // Few answers are long enough to be compressed.
  const { createGunzip } = await import('node:zlib');
  // Errors are thrown where the result is read.
  return pipeline(pieces, createGunzip(), () => undefined) as Readable;
}

/**
 * The Kubernetes object in an answer. Conditions that are no objects are dropped: an API server rejects them only where a schema says
 * so.
 * @returns undefined for a value without the fields that every object has
 */
export function objectIn(value: unknown): KubeObject | undefined {
  if (!isObject(value) || !isObject(value.metadata) || !('name' in value.metadata)) return undefined;
  const { status } = value;
  if (isObject(status) && status.conditions !== undefined)
    status.conditions = Array.isArray(status.conditions) ? status.conditions.filter(isObject) : [];
  return value as unknown as KubeObject;
}
